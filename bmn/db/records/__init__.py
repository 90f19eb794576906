"""Rows as the rest of the program knows them: plain values, nothing of SQL.

A record's fields stand in the order of its query's columns, which a test checks, so that making one costs little more than
reading the row. Times are seconds since 1970 by the database's clock.
"""

from bmn.db.records.account_rows import ApiKeyRow, AuditRow, LedgerRow, ShareRow
from bmn.db.records.base import Record
from bmn.db.records.call_rows import Cost, NewCall, OutageRow, ProviderCallRow
from bmn.db.records.hook_rows import DeliveryRow, DeliveryState, EndpointRow, Hook
from bmn.db.records.job_rows import (
    DeadLetterRow,
    EndedJob,
    EventRow,
    JobPlace,
    JobRow,
    KitNews,
    LetterState,
    LogLineRow,
    NewJob,
    QueueSettingRow,
    Renewed,
    StoredEvent,
    UnitRow,
    UnitState,
)
from bmn.db.records.library_rows import AbandonedWizard, AgentSessionRow, BrandAssetRow, BrandRow, NewAsset, ProductRow

__all__ = [
    "AbandonedWizard",
    "AgentSessionRow",
    "ApiKeyRow",
    "BrandAssetRow",
    "AuditRow",
    "BrandRow",
    "Cost",
    "DeadLetterRow",
    "DeliveryRow",
    "DeliveryState",
    "EndedJob",
    "EndpointRow",
    "EventRow",
    "Hook",
    "JobRow",
    "KitNews",
    "LedgerRow",
    "LetterState",
    "LogLineRow",
    "NewAsset",
    "NewCall",
    "NewJob",
    "OutageRow",
    "JobPlace",
    "ProductRow",
    "ProviderCallRow",
    "QueueSettingRow",
    "Record",
    "Renewed",
    "ShareRow",
    "StoredEvent",
    "UnitRow",
    "UnitState",
]
