"""A picture is its owner's once it is paid: until then nobody but the row of its unit knows where it lies."""

import re
from uuid import NAMESPACE_URL, uuid5

from tests.kit.bench import Bench, bench
from tests.kit.sandbox import shared_sandbox

__all__ = ["bench", "shared_sandbox"]


async def test_where_a_picture_will_lie_cannot_be_worked_out_from_what_its_owner_knows(bench: Bench) -> None:
    fields = {"brandName": "Acme", "logoStyle": "bold", "brandVision": "plain", "colorPalette": ["#112233"], "count": 1}
    row = await bench.run("logo-generation", **fields)
    unit = (await bench.units(row["id"]))["logo-0"]
    assert (row["state"], unit["state"]) == ("completed", "saved")
    name = unit["storage_key"].rpartition("/")[2]
    known = (f"{row['id']}/logo-0", f"{row['id']}/logo-0/asset", unit["asset_id"], unit["sha256"], row["id"])
    assert re.fullmatch(r"[0-9a-f]{32}\.png", name)
    assert name.removesuffix(".png") not in {uuid5(NAMESPACE_URL, text).hex for text in known} | set(known)
    assert await bench.core.storage.get(unit["storage_key"])
