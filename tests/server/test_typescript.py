"""The types that web/ is checked against say what the server sends."""

import pytest

from tools.typescript import TARGET, _merged, declarations


def test_the_declarations_are_those_of_the_models() -> None:
    assert TARGET.read_text() == declarations(), "write them again: .venv/bin/python -m tools.typescript"


def test_one_name_is_one_model() -> None:
    with pytest.raises(ValueError, match="Job"):
        _merged({"Job": {"type": "object"}}, {"Job": {"type": "string"}})
