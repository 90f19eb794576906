"""The messages of a conversation: kept and sent as the model's vendor has them, and read as what they are."""

from typing import Any

from pydantic import BaseModel

from bmn.providers.agent import ToolCall

_LONGEST_HISTORY = 60  # messages of earlier steps
_PAGE_REMOVED = "(The text of a page stood here.)"


class Block(BaseModel):
    """A part of a message: words, a tool that the model wants to use, or what a tool has answered."""

    type: str
    id: str = ""
    name: str = ""
    input: Any = None
    content: Any = None

    @property
    def is_page(self) -> bool:
        """Whether it holds the words of a stranger's page."""
        return self.type == "tool_result" and str(self.content).startswith("<page")


class ChatMessage(BaseModel):
    """role: `user` or `assistant`. content: mere words, or parts."""

    role: str
    content: str | list[Block]

    @property
    def is_answer(self) -> bool:
        """Whether the model wrote it."""
        return self.role == "assistant"

    @property
    def begins(self) -> bool:
        """Whether a user's turn begins with it: what tools answer goes to the model as the user's as well."""
        return self.role == "user" and isinstance(self.content, str)

    @property
    def blocks(self) -> list[Block]:
        """Its parts; none of mere words."""
        return [] if isinstance(self.content, str) else self.content

    @property
    def calls(self) -> list[ToolCall]:
        """The tools that the model wants to use."""
        asked = self.blocks if self.is_answer else []
        return [ToolCall(block.id, block.name, block.input) for block in asked if block.type == "tool_use"]


Stored = dict[str, object]
"""A message as the session keeps it."""


def read(message: Stored) -> ChatMessage:
    """What a stored message is."""
    return ChatMessage.model_validate(message)


def history(messages: list[Stored]) -> list[Stored]:
    """What a new step keeps of earlier ones: whole turns only, and no words of strangers' pages."""
    kept = list(messages)
    while kept and not ((last := read(kept[-1])).is_answer and not last.calls):
        kept.pop()
    beginnings = [place for place, message in enumerate(kept) if read(message).begins]
    start = next((place for place in beginnings if len(kept) - place <= _LONGEST_HISTORY), len(kept))
    return [_without_pages(message) for message in kept[start:]]


def _without_pages(message: Stored) -> Stored:
    content = message.get("content")
    if not isinstance(content, list):
        return message
    blocks = [
        {**stored, "content": _PAGE_REMOVED} if block.is_page else stored
        for stored, block in zip(content, read(message).blocks, strict=True)
    ]
    return {**message, "content": blocks}
