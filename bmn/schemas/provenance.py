"""Who made a picture or film: what an asset's metadata keeps of it under `provenance`, and the line that people read."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bmn.schemas.base import Outbound


class Provenance(Outbound):
    """made_by: the vendor, or `sandbox`. model: none where no model made it, but a program that draws.

    signed: its file carries a C2PA manifest of the vendor. signer: whom the manifest's certificate names; nobody has
    checked the signature.
    """

    made_by: str
    model: str | None = None
    signed: bool
    signer: str | None = None

    def told(self) -> str:
        """The line: `made by flux-2-pro of Black Forest Labs; carries a C2PA manifest signed by Black Forest Labs`."""
        made = f"made by {self.model} of {self.made_by}" if self.model else f"drawn by the {self.made_by}, by no model"
        signed = f"; carries a C2PA manifest{f' signed by {self.signer}' if self.signer else ''}" if self.signed else ""
        return made + signed


def provenance_of(metadata: Mapping[str, Any]) -> Provenance | None:
    """What an asset's metadata says of it; None for uploads, and for assets of releases that did not note it."""
    try:
        return Provenance.model_validate(metadata.get("provenance"))
    except ValidationError:
        return None
