"""Workers as people read them: those of one process together, whose memory is told once."""

from collections.abc import Sequence
from dataclasses import dataclass

from bmn.format import count
from bmn.schemas.documents import WorkerStatus


@dataclass(frozen=True, slots=True)
class Seat:
    """A worker in its process. first: it stands above the others of the process, and its memory is the process's."""

    worker: WorkerStatus
    first: bool

    @property
    def memory(self) -> str:
        """Of the process; empty for the others in it."""
        return f"{self.worker.memory_bytes / 1e6:.0f} MB" if self.first and self.worker.memory_bytes else ""


def seats(workers: Sequence[WorkerStatus]) -> list[Seat]:
    """In the server's order, in which those of one process stand together."""
    before = [None, *map(_process, workers)]
    return [Seat(worker, last != _process(worker)) for worker, last in zip(workers, before, strict=False)]


def in_words(workers: Sequence[WorkerStatus]) -> str:
    """How many work, in how many processes, and what those take: `9 workers in 1 process, 354 MB; 1 lost`."""
    alive = [worker for worker in workers if worker.state != "lost"]
    found = [seat.worker for seat in seats(alive) if seat.first]
    memory = sum(worker.memory_bytes or 0 for worker in found)
    of_memory = f", {memory / 1e6:.0f} MB" if memory else ""
    lost = f"; {len(workers) - len(alive)} lost" if len(alive) < len(workers) else ""
    processes = f"{len(found)} {'process' if len(found) == 1 else 'processes'}"
    return f"{count(len(alive), 'worker')} in {processes}{of_memory}{lost}"


def _process(worker: WorkerStatus) -> tuple[str | None, int | None]:
    return worker.host, worker.pid
