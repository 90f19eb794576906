"""What jobs leave behind: `result` of the record, of `job:complete` and of `job:status`.

A generator's result is its saved assets, as rows of `brand_assets` in the database's own words, which is what an existing
front end reads. The other queues say what they did in camelCase.
"""

from typing import Any, Literal

from pydantic import ConfigDict, Field, RootModel

from bmn.schemas.base import Moment, Outbound


class AssetRow(Outbound):
    """A row of `brand_assets` without what only we need."""

    model_config = ConfigDict(alias_generator=None)

    id: str
    brand_id: str
    job_id: str | None
    asset_type: str
    url: str
    thumbnail_url: str | None
    mime_type: str
    metadata: dict[str, Any]
    is_selected: bool
    created_at: Moment


class LogosResult(Outbound):
    """generated: how many there are. requested: how many were asked for."""

    logos: list[AssetRow]
    generated: int
    requested: int


class AssetResult(Outbound):
    asset: AssetRow


class AssetsResult(Outbound):
    """Of a job that was to make one asset and has another number of them."""

    assets: list[AssetRow]


class WizardResult(Outbound):
    """result: the model's last words. jobs: ids of the generations that it began. cost: what its turns cost, in USD.

    proposed: fields of the brand's look that the step would change and did not, as `PATCH /brands/{id}` takes them.
    proposal: the same in words, `green (#283618) instead of brown (#6F4E37)`. Both are left out where nothing is proposed.
    """

    session_id: str
    step: str
    result: str
    turns: int
    cost: float
    suggestions: dict[str, Any]
    profits: dict[str, Any]
    jobs: list[str]
    proposed: dict[str, Any] = Field(default_factory=dict)
    proposal: str = ""


class ThumbnailResult(Outbound):
    thumbnail_url: str
    storage_key: str


class MailResult(Outbound):
    mail_id: str | None


class CrmResult(Outbound):
    contact_id: str


class CrmSkipped(Outbound):
    """No CRM is configured."""

    skipped: Literal[True]


class Counts(RootModel[dict[str, int]]):
    """How many of each kind: what a cleanup has removed."""

    model_config = ConfigDict(frozen=True)

    def dump(self) -> dict[str, object]:
        """The counts as they are stored."""
        return dict(self.root)


JobResult = (
    LogosResult
    | AssetResult
    | AssetsResult
    | WizardResult
    | ThumbnailResult
    | MailResult
    | CrmResult
    | CrmSkipped
    | Counts
)
