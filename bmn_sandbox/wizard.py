"""The part that the sandboxed model plays: a brand wizard's agent that reads, looks, suggests, saves and sums up.

Everything follows from the conversation, so the same conversation always gets the same answer. Words in double square
brackets direct it: `[[tool:NAME {json}]]` calls exactly that tool, once; `[[loop]]` never stops; `[[refuse]]` declines.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bmn_sandbox.schema_values import arguments, plain_name

Block = dict[str, Any]

# Tools are called in this order, those of a phase in one turn. A tool belongs to the first phase that has a word of its
# name.
_PHASES: tuple[tuple[str, ...], ...] = (
    ("read", "get", "list", "load", "look", "fetch", "search", "analyze", "analyse", "inspect", "check", "find"),
    ("suggest", "propose", "estimate", "calculate", "compare", "rank", "plan", "write", "draft"),
    ("save", "update", "set", "select", "store", "record", "start", "create", "generate", "refine", "submit"),
)
_STEPS: dict[str, tuple[str, str]] = {
    "social-analysis": ("Let me look at where {brand} shows up", "Your audience responds to warm, plain-spoken posts"),
    "brand-identity": ("Let me see what {brand} stands for", "A clear voice and two strong colours carry this brand"),
    "customization": (
        "Let me go through your choices for {brand}",
        "Your changes are in and everything still fits together",
    ),
    "logo-generation": (
        "Let me prepare the logo brief for {brand}",
        "The brief asks for a simple mark that works in one colour",
    ),
    "logo-refinement": (
        "Let me see what to change in the logo of {brand}",
        "The next round keeps the shape and calms the details",
    ),
    "product-selection": (
        "Let me find products that suit {brand}",
        "A mug, a T-shirt and a tote bag make a good first range",
    ),
    "mockup-review": ("Let me go over the mockups of {brand}", "The logo reads well on all of them"),
    "bundle-builder": (
        "Let me put a bundle together for {brand}",
        "The bundle tells one story and saves the buyer money",
    ),
    "profit-calculator": ("Let me work out the numbers for {brand}", "The margins hold even at a careful price"),
}
_OTHER_STEP = ("Let me see what we have for {brand}", "This part of {brand} is ready")
_PALETTES = (
    ["#1d3557", "#e63946", "#f1faee"],
    ["#264653", "#2a9d8f", "#e9c46a"],
    ["#3d405b", "#e07a5f", "#f4f1de"],
    ["#22223b", "#9a8c98", "#f2e9e4"],
    ["#0b3954", "#ff6663", "#bfd7ea"],
    ["#283618", "#dda15e", "#fefae0"],
)
_WISHES = {
    "green": ("#2d6a4f", "#95d5b2", "#f1faee"),
    "blue": ("#1d3557", "#457b9d", "#f1faee"),
    "red": ("#9d0208", "#f48c06", "#fff3e0"),
    "purple": ("#5a189a", "#c77dff", "#f8f0ff"),
}
_ARCHETYPES = ("The Explorer", "The Creator", "The Sage", "The Caregiver", "The Jester", "The Hero")
_SYLLABLES = ("lumo", "vera", "nori", "fable", "wild", "kind", "terra", "brisk")
_FACT_CHARS, _PER_TURN = 60, 3


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model answers: blocks of text and tool_use, and why it stopped."""

    blocks: list[Block]
    stop_reason: str


@dataclass(slots=True)
class Talk:
    """What matters of a request: its words, the tools on offer, and what was called since the person last spoke."""

    words: str
    request: str
    tools: dict[str, dict[str, Any]]
    called: list[Block] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    turn: int = 0

    @classmethod
    def of(cls, body: dict[str, Any]) -> "Talk":
        messages = body["messages"]
        spoken = [i for i, message in enumerate(messages) if message["role"] == "user" and _said(message)]
        last = spoken[-1] if spoken else 0
        since = messages[last + 1 :]
        blocks = [block for message in since for block in _blocks(message)]
        return cls(
            words="\n".join([_system(body), *(_said(message) for message in messages)]),
            request=_said(messages[last]),
            tools={tool["name"]: tool.get("input_schema", {}) for tool in body.get("tools") or []},
            called=[block for block in blocks if block.get("type") == "tool_use"],
            results=[_result_text(block) for block in blocks if block.get("type") == "tool_result"],
            turn=sum(1 for message in since if message["role"] == "assistant"),
        )


def reply(body: dict[str, Any]) -> Reply:
    """The model's next turn in a conversation that the Messages API has accepted."""
    talk = Talk.of(body)
    choice = body.get("tool_choice") or {"type": "auto"}
    told = "\n".join([talk.words, *talk.results])
    if "[[refuse]]" in talk.request or "[[moderate]]" in talk.request:
        return Reply([], "refusal")
    if choice["type"] == "none" or not talk.tools:
        calls: list[tuple[str, dict[str, Any]]] = []
    elif choice["type"] == "tool":
        calls = [(choice["name"], _input(talk, choice["name"]))] if not talk.called else []
    else:
        calls = _directed(talk, told) or _next_phase(talk)
        if "[[loop]]" in told:
            name = sorted(talk.tools)[0]
            calls = calls or [(name, _input(talk, name))]
    if choice.get("disable_parallel_tool_use"):
        calls = calls[:1]
    text = _opening(talk, calls) if calls else _summary(talk)
    blocks: list[Block] = [{"type": "text", "text": text}]
    for place, (name, given) in enumerate(calls):
        blocks.append({"type": "tool_use", "id": _call_id(talk, name, place), "name": name, "input": given})
    return Reply(blocks, "tool_use" if calls else "end_turn")


def _directed(talk: Talk, told: str) -> list[tuple[str, dict[str, Any]]]:
    """The first scripted call that has not been made yet, whoever wrote it, whether the tool is on offer or not."""
    done = [(block["name"], block["input"]) for block in talk.called]
    for found in re.finditer(r"\[\[tool:([A-Za-z0-9_-]+)\s*", told):
        try:
            given, _end = json.JSONDecoder().raw_decode(told, found.end())
        except ValueError:
            given = {}
        call = (found[1], given if isinstance(given, dict) else {})
        if call not in done:
            return [call]
    return []


def _next_phase(talk: Talk) -> list[tuple[str, dict[str, Any]]]:
    """The uncalled tools of the earliest phase that has any, unless a later phase has begun."""
    called = {block["name"] for block in talk.called}
    begun = max((_phase(name) for name in called if name in talk.tools), default=-1)
    waiting = [name for name in talk.tools if name not in called and _phase(name) > begun]
    if not waiting:
        return []
    phase = min(_phase(name) for name in waiting)
    return [(name, _input(talk, name)) for name in waiting if _phase(name) == phase][:_PER_TURN]


def _phase(tool: str) -> int:
    words = re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", tool).lower())
    return next((number for number, verbs in enumerate(_PHASES) if any(word in verbs for word in words)), 1)


def _input(talk: Talk, tool: str) -> dict[str, Any]:
    return arguments(talk.tools.get(tool, {}), _known(talk))


def _known(talk: Talk) -> dict[str, Any]:
    """Values by property name: a believable brand's, then what the conversation and the tools have told."""
    brand = _brand(talk)
    pick = hashlib.sha256(brand.encode()).digest()[0]
    palette = re.findall(r"#[0-9a-fA-F]{6}\b", talk.words)[:5] or _PALETTES[pick % len(_PALETTES)]
    url = re.search(r"https?://[^\s\"'<>)\]]+", talk.words)
    vision = f"{brand} makes everyday things that people are glad to own."
    known: dict[str, Any] = {
        "name": brand, "brandname": brand, "brand": brand, "title": brand,
        "names": [f"{brand} Studio", f"{_SYLLABLES[pick % 8].title()}{_SYLLABLES[pick % 7].title()}", f"Hello {brand}"],
        "colors": palette, "colours": palette, "colorpalette": palette, "palette": palette,
        "vision": vision, "brandvision": vision, "description": vision, "mission": vision, "summary": vision,
        "tagline": f"{brand}, made to be kept.", "tone": "warm and plain", "voice": "warm and plain",
        "archetype": _ARCHETYPES[pick % len(_ARCHETYPES)], "audience": "makers and small teams, 25 to 40",
        "values": ["honest", "lasting", "friendly"], "keywords": ["simple", "warm", "confident"],
        "style": ("minimal", "modern", "bold")[pick % 3], "logostyle": ("minimal", "modern", "bold")[pick % 3],
        "notes": "A simple mark that works in one colour.", "step": _step(talk), "count": 4,
        "price": 24.0, "cost": 9.5, "unitprice": 24.0, "unitcost": 9.5, "quantity": 100, "units": 100,
        "kind": "logos", "type": "logos", "product": "Coffee mug", "products": ["Coffee mug", "T-shirt", "Tote bag"],
    }  # fmt: skip
    if url:
        known["url"] = known["pageurl"] = known["link"] = known["website"] = url[0].rstrip(".,;")
    for text in (talk.request, *talk.results):
        for name, value in _facts(text):
            known[plain_name(name)] = value
    # A brand that has a look keeps it, but for what the person wishes.
    known["style"] = known["logostyle"]
    known["colorpalette"] = _wished(talk.request) or known["colorpalette"]
    known["colors"] = known["colours"] = known["palette"] = known["colorpalette"]
    return known


def _wished(request: str) -> list[str]:
    """The palette that a person asks for, in codes or in a word; nothing where they say nothing of colors."""
    if codes := re.findall(r"#[0-9a-fA-F]{6}\b", request)[:5]:
        return codes
    word = re.search(rf"\b(?:{'|'.join(_WISHES)})\b", request.lower())
    return list(_WISHES[word[0]]) if word else []


def _brand(talk: Talk) -> str:
    patterns = (
        r'"(?:brand_?[nN]ame|brand)"\s*:\s*"([^"\n]{1,80})"',
        r"\b[Bb]rand(?: name)?\s*(?:is|:|=)\s*[\"“']?([^\"”'\n.,;]{1,60})",
        r"\bbrand (?:called |named )?[\"“']([^\"”'\n]{1,60})[\"”']",
        r'"name"\s*:\s*"([^"\n]{1,80})"',
    )
    told = "\n".join([talk.request, talk.words, *talk.results])
    found = next((match for pattern in patterns if (match := re.search(pattern, told))), None)
    return found[1].strip() if found else "your brand"


def _step(talk: Talk) -> str:
    found = re.search("|".join(_STEPS), f"{talk.request}\n{talk.words}")
    return found[0] if found else "brand-identity"


def _opening(talk: Talk, calls: list[tuple[str, dict[str, Any]]]) -> str:
    named = " and ".join(name.replace("_", " ") for name, _ in calls)
    if talk.turn == 0:
        first, _ = _STEPS.get(_step(talk), _OTHER_STEP)
        return f"{first.format(brand=_brand(talk))}. I will start with: {named}."
    found = _found(talk)
    return f"{f'So far I have {found}. ' if found else ''}Next for {_brand(talk)}: {named}."


def _summary(talk: Talk) -> str:
    step, brand = _step(talk), _brand(talk)
    _, closing = _STEPS.get(step, _OTHER_STEP)
    known = _known(talk)
    lines = [
        f"**{brand}: {step.replace('-', ' ')} is done.** {closing.format(brand=brand)}.",
        f"- Colours: {', '.join(known['palette'] if isinstance(known['palette'], list) else [])}",
        f"- Character: {known['archetype']}, {known['tone']}",
    ]
    if found := _found(talk):
        lines.append(f"- Found: {found}")
    return "\n".join([*lines, "You can go on to the next step, or tell me what to change."])


def _found(talk: Talk) -> str:
    """Two short facts of the latest results; that something was noted is none."""
    facts = [
        f"{re.sub(r'(?<=[a-z])(?=[A-Z])|_', ' ', name).lower()} {str(value)[:_FACT_CHARS]}"
        for text in reversed(talk.results)
        for name, value in _facts(text)
        if isinstance(value, str | int | float)
        and not isinstance(value, bool)
        and not name.endswith(("id", "Id", "name", "noted"))
    ]
    return ", ".join(list(dict.fromkeys(facts))[:2])


def _facts(text: str) -> Iterator[tuple[str, Any]]:
    """The members of the JSON objects in a text, outer before inner."""
    for found in re.finditer(r"\{", text):
        try:
            value, _end = json.JSONDecoder().raw_decode(text, found.start())
        except ValueError:
            continue
        yield from ((str(name), member) for name, member in value.items() if member is not None)
        return


def _call_id(talk: Talk, name: str, place: int) -> str:
    seed = f"{talk.words}\n{talk.turn}\n{name}\n{place}"
    return f"toolu_{hashlib.sha256(seed.encode()).hexdigest()[:24]}"


def _system(body: dict[str, Any]) -> str:
    system = body.get("system") or ""
    return system if isinstance(system, str) else "\n".join(str(block.get("text", "")) for block in system)


def _blocks(message: dict[str, Any]) -> list[Block]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _said(message: dict[str, Any]) -> str:
    """What a person wrote in a message; nothing in one of the model, or in one that answers its tools."""
    if message["role"] != "user" or any(block.get("type") == "tool_result" for block in _blocks(message)):
        return ""
    return "\n".join(str(block["text"]) for block in _blocks(message) if block.get("type") == "text")


def _result_text(block: Block) -> str:
    content = block.get("content", "")
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
