"""One brand for all spellings of its name, on both databases, whenever it was made."""

import pytest
from sqlalchemy import update

from bmn.db.engine import Database
from bmn.db.library import brand_store
from bmn.db.migrations import migrate
from bmn.db.tables import brands as brand_table
from tests.kit.people import ANA, BEN
from tests.kit.releases import as_of

SPELLINGS = ["CAFÉ ROUGE", "café rouge", "cafe\u0301 rouge", "ＣＡＦÉ ROUGE"]


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_it_is_found_by_any_spelling(db: Database, spelling: str) -> None:
    made = await db.write(lambda conn: brand_store.create(conn, ANA, {"name": "Café Rouge"}))
    await db.write(lambda conn: brand_store.create(conn, BEN, {"name": "Café Rouge"}))
    found, _ = await db.read(lambda conn: brand_store.list_of_user(conn, ANA, name=spelling))
    assert [brand.id for brand in found] == [made.id]
    await db.write(lambda conn: brand_store.change(conn, made.id, ANA, {"name": "Straße"}))
    assert await db.read(lambda conn: brand_store.list_of_user(conn, ANA, name=spelling)) == ([], None)
    found, _ = await db.read(lambda conn: brand_store.list_of_user(conn, ANA, name="STRASSE"))
    assert [brand.id for brand in found] == [made.id]


async def test_names_of_the_release_before_get_their_key(db: Database, database_url: str) -> None:
    made = [
        await db.write(lambda conn, name=name: brand_store.create(conn, ANA, {"name": name}))  # type: ignore[misc]
        for name in ("cafe\u0301 rouge", "漢" * 90)
    ]
    await db.write(lambda conn: conn.execute(update(brand_table).values(name_key=None)))
    as_of(database_url, "0008")
    assert "0009" in migrate(database_url)
    for brand, name in zip(made, ("CAFÉ ROUGE", "漢" * 90), strict=True):
        found, _ = await db.read(lambda conn, asked=name: brand_store.list_of_user(conn, ANA, name=asked))  # type: ignore[misc]
        assert [(each.id, each.name_key) for each in found] == [(brand.id, brand.name_key)]
