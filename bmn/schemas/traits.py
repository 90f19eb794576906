"""What an asset's metadata and a job's payload say of it, whichever generator it was: their keys are read here alone."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AssetTraits:
    """Of an asset. index: its place among those of its job. variation, style, product: empty where it has none."""

    index: int | None
    variation: str
    style: str
    product: str

    @classmethod
    def of(cls, metadata: Mapping[str, object]) -> "AssetTraits":
        """As far as the metadata say it."""
        return cls(
            index=_number(metadata.get("index")),
            variation=_text(metadata.get("variation")),
            style=_text(metadata.get("logo_style")),
            product=_text(metadata.get("product_name")),
        )


@dataclass(frozen=True, slots=True)
class JobTraits:
    """Of a job's payload. name: what its product or bundle is called. count: of pictures. step: of the wizard."""

    name: str
    product: str
    product_id: str
    count: int | None
    step: str

    @classmethod
    def of(cls, payload: Mapping[str, object]) -> "JobTraits":
        """As far as the payload says it."""
        product = _text(payload.get("productName"))
        return cls(
            name=product or _text(payload.get("bundleName")),
            product=product,
            product_id=_text(payload.get("productId")),
            count=_number(payload.get("count")),
            step=_text(payload.get("step")),
        )


def _text(value: object) -> str:
    return str(value or "")


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
