"""The specification's view shows every generator, also one that a later release brings"""

from collections.abc import Sequence

from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_BEFORE = (
    "ELSE 'video' END",
    "queue IN ('brand-wizard', 'logo-generation', 'mockup-generation', 'bundle-composition', 'video-generation')",
)
# A generator's queue is its word and `-generation`; two are older than that.
_NOW = (
    "ELSE replace(queue, '-generation', '') END",
    "queue IN ('brand-wizard', 'bundle-composition') OR {end} = '-generation'",
)


def upgrade() -> None:
    _replace(*_NOW)


def downgrade() -> None:
    _replace(*_BEFORE)


def _replace(otherwise: str, chosen: str) -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    time = "to_timestamp({0})" if postgres else "strftime('%Y-%m-%dT%H:%M:%fZ', {0}, 'unixepoch')"
    uuid = "right(id, 36)" if postgres else "substr(id, -36)"
    end = "right(queue, 11)" if postgres else "substr(queue, -11)"
    op.execute("DROP VIEW generation_jobs")
    op.execute(f"""
        CREATE VIEW generation_jobs AS
        SELECT {uuid} AS id, brand_id, user_id,
               CASE queue WHEN 'brand-wizard' THEN 'wizard' WHEN 'logo-generation' THEN 'logo'
                          WHEN 'mockup-generation' THEN 'mockup' WHEN 'bundle-composition' THEN 'bundle'
                          {otherwise} AS job_type,
               CASE state WHEN 'active' THEN 'processing' WHEN 'retrying' THEN 'processing'
                          WHEN 'completed' THEN 'complete' WHEN 'partial' THEN 'complete' ELSE state END AS status,
               progress, result, error, id AS job_id, id AS bullmq_job_id,
               {time.format("created_at")} AS created_at, {time.format("completed_at")} AS completed_at
        FROM jobs
        WHERE {chosen.format(end=end)}
    """)
