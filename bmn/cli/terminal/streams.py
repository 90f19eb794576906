"""The streams and words that a process is given, whatever they are: closed, on a full disk, in another encoding."""

import errno
import io
import os
import sys
from collections.abc import Iterable
from typing import TextIO

from bmn.errors import UsageProblem

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def prepare() -> None:
    """Makes all three usable. What one of them cannot spell stands there by its number; nothing ends a command for that.

    One that was closed leads nowhere from here on: a file that is opened later must not get its number.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free: this one
        stream = getattr(sys, name)
        if stream is None:
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - it lasts as long as we do
            setattr(sys, name, stream)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace" if mode == "r" else "backslashreplace")


def discard(stream: TextIO) -> None:
    """Points a stream at nothing, so that what is still kept for it, and the interpreter's last flush, are silent."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def words(given: Iterable[str]) -> list[str]:
    """The words of a command line as text: UTF-8 whatever the locale says, else as the locale reads them.

    Raises UsageProblem for one that neither can read: it would become another name than the one that was meant.
    """
    return [_word(each) for each in given]


def _word(given: str) -> str:
    try:
        return os.fsencode(given).decode()
    except UnicodeEncodeError:
        return given
    except UnicodeDecodeError:
        pass
    if any("\ud800" <= character <= "\udfff" for character in given):
        shown = ascii(os.fsencode(given))[1:]
        raise UsageProblem(
            f"{shown} on the command line is not text in UTF-8.",
            hint="Set the terminal to UTF-8, or convert the file that it came from.",
        )
    return given
