"""The provider calls of a real job as faults of the sandbox, so that the job fails again as it did."""

from collections import Counter
from collections.abc import Iterable, Mapping

from bmn.errors import Cause
from bmn.schemas.documents import ProviderCallRecord

Rule = dict[str, "str | int | bool"]
"""A fault, as the sandbox's control route takes it."""

# What the sandbox calls those operations that our clients call otherwise.
_OPS = {
    ("bfl", "wait"): "poll",
    ("anthropic", "turn"): "messages",
    ("google", "compose"): "generate",
    ("google", "submit"): "video",
}
_BY_STATUS = {
    Cause.PROVIDER_AUTH: 401,
    Cause.PROVIDER_CREDIT: 402,
    Cause.PROVIDER_RATE_LIMITED: 429,
    Cause.PROVIDER_OVERLOADED: 503,
    Cause.BAD_INPUT: 400,
}
_EFFECTS: Mapping[str, Rule] = {
    Cause.PROVIDER_GARBAGE: {"garbage": "html"},
    Cause.DOWNLOAD_FAILED: {"expire": True},
    Cause.PROVIDER_TIMEOUT: {"hang": True},
}
_REFUSED_FROM = 400


def faults_of(calls: Iterable[ProviderCallRecord]) -> list[Rule]:
    """One fault for each run of calls that failed alike, after as many that went well; in the order of the calls."""
    passed: Counter[tuple[str, str]] = Counter()
    rules: list[Rule] = []
    for call in calls:
        op = _OPS.get((call.provider, call.operation), call.operation)
        place = (call.provider, op)
        if call.outcome == "ok":
            passed[place] += 1
            continue
        effect = _effect(call)
        if effect is None:
            continue
        rule: Rule = {"provider": call.provider, **({} if "moderate" in effect else {"op": op}), **effect}
        if passed[place]:
            rule["skip"] = passed[place]
        if rules and {**rules[-1], "times": 0, "moderate": 0} == {**rule, "times": 0, "moderate": 0}:
            rules[-1] = _once_more(rules[-1])
        else:
            rules.append(rule if "moderate" in rule else {**rule, "times": 1})
    return rules


def _once_more(rule: Rule) -> Rule:
    count = "moderate" if "moderate" in rule else "times"
    return {**rule, count: int(rule[count]) + 1}


def _effect(call: ProviderCallRecord) -> Rule | None:
    """What the sandbox has to do for the same outcome; None for one that is not the provider's."""
    if call.outcome == Cause.MODERATED:
        return {"moderate": 1, "stage": "request" if call.operation == "submit" else "content"}
    if call.status is not None and call.status >= _REFUSED_FROM:
        return {"status": call.status}
    if call.outcome in _EFFECTS:
        return dict(_EFFECTS[call.outcome])
    known = {cause.value: status for cause, status in _BY_STATUS.items()}
    return {"status": known[call.outcome]} if call.outcome in known else None
