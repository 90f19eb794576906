"""Every error of the API."""

from pydantic import ConfigDict

from bmn.schemas.documents.document import Document


class Issue(Document):
    """What is wrong with one field of a request. loc: the way to it, from `body` or `query`."""

    loc: list[str | int]
    msg: str
    type: str


class Misfit(Document):
    """A field of a stored payload that does not fit today's schema."""

    field: str
    problem: str
    value: str


class Problem(Document):
    """What happened, a code for programs, and what to do.

    Only the fields that were given are on the wire. required, available: credits. state: of the job that the request
    does not fit. replay: the job that brought it back.
    """

    model_config = ConfigDict(extra="allow")

    error: str
    code: str
    hint: str | None = None
    details: list[Issue | Misfit] | None = None
    request_id: str | None = None
    cause: str | None = None
    required: int | None = None
    available: int | None = None
    state: str | None = None
    replay: str | None = None
