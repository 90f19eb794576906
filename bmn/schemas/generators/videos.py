"""Videos: a short film of a product."""

from typing import Literal

from pydantic import Field

from bmn.schemas.base import HttpUrl, Name, Palette, Whole
from bmn.schemas.kind import GeneratorBody, Kind
from bmn.schemas.payloads import BrandPayload

VideoStyle = Literal["showcase", "unboxing", "lifestyle", "minimal"]


class VideoGeneration(BrandPayload):
    """duration_seconds: what the models of today accept (3 to 10); the specification's 5 to 30 exists nowhere."""

    product_name: Name
    product_mockup_url: HttpUrl
    logo_url: HttpUrl | None = None
    brand_name: Name
    color_palette: Palette
    video_style: VideoStyle = "showcase"
    duration_seconds: int = Field(8, ge=3, le=10)


class VideosBody(GeneratorBody):
    product_name: Name
    product_mockup_url: HttpUrl
    logo_url: HttpUrl | None = None
    brand_name: Name | None = None
    color_palette: Palette | None = None
    video_style: VideoStyle = "showcase"
    duration_seconds: Whole = Field(8, ge=3, le=10)

    def accepted(self) -> str:
        """The sentence of the 202."""
        return f"Video generation started. Making {self.duration_seconds} seconds."


KIND = Kind(
    name="videos",
    command="video",
    queue="video-generation",
    job_type="video",
    text="Makes a product video of three to ten seconds.",
    estimate_text="What a video would ask for and cost.",
    label="Video",
    noun="video",
    payload=VideoGeneration,
    body=VideosBody,
    asset_type="video",
    place=4,
)
