"""The catalogue of products that a logo can be put on. A migration stores SEED; the ids are the same everywhere."""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection, select

from bmn.db.records import ProductRow
from bmn.db.tables import products


def _product(slug: str, name: str, category: str, base_cost_usd: float, instructions: str) -> dict[str, object]:
    return {
        "id": str(uuid5(NAMESPACE_URL, f"bmn:product:{slug}")),
        "slug": slug,
        "name": name,
        "category": category,
        "instructions": instructions,
        "base_cost_usd": base_cost_usd,
    }


SEED: tuple[dict[str, Any], ...] = (
    _product("mug", "Mug", "drinkware", 4.5, "White ceramic mug, handle to the right, logo centred on the body."),
    _product("t-shirt", "T-shirt", "apparel", 8.0, "Plain cotton T-shirt laid flat, logo on the chest."),
    _product("tote-bag", "Tote bag", "accessories", 5.5, "Natural canvas tote bag, handles up, logo centred."),
    _product("cap", "Cap", "apparel", 7.0, "Six-panel cap seen from the front, logo embroidered above the brim."),
    _product("poster", "Poster", "print", 6.0, "Framed poster on a plain wall, logo large with generous margins."),
    _product("sticker", "Sticker", "print", 0.6, "Die-cut vinyl sticker with a white border, logo filling it."),
    _product("hoodie", "Hoodie", "apparel", 18.0, "Pullover hoodie seen from the front, logo on the chest."),
    _product("water-bottle", "Water bottle", "drinkware", 9.0, "Steel bottle standing upright, logo along the body."),
    _product("notebook", "Notebook", "stationery", 4.0, "Hardcover notebook at a slight angle, logo on the cover."),
    _product("packaging-box", "Packaging box", "packaging", 2.5, "Folded carton box, three sides seen, logo on top."),
)


def catalogue(conn: Connection) -> list[ProductRow]:
    """Every product, in the order of their names."""
    return [ProductRow.from_row(row) for row in conn.execute(select(products).order_by(products.c.name))]
