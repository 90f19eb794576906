"""Faults set at run time: which calls they hit, and what they do to them.

The rules are data. `transport.py` carries out those that any vendor can have (a status, latency, a dropped or
garbled answer); a vendor's handler asks `Sandbox.take` for those that only it can speak (moderation, an odd status).
"""

import time
from collections.abc import Iterable
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

GarbageKind = Literal["html", "empty", "truncated", "contenttype", "drip", "huge", "gzipbomb"]
ImageKind = Literal["notimage", "svg", "huge", "animated", "cmyk", "exif", "polyglot"]

EFFECTS = (
    "status",
    "latency",
    "drop_response",
    "garbage",
    "hang",
    "moderate",
    "pending",
    "unknown_status",
    "expire",
    "image",
    "body",
    "retry_after",
)


class FaultRule(BaseModel):
    """One fault. Calls are chosen by provider, op, path and match; `skip`, `after` and `times` say when it is over.

    op: the name of the vendor's call, such as submit, poll, download. match: text in the body, the prompt, or the
    address. skip: this many matching calls pass first. after: seconds before the rule begins.
    times: calls it hits; without it, all until cleared.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    provider: str
    op: str | None = None
    path: str | None = None
    match: str | None = None
    skip: int = Field(0, ge=0)
    after: float = Field(0, ge=0)
    times: int | None = Field(None, ge=1)

    status: int | None = Field(None, ge=400, le=599)
    retry_after: int | str | None = None
    body: Any = None
    latency: float | None = Field(None, gt=0, le=3600, description="seconds")
    drop_response: bool = False
    garbage: GarbageKind | None = None
    hang: bool = Field(False, description="the call is never answered")
    pending: bool = Field(False, description="polls never end")
    moderate: int | None = Field(None, ge=1, description="the next N generations are refused")
    stage: Literal["request", "content"] = Field("request", description="what moderation objects to")
    unknown_status: str | None = Field(None, description="a poll's status word")
    expire: bool = Field(False, description="the result's address is gone")
    image: ImageKind | None = None

    @model_validator(mode="before")
    @classmethod
    def _true_means_the_default_kind(cls, data: Any) -> Any:
        defaults = {"garbage": "html", "image": "notimage", "unknownStatus": "Reticulating", "moderate": 1}
        if isinstance(data, dict):
            data = {k: defaults[k] if v is True and k in defaults else v for k, v in data.items()}
        return data

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not any(self.effect(name) for name in EFFECTS):
            raise ValueError("the fault does nothing: say what goes wrong, such as a status of 503 or a latency of 8s")
        if self.status is None and (self.retry_after is not None or self.body is not None):
            raise ValueError("retryAfter and body belong to a status: set status too")
        if self.moderate is not None:
            self.times = self.moderate
        return self

    def effect(self, name: str) -> bool:
        return getattr(self, name) not in (None, False)


class _Live:
    """A rule with its counters."""

    def __init__(self, number: int, rule: FaultRule) -> None:
        self.number = number
        self.rule = rule
        self.begins = time.monotonic() + rule.after
        self.skipped = 0
        self.hits = 0

    @property
    def spent(self) -> bool:
        return self.rule.times is not None and self.hits >= self.rule.times

    def chooses(self, call: "Call") -> bool:
        rule = self.rule
        return (
            not self.spent
            and time.monotonic() >= self.begins
            and rule.provider in (call.provider, "*")
            and (rule.op is None or rule.op == call.op)
            and (rule.path is None or rule.path in call.path)
            and (rule.match is None or rule.match in call.text)
            # Losing the answer to a poll costs nothing, so a lost answer means a lost order unless op says otherwise.
            and not (rule.drop_response and rule.op is None and call.method in ("GET", "HEAD"))
        )

    def use(self) -> bool:
        """Counts a matching call; whether the rule hits it."""
        if self.skipped < self.rule.skip:
            self.skipped += 1
            return False
        self.hits += 1
        return True

    def document(self) -> dict[str, Any]:
        """The rule with its number and counters, as every answer has it."""
        rule = self.rule.model_dump(by_alias=True, exclude_defaults=True)
        return {"id": self.number, "hits": self.hits, "spent": self.spent, **rule}


class Call:
    """What a rule may look at: method, path, op, and every text of the request.

    counted: the rules that have counted this call, and whether they hit it: a rule with two effects counts it once.
    """

    __slots__ = ("counted", "method", "op", "path", "provider", "text")

    def __init__(self, provider: str, op: str, method: str, path: str, text: str) -> None:
        self.provider, self.op, self.method, self.path, self.text = provider, op, method, path, text
        self.counted: dict[int, bool] = {}

    def with_text(self, more: str) -> "Call":
        """The same call, with more words to be found in."""
        call = Call(self.provider, self.op, self.method, self.path, f"{self.text}\n{more}")
        call.counted = self.counted
        return call


class Faults:
    def __init__(self) -> None:
        self._live: list[_Live] = []
        self._numbers = 0

    def add(self, rule: FaultRule) -> dict[str, Any]:
        """Sets a fault and returns it, as the listing has it."""
        self._numbers += 1
        self._live = [live for live in self._live if not live.spent]
        self._live.append(_Live(self._numbers, rule))
        return self._live[-1].document()

    def clear(self, provider: str | None = None) -> int:
        """Ends all faults, or one provider's; returns how many there were."""
        kept = [live for live in self._live if provider not in (None, live.rule.provider)]
        gone, self._live = len(self._live) - len(kept), kept
        return gone

    def take(self, call: Call, effects: Iterable[str]) -> FaultRule | None:
        """The oldest rule with one of these effects that hits this call; it is counted as used."""
        for live in self._live:
            if not any(live.rule.effect(name) for name in effects):
                continue
            if live.number not in call.counted and live.chooses(call):
                call.counted[live.number] = live.use()
            if call.counted.get(live.number):
                return live.rule
        return None

    def listing(self) -> list[dict[str, Any]]:
        return [live.document() for live in self._live]
