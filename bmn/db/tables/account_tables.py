"""Credits, repeated requests, what was done by whom, API keys and shared links."""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text, UniqueConstraint, func

from bmn.db.tables.base import Json, created, db_now, identifier, metadata, moment

generation_credits = Table(
    "generation_credits",
    metadata,
    identifier("user_id", primary_key=True),
    Column("email", String(254)),
    Column("credits_remaining", Integer, nullable=False),
    Column("credits_used", Integer, nullable=False, default=0),
    Column("credits_reserved", Integer, nullable=False, default=0),
    created(),
    moment("job_mails_off_at"),  # since when they want none about jobs that ended unwatched
)

Index("accounts_by_mail", func.lower(generation_credits.c.email))

credit_ledger = Table(
    "credit_ledger",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    identifier("user_id", nullable=False),
    identifier("job_id", nullable=False, default=""),
    Column("unit", String(64), nullable=False, default=""),
    Column("kind", String(16), nullable=False),  # reserve, settle, refund, grant, start
    Column("amount", Integer, nullable=False),
    Column("actor", String(128)),
    Column("reason", Text),
    created(),
    UniqueConstraint("user_id", "job_id", "unit", "kind", name="credit_ledger_once"),
    Index("credit_ledger_of_user", "user_id", "created_at"),
    Index("credit_ledger_age", "created_at"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    identifier("user_id", nullable=False),
    Column("key", String(256), nullable=False),
    Column("request_hash", String(64), nullable=False),
    Column("response", Json, nullable=False),
    created(),
    PrimaryKeyConstraint("user_id", "key"),
    Index("idempotency_keys_age", "created_at"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("actor", String(128), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(256), nullable=False),
    Column("reason", Text),
    Column("before", Json),
    Column("after", Json),
    moment("at", nullable=False, default=db_now()),
    Column("key_id", String(32)),  # the API key it was done with
    Column("address", String(64)),  # where the request came from
    identifier("on_behalf_of"),  # the user for whom a service did it
    Index("audit_log_at", "at"),
    Index("audit_log_subject", "subject", "id"),
)

# Of a key only its digest is kept: whoever reads this table signs nobody in.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),  # stands in the key itself, so that its holder can name it
    Column("digest", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    identifier("user_id", nullable=False),  # whom it acts as
    Column("created_by", String(128), nullable=False),
    created(),
    moment("expires_at"),
    moment("last_used_at"),
    moment("revoked_at"),
    Column("revoked_by", String(128)),
    Index("api_keys_newest", "created_at"),
)

# A link that shows something to whoever holds it: a job, or pictures of a brand.
shares = Table(
    "shares",
    metadata,
    identifier(primary_key=True),
    identifier("user_id", nullable=False),
    identifier("brand_id"),
    identifier("job_id"),
    Column("asset_ids", Json, nullable=False, default=list),
    created(),
    moment("expires_at", nullable=False),
    moment("revoked_at"),
    Index("shares_of_user", "user_id", "created_at"),
    Index("shares_age", "expires_at"),
)
