"""The tests' own house: what they share lives in tests/kit, and a name means one thing."""

import ast
import functools
from collections import Counter
from pathlib import Path

_TESTS = Path(__file__).parent


@functools.cache
def _sources() -> dict[Path, ast.Module]:
    paths = [*_TESTS.rglob("*.py"), *_TESTS.parent.glob("bench/*.py")]
    return {path: ast.parse(path.read_text()) for path in paths}


def test_no_test_imports_from_another_test_or_from_a_conftest() -> None:
    wrong = [
        f"{path.relative_to(_TESTS.parent)}:{node.lineno}"
        for path, tree in _sources().items()
        for node in ast.walk(tree)
        for module in _imported(node)
        if module.startswith("tests.") and module.rpartition(".")[2].startswith(("test_", "conftest"))
    ]
    assert wrong == [], "move what they share to tests/kit"


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}", *(f"{node.module}.{name.name}" for name in node.names)]
    return [name.name for name in node.names] if isinstance(node, ast.Import) else []


def test_a_class_of_the_tests_has_its_name_alone() -> None:
    classes = [
        node.name
        for tree in _sources().values()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert [name for name, times in Counter(classes).items() if times > 1] == []


def test_a_constant_of_the_people_is_written_once() -> None:
    assigned = [
        name.id
        for tree in _sources().values()
        for node in tree.body
        if isinstance(node, ast.Assign)
        for name in node.targets
        if isinstance(name, ast.Name) and name.id in ("ANA", "BEN", "EVE", "ADMIN", "EMAIL")
    ]
    assert sorted(assigned) == ["ADMIN", "ANA", "BEN", "EMAIL", "EVE"]
