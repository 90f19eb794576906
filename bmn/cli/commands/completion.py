"""`bmn completion`: the script that teaches a shell our commands and the newest job ids."""

import click

from bmn.cli.base import Command
from bmn.cli.terminal.console import console


@click.command(
    cls=Command,
    examples=(
        'eval "$(bmn completion bash)"                          # in ~/.bashrc',
        'eval "$(bmn completion zsh)"                           # in ~/.zshrc',
        "bmn completion fish > ~/.config/fish/completions/bmn.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Prints the completion script of a shell."""
    from click.shell_completion import get_completion_class

    from bmn.cli.app import root

    completer = get_completion_class(shell)
    assert completer is not None
    console.answer(completer(root, {}, "bmn", "_BMN_COMPLETE").source())
