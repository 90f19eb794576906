"""A record's fields are its query's columns, in their order: that is what `from_row` relies on."""

from dataclasses import FrozenInstanceError, fields

import pytest
from sqlalchemy import Table, insert, select, update

from bmn.db import records, tables
from bmn.db.engine import Database
from bmn.db.records import JobRow, Record
from bmn.errors import Cause
from bmn.schemas.payloads import JobState
from tests.kit.rows import insert as insert_job

WHOLE_ROWS: dict[type[Record], Table] = {
    records.JobRow: tables.jobs,
    records.UnitRow: tables.job_units,
    records.BrandAssetRow: tables.brand_assets,
    records.BrandRow: tables.brands,
    records.DeadLetterRow: tables.dead_letters,
    records.StoredEvent: tables.job_events,
    records.LogLineRow: tables.job_logs,
    records.ProviderCallRow: tables.provider_calls,
    records.LedgerRow: tables.credit_ledger,
    records.ProductRow: tables.products,
    records.QueueSettingRow: tables.queue_settings,
    records.OutageRow: tables.provider_outages,
}


@pytest.mark.parametrize("record", WHOLE_ROWS, ids=lambda record: record.__name__)
def test_a_records_fields_are_its_tables_columns(record: type[Record]) -> None:
    columns = [column.name for column in WHOLE_ROWS[record].columns]
    assert [field.name for field in fields(record)][: len(columns)] == columns  # type: ignore[arg-type]


EVERY = [
    kind for kind in vars(records).values() if isinstance(kind, type) and issubclass(kind, Record) and kind != Record
]


@pytest.mark.parametrize("record", EVERY, ids=lambda record: record.__name__)
def test_a_record_cannot_be_changed_and_has_no_room_for_more(record: type[Record]) -> None:
    assert not hasattr(record.__new__(record), "__dict__")
    with pytest.raises(FrozenInstanceError):
        setattr(record.__new__(record), fields(record)[0].name, 1)  # type: ignore[arg-type]
    assert set(record.CONVERTED) <= {field.name for field in fields(record)}  # type: ignore[arg-type]


async def test_states_and_causes_are_read_as_what_they_mean(db: Database) -> None:
    job_id = await db.write(insert_job)
    change = update(tables.jobs).values(state="retrying", cause="timeout")
    await db.write(lambda conn: conn.execute(change).rowcount)
    job = await db.read(lambda conn: JobRow.from_row(conn.execute(select(tables.jobs)).one()))
    assert (job.id, job.state, job.cause, job.probe) == (job_id, JobState.RETRYING, Cause.TIMEOUT, False)
    assert isinstance(job.state, JobState) and isinstance(job.cause, Cause)


async def test_a_boolean_column_is_read_as_one(db: Database) -> None:
    values = {"queue": "crm-sync", "paused": 1, "cause": None}
    await db.write(lambda conn: conn.execute(insert(tables.queue_settings).values(values)).rowcount)
    row = await db.read(lambda conn: conn.execute(select(tables.queue_settings)).one())
    assert records.QueueSettingRow.from_row(row).paused is True
