"""What is handed to others: links to what was made, and tokens for browsers."""

from bmn.schemas.documents.document import Document, Time


class ShareLink(Document):
    """A link that shows a job to whoever holds it, until it expires or is withdrawn. id: to withdraw it by."""

    id: str
    url: str
    token: str
    expires_at: Time


class Share(Document):
    """A link that was handed out: of a job, or of `pictures` that were chosen."""

    id: str
    url: str
    job_id: str | None
    brand_id: str | None
    brand_name: str | None
    pictures: int
    created_at: Time
    expires_at: Time
    revoked_at: Time | None


class Shares(Document):
    """One page of an account's, newest first."""

    shares: list[Share]
    next_cursor: str | None


class BrowserToken(Document):
    """A token that reads and follows one job, brand or group, until it expires."""

    token: str
    job_id: str | None
    brand_id: str | None
    group_id: str | None = None
    expires_at: Time
