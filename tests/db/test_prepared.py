"""Statements handed to the driver as they are: the same rows, values and errors as by SQLAlchemy."""

import pytest
from sqlalchemy import bindparam, insert, select, update

from bmn.db.engine import Connection, Database, IntegrityError
from bmn.db.prepared import Prepared
from bmn.db.tables import brands
from tests.kit.people import ANA

_ADD = insert(brands)
_ONE = select(brands).where(brands.c.id == bindparam("brand"))
_RENAME = update(brands).where(brands.c.id == bindparam("brand"))


def _fields(brand_id: str) -> dict[str, object]:
    return {"id": brand_id, "user_id": ANA, "name": "Ünlü 100 %", "color_palette": ["#112233"]}


async def test_rows_are_those_that_sqlalchemy_reads(db: Database) -> None:
    def both(conn: Connection) -> None:
        Prepared(_ADD).run(conn, _fields("one"))
        conn.execute(_ADD, _fields("two"))
        read = Prepared(_ONE)
        for brand_id in ("one", "two"):
            ours, theirs = read.one(conn, {"brand": brand_id}), conn.execute(_ONE, {"brand": brand_id}).one()
            assert tuple(ours) == tuple(theirs)
            assert (ours.name, ours.color_palette, ours.status, ours.details) == (
                "Ünlü 100 %",
                ["#112233"],
                "draft",
                {},
            )
        assert read.first(conn, {"brand": "three"}) is None

    await db.write(both)


async def test_what_is_set_may_differ_from_call_to_call(db: Database) -> None:
    rename = Prepared(_RENAME)

    def change(conn: Connection) -> tuple[int, int, int]:
        Prepared(_ADD).run(conn, _fields("one"))
        one = {"brand": "one"}
        return (
            rename.run(conn, {**one, "name": "Acme"}),
            rename.run(conn, {**one, "color_palette": None, "vision": "calm"}),
            rename.run(conn, {"brand": "two", "name": "Acme"}),
        )

    assert await db.write(change) == (1, 1, 0)
    row = await db.read(lambda conn: Prepared(_ONE).one(conn, {"brand": "one"}))
    assert (row.name, row.vision, row.color_palette) == ("Acme", "calm", None)


async def test_an_error_of_the_driver_is_one_of_ours_and_undoes_what_was_written(db: Database) -> None:
    add = Prepared(_ADD)

    def twice(conn: Connection) -> None:
        add.run(conn, _fields("one"))
        add.run(conn, _fields("one"))

    with pytest.raises(IntegrityError):
        await db.write(twice)
    assert await db.read(lambda conn: Prepared(_ONE).first(conn, {"brand": "one"})) is None


async def test_a_list_of_any_length_is_refused(db: Database) -> None:
    some = Prepared(select(brands.c.id).where(brands.c.id.in_(bindparam("ids", expanding=True))))
    with pytest.raises(TypeError, match="any length"):
        await db.read(lambda conn: some.all(conn, {"ids": ["one"]}))
