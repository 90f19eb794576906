"""Every table. Times are seconds since 1970 in UTC by the database's clock; JSON columns hold camelCase payloads.

`jobs` is the truth about every job; Redis holds the way there, never the only copy.
"""

from bmn.db.tables.account_tables import (
    api_keys,
    audit_log,
    credit_ledger,
    generation_credits,
    idempotency_keys,
    shares,
)
from bmn.db.tables.activity_tables import activity_mark, job_activity, queue_samples
from bmn.db.tables.base import db_now, metadata
from bmn.db.tables.batch_tables import bulk_actions, bulk_items, kit_steps, kits
from bmn.db.tables.call_tables import is_by_sandbox, provider_calls, provider_outages, provider_spending, spending_mark
from bmn.db.tables.database import archive_holds, deployment
from bmn.db.tables.hook_tables import webhook_deliveries, webhook_endpoints
from bmn.db.tables.job_tables import (
    dead_letters,
    is_completed,
    is_no_probe,
    is_running,
    is_waiting,
    is_warning,
    job_events,
    job_logs,
    job_units,
    jobs,
)
from bmn.db.tables.library_tables import brand_assets, brands, products
from bmn.db.tables.operator_tables import alert_mutes, alert_tellings, alerts, escalations, queue_settings
from bmn.db.tables.wizard_tables import agent_sessions

__all__ = [
    "activity_mark",
    "agent_sessions",
    "alert_mutes",
    "alert_tellings",
    "alerts",
    "api_keys",
    "archive_holds",
    "audit_log",
    "brand_assets",
    "brands",
    "bulk_actions",
    "bulk_items",
    "credit_ledger",
    "db_now",
    "dead_letters",
    "deployment",
    "escalations",
    "generation_credits",
    "idempotency_keys",
    "is_by_sandbox",
    "is_completed",
    "is_no_probe",
    "is_running",
    "is_waiting",
    "is_warning",
    "job_activity",
    "job_events",
    "job_logs",
    "job_units",
    "jobs",
    "kit_steps",
    "kits",
    "metadata",
    "products",
    "provider_calls",
    "provider_outages",
    "provider_spending",
    "queue_samples",
    "queue_settings",
    "shares",
    "spending_mark",
    "webhook_deliveries",
    "webhook_endpoints",
]
