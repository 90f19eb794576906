"""Rows as the rest of the program knows them: plain values, nothing of SQL.

A record's fields stand in the order of its query's columns, which a test checks, so that making one costs little more than
reading the row. Times are seconds since 1970 by the database's clock.
"""

from bmn.db.records.accounts import ApiKey, AuditEntry, LedgerEntry, Share
from bmn.db.records.base import Record
from bmn.db.records.calls import Cost, NewCall, Outage, ProviderCall
from bmn.db.records.hooks import Delivery, DeliveryState, Endpoint, Hook
from bmn.db.records.jobs import (
    DeadLetter,
    EndedJob,
    Event,
    Job,
    KitNews,
    LetterState,
    LogLine,
    NewJob,
    Place,
    QueueSetting,
    Renewed,
    StoredEvent,
    Unit,
    UnitState,
)
from bmn.db.records.library import AbandonedWizard, AgentSession, Asset, Brand, NewAsset, Product

__all__ = [
    "AbandonedWizard",
    "AgentSession",
    "ApiKey",
    "Asset",
    "AuditEntry",
    "Brand",
    "Cost",
    "DeadLetter",
    "Delivery",
    "DeliveryState",
    "EndedJob",
    "Endpoint",
    "Event",
    "Hook",
    "Job",
    "KitNews",
    "LedgerEntry",
    "LetterState",
    "LogLine",
    "NewAsset",
    "NewCall",
    "NewJob",
    "Outage",
    "Place",
    "Product",
    "ProviderCall",
    "QueueSetting",
    "Record",
    "Renewed",
    "Share",
    "StoredEvent",
    "Unit",
    "UnitState",
]
