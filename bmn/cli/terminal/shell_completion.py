"""Completion in the shell: a script for each, and what it asks us for at every Tab."""

import os
from collections.abc import Callable

from typer._click.shell_completion import CompletionItem, ShellComplete, split_arg_string
from typer.core import TyperGroup

# The shell puts what is left of the cursor in COMP_LINE; we answer with one candidate a line, `value<Tab>help`.
_BASH = r"""
_bmn_completion() {
    local IFS=$'\n' line="${COMP_LINE:0:COMP_POINT}"
    local word="${line##* }"
    COMPREPLY=($(_BMN_COMPLETE=bash COMP_LINE="$line" "$1" 2>/dev/null))
    # Bash takes `last:fa` for three words and puts the answer in place of the last one.
    if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*:}"}"}")
    fi
}
complete -o default -o nosort -F _bmn_completion bmn
"""
_ZSH = r"""
#compdef bmn
_bmn_completion() {
    local -a found
    found=("${(@f)$(_BMN_COMPLETE=zsh COMP_LINE="${words[1,CURRENT]}" bmn 2>/dev/null)}")
    if [[ -n $found ]]; then _describe -V bmn found; else _files; fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _bmn_completion "$@"; else compdef _bmn_completion bmn; fi
"""
_FISH = r"""
function _bmn_completion
    set -l found (env _BMN_COMPLETE=fish COMP_LINE=(commandline -cp) bmn 2>/dev/null)
    if count $found >/dev/null
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete --no-files --command bmn --arguments "(_bmn_completion)"
"""
SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def _for_zsh(item: CompletionItem) -> str:
    value = str(item.value).replace("\\", "\\\\").replace(":", r"\:")
    return f"{value}:{item.help}" if item.help else value


_FORMATS: dict[str, Callable[[CompletionItem], str]] = {
    "bash": lambda item: str(item.value),
    "zsh": _for_zsh,
    "fish": lambda item: f"{item.value}\t{item.help}" if item.help else str(item.value),
}


class _ShellLine(ShellComplete):
    """Typer's search for candidates, with the line from `COMP_LINE`."""

    def source_vars(self) -> dict[str, object]:
        return {}

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ.get("COMP_LINE", "")
        words = split_arg_string(line)[1:]
        begun = bool(words) and not line[-1].isspace()
        return (words[:-1], words[-1]) if begun else (words, "")

    def format_completion(self, item: CompletionItem) -> str:
        return _FORMATS[self.name](item).replace("\n", " ")


def complete(root: TyperGroup, shell: str) -> int:
    """Prints the candidates for the line in `COMP_LINE`, as the shell's script reads them."""
    if shell not in SCRIPTS:
        return 1

    class OneShell(_ShellLine):
        name = shell

    print(OneShell(root, {}, "bmn", "_BMN_COMPLETE").complete())  # noqa: T201 - for the shell, not for a person
    return 0
