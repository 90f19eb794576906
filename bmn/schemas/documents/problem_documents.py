"""Every error of the API."""

from pydantic import ConfigDict

from bmn.schemas.documents.document import Document


class Issue(Document):
    """What is wrong with one field of a request. loc: the way to it, from `body` or `query`."""

    loc: list[str | int]
    msg: str
    type: str


class FieldErrors(Document):
    """What is wrong, by the field of the body that it is in; form_errors are of the whole."""

    form_errors: list[str]
    field_errors: dict[str, list[str]]


class Misfit(Document):
    """A field of a stored payload that does not fit today's schema."""

    field: str
    problem: str
    value: str


class Problem(Document):
    """What happened, a code for programs, and what to do.

    Only the fields that were given are on the wire. details: what is wrong with a request, as a form shows it; issues: the
    same one by one. misfits: of a stored payload. required, available: credits. state: of the job that the request
    does not fit. replay: the job that brought it back.
    """

    model_config = ConfigDict(extra="allow")

    error: str
    code: str
    hint: str | None = None
    details: FieldErrors | None = None
    issues: list[Issue] | None = None
    misfits: list[Misfit] | None = None
    request_id: str | None = None
    cause: str | None = None
    required: int | None = None
    available: int | None = None
    state: str | None = None
    replay: str | None = None
