"""An option whose value was forgotten never takes the next option for it, and none that chooses is given twice."""

import pytest
from typer.core import TyperOption

from bmn.cli.app import root
from bmn.cli.base import UsageError
from tests.kit.terminal import commands, forked


def test_every_option_of_every_command_that_takes_a_value_asks_for_it() -> None:
    asked = 0
    for words, command in commands(root):
        for option in (param for param in command.params if isinstance(param, TyperOption)):
            if option.is_flag or option.count or option.metavar == "[KIND]":  # whose value may be left out
                continue
            for name in option.opts:
                for swallowed in ("--json", "--", f"{max(option.opts, key=len)}=x"):
                    with pytest.raises(UsageError, match="needs a value"):
                        command.make_context(words, [name, swallowed])
                asked += 1
    assert asked > 100


def test_an_option_that_chooses_is_not_given_twice() -> None:
    asked = 0
    for words, command in commands(root):
        for option in (param for param in command.params if isinstance(param, TyperOption)):
            if option.multiple or option.name not in ("queue", "state", "cause", "brand", "user", "text", "kind"):
                continue
            name = max(option.opts, key=len)
            for again in ([name, "b"], [f"{name}=b"]):
                with pytest.raises(UsageError, match=f"{name} is given twice"):
                    command.make_context(words, [name, "a", *again])
            asked += 1
    assert asked > 30
    assert forked("jobs", "cancel", "--state", "queued", "--state", "active").code == 2


def test_a_brand_is_not_called_like_an_option() -> None:
    done = forked("generate", "logos", "--brand", "--dry-run")
    assert done.code == 2
    assert "--brand needs a value, and --dry-run is an option" in done.err
    meant = forked("generate", "logos", "--brand=--dry-run", "--style", "--count")
    assert "--style needs a value" in meant.err
