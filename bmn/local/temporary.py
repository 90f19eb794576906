"""A stack for one command: started in BMN_HOME on free ports, stopped when the command is through."""

import asyncio
import contextlib
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import IO

from pydantic import BaseModel, Field

from bmn.errors import Conflict, Misconfigured, NotAllowed, TryLater, UsageProblem
from bmn.settings import Settings

_START_SECONDS = 60.0
_GRACE_SECONDS = 10.0
_STOP_SECONDS = 30.0
_UPLOADS = "image-upload"

# What a person can mend is reported as the stack reports it, with the same exit code.
_KINDS = {kind.code: kind for kind in (Conflict, Misconfigured, NotAllowed, UsageProblem)}


class _Error(BaseModel):
    """Why a stack does not start, as every command says it."""

    code: str = ""
    message: str = ""
    hint: str | None = None


class _Printed(BaseModel):
    """What a stack prints when it is ready, or is not to be."""

    api_url: str = Field("", alias="apiUrl")
    error: _Error | None = None


@asynccontextmanager
async def private_stack(settings: Settings, queues: Sequence[str] = ()) -> AsyncIterator[str]:
    """Runs `bmn serve` for the block, with these queues (none: all) and the one that makes thumbnails; gives its address.

    Left by an exception (Ctrl-C too), it puts running jobs back in line at once; they go on at the next `bmn serve`.
    Raises what the stack itself raises where it refuses to start, TryLater where it does not come up.
    """
    names = ",".join(dict.fromkeys([*queues, _UPLOADS])) if queues else ""
    arguments = ["--ephemeral", "--json", "--grace", str(_GRACE_SECONDS), *(["--queues", names] if names else [])]
    with tempfile.TemporaryFile() as log:
        process = await _spawn(settings, arguments, log)
        try:
            yield await _address(process, log)
        except BaseException:
            _send(process, signal.SIGTERM)
            _send(process, signal.SIGTERM)  # hurries
            raise
        finally:
            await _stop(process)


async def _spawn(settings: Settings, arguments: list[str], log: IO[bytes]) -> asyncio.subprocess.Process:
    import os

    from bmn.lifeline import lifeline

    return await asyncio.create_subprocess_exec(
        *lifeline([sys.executable, "-P", "-m", "bmn", "serve", *arguments]),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=log,
        env={**os.environ, "BMN_HOME": str(settings.bmn_home)},
        start_new_session=True,  # Ctrl-C is the command's; this stack is told by the command
    )


async def _address(process: asyncio.subprocess.Process, log: IO[bytes]) -> str:
    """The address out of the one line that it prints when it is ready."""
    assert process.stdout
    try:
        async with asyncio.timeout(_START_SECONDS):
            said = await process.stdout.readline()
            if not said.endswith(b"}\n"):  # an error's document has several lines
                said += await process.stdout.read()
    except TimeoutError:
        raise _failure("did not come up in time", log) from None
    with contextlib.suppress(ValueError):
        answer = _Printed.model_validate_json(said)
        if answer.error and (kind := _KINDS.get(answer.error.code)):
            raise kind(answer.error.message, hint=answer.error.hint)
        if answer.api_url:
            return answer.api_url
    raise _failure("did not start", log)


def _failure(what: str, log: IO[bytes]) -> TryLater:
    log.seek(0)
    tail = log.read()[-2000:].decode(errors="replace").strip()
    return TryLater(f"The private stack {what}.\n{tail}", hint="`bmn doctor` looks for the reason.")


def _send(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)


async def _stop(process: asyncio.subprocess.Process) -> None:
    _send(process, signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        _send(process, signal.SIGKILL)
        await process.wait()
