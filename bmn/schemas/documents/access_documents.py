"""Who may do what, and who did what: API keys and the audit log."""

from typing import Annotated, Any

from bmn.schemas.documents.document import PERSONAL, Document, Time


class AuditRecord(Document):
    """Something that was done. actor: a user's id, or `system`. action: such as `queue.pause`. subject: what it was done to.

    before, after: what it changed. key_id: the API key it was done with. address: where the request came from.
    on_behalf_of: the user for whom a service did it.
    """

    id: int
    at: Time
    actor: str
    action: str
    subject: str
    reason: str | None
    key_id: str | None
    key_name: str | None
    address: str | None
    on_behalf_of: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class OwnAct(AuditRecord):
    """What a user did to what is theirs, or a service on their behalf: why is in the user's words."""

    reason: Annotated[str | None, PERSONAL]


class AuditPage(Document):
    """One page of the audit log, newest first."""

    entries: list[AuditRecord]
    next_cursor: str | None


class KeyRecord(Document):
    """An API key, without what signs in. id: stands in the key, behind `bmn_live_`. user_id: whom it acts as."""

    id: str
    name: str
    role: str
    user_id: str
    created_by: str
    created_at: Time
    expires_at: Time | None
    last_used_at: Time | None
    revoked_at: Time | None
    revoked_by: str | None


class Keys(Document):
    """API keys, the newest first."""

    keys: list[KeyRecord]


class MadeKey(KeyRecord):
    """An API key that was just made. key: its text, which is kept nowhere and shown this once."""

    key: str


class Me(Document):
    """Who is calling. key_id: of the API key they call with. expires_at: null for a key that does not end by itself."""

    user_id: str
    role: str
    key_id: str | None
    expires_at: Time | None
