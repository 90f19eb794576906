"""`bmn completion`: the script that teaches a shell our commands and the newest job ids."""

from typing import Annotated, Literal

import typer

from bmn.cli.base import examples, single
from bmn.cli.terminal.console import console
from bmn.cli.terminal.shell_completion import SCRIPTS

app = single()


@app.command(
    cls=examples(
        'eval "$(bmn completion bash)"                          # in ~/.bashrc',
        'eval "$(bmn completion zsh)"                           # in ~/.zshrc',
        "bmn completion fish > ~/.config/fish/completions/bmn.fish",
    )
)
def completion(shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument()]) -> None:
    """Prints the completion script of a shell."""
    console.answer(SCRIPTS[shell].strip())
