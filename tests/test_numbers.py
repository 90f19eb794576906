"""Numbers have one form at every door: as JSON has them, and nothing that Python takes beside that."""

import pytest
from typer.core import TyperArgument, TyperOption

from bmn.cli.app import root
from bmn.cli.base import Context, UsageError
from bmn.cli.terminal.params import dollars, rate, share, span
from bmn.errors import Misconfigured
from bmn.format import parse_span
from bmn.numbers import number, whole
from bmn.providers.failures import retry_after
from bmn.server.edge.conditions import wanted
from bmn.server.usecases.waiting import preferred_wait
from bmn.settings import Settings, load_settings
from tests.kit.terminal import commands

ODD = ["1_0", "+5", " 5", "5 ", "٣", "５", "²", "0x5", "5.", "inf", "nan", "1e", "", "9" * 30, "1__000", "1_00"]


@pytest.mark.parametrize("text", ODD)
def test_what_is_no_number_is_none_anywhere(text: str) -> None:
    for read in (whole, number):
        with pytest.raises(ValueError, match="number"):
            read(text)
    if text.strip() != "5" and text != "9" * 30:  # of blanks a header has any number, and of digits
        assert preferred_wait(f"wait={text}") is None
        assert retry_after({"retry-after": text}) is None
    assert wanted(f"bytes={text}-", 100)[0] == 200 or text.strip() == "5"


def test_a_number_is_read() -> None:
    assert [whole(text) for text in ("0", "20", "-3", "007")] == [0, 20, -3, 7]
    assert [number(text) for text in ("0.5", ".5", "20", "-3", "1e-05", "1E3")] == [0.5, 0.5, 20, -3, 1e-05, 1000]


@pytest.mark.parametrize("text", ["1_0", "+5", "٣", "５s", "²", "1_0m", "٣/m", "٣%", "+5%", "$1_0", "inf"])
def test_amounts_and_spans_are_written_with_plain_digits(text: str) -> None:
    for read in (dollars, rate, share, span, parse_span):
        with pytest.raises(ValueError):
            read(text)


def test_every_option_and_argument_takes_plain_numbers_alone() -> None:
    asked = 0
    for _words, command in commands(root):
        context = None
        for param in command.params:
            assert isinstance(param, TyperOption | TyperArgument)
            kind = param.type_descriptor
            if kind.annotation not in (int, float) or kind.parameter_info.parser is not None:
                continue
            context = context or Context(command)
            for text in ODD[:-1]:
                with pytest.raises(UsageError):
                    param.process_value(context, text)
            asked += 1
    assert asked > 10


@pytest.mark.parametrize(
    "setting", [name for name, field in Settings.model_fields.items() if field.annotation in (int, float)]
)
def test_every_setting_takes_plain_numbers_alone(setting: str) -> None:
    for text in ("1_0", "+5", "٣", "５", "²", "0x5", "5.", "inf", "1__000"):
        with pytest.raises(Misconfigured) as refused:
            load_settings(**{setting: text})
        assert setting.upper() in refused.value.message


def test_thousands_may_be_grouped_in_settings() -> None:
    assert load_settings(bmn_stream_maxlen="1_000_000").bmn_stream_maxlen == 1_000_000
