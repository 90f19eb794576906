"""Gemini pictures: made from others or from words, through the official SDK with its retries off."""

from collections.abc import Sequence
from typing import Any, ClassVar

from google.genai import types

from bmn.cleaning import sentence
from bmn.errors import Cause, JobFailure, Moderated
from bmn.mime import mime_of
from bmn.providers.base import OnCall, Provider, VendorPicture
from bmn.providers.failures import UnreadableAnswer
from bmn.providers.google import LABEL, google_failure, open_sdk
from bmn.providers.vendor_http import MEGABYTE, open_client
from bmn.redaction import redact
from bmn.settings import ProviderAccess, Settings

_SECONDS = 110.0
_MODERATED = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "MODEL_ARMOR",
        "JAILBREAK",
    }
)
_IMPOSSIBLE = frozenset({"MAX_TOKENS", "LANGUAGE"})
_TOKENS_A_PICTURE = 560


class Gemini(Provider):
    provider: ClassVar[str] = "google"
    label: ClassVar[str] = LABEL

    def __init__(self, access: ProviderAccess, settings: Settings, on_call: OnCall) -> None:
        super().__init__(access, settings, on_call)
        self.model = settings.gemini_image_model
        # Two pictures as base64: the model may send an interim one before its answer.
        self._http = open_client(idle=_SECONDS, max_bytes=60 * MEGABYTE)
        self._sdk = open_sdk(access, self._http, _SECONDS)

    async def close(self) -> None:
        """Closes the SDK and its connections."""
        await self._http.aclose()

    def estimate(self, inputs: int) -> float:
        """US dollars for one picture made from `inputs` others, by the price table."""
        price = self.price(self.model)
        return price.picture + price.tokens(text_in=200, image_in=_TOKENS_A_PICTURE * inputs)

    async def compose(self, prompt: str, images: Sequence[bytes], *, aspect_ratio: str = "1:1") -> VendorPicture:
        """One picture of about 2048 pixels a side that shows the given ones (at most 14); with none, from words alone.

        Raises Moderated, also for refusals that come as HTTP 200, or JobFailure; an ambiguous one when the picture may
        have been billed.
        """
        parts: list[Any] = [types.Part.from_bytes(data=data, mime_type=mime_of(data)) for data in images]
        config = types.GenerateContentConfig(
            response_modalities=["TEXT", "IMAGE"],
            image_config=types.ImageConfig(aspect_ratio=aspect_ratio, image_size="2K"),
        )
        async with self.call("compose", model=self.model, deadline=_SECONDS, paid=True) as measured:
            measured.units, measured.usd = 1, self.estimate(len(images))
            answer = await self._sdk.aio.models.generate_content(
                model=self.model, contents=[prompt, *parts], config=config
            )
            measured.status, measured.request_id = 200, answer.response_id
            data = _picture(answer)
            measured.usd = self._cost(answer.usage_metadata, measured.usd)
        return VendorPicture(data, mime_of(data), measured.usd)

    def failure(self, error: Exception, *, paid: bool) -> JobFailure | None:
        """What an error of the SDK means, as one of our causes."""
        return google_failure(error, paid=paid)

    def _cost(self, usage: types.GenerateContentResponseUsageMetadata | None, estimate: float) -> float:
        """By the tokens that were told; the estimate where none were."""
        if usage is None or not usage.candidates_token_count:
            return estimate
        details = usage.candidates_tokens_details or []
        pictures = sum(part.token_count or 0 for part in details if part.modality == types.MediaModality.IMAGE)
        words = max(0, usage.candidates_token_count - pictures) + (usage.thoughts_token_count or 0)
        price = self.price(self.model)
        return round(price.tokens(text_in=usage.prompt_token_count or 0, text_out=words, image_out=pictures), 6)


def _picture(answer: types.GenerateContentResponse) -> bytes:
    """The last picture that is not a thought. A refusal has none, and says why."""
    feedback = answer.prompt_feedback
    if feedback is not None and feedback.block_reason is not None:
        said = _said(_word(feedback.block_reason), feedback.block_reason_message)
        raise Moderated("The image service declined this content.", said=said)
    candidates = answer.candidates or []
    if not candidates:
        raise UnreadableAnswer("neither a candidate nor a refusal")
    parts = [part for one in candidates for part in (one.content.parts if one.content else None) or []]
    found = [part.inline_data.data for part in parts if part.inline_data and part.inline_data.data and not part.thought]
    if found:
        return found[-1]
    reason = _word(candidates[0].finish_reason)
    said = _said(reason, *(part.text for part in parts))
    if reason in _MODERATED:
        raise Moderated("The image service declined this content.", said=said)
    if reason in _IMPOSSIBLE:
        raise JobFailure(Cause.BAD_INPUT, "The image service cannot make this picture; ask for less in one.", said=said)
    raise JobFailure(Cause.PROVIDER_GARBAGE, "The image service answered without a picture.", ambiguous=True, said=said)


def _word(value: object) -> str:
    return str(getattr(value, "value", value))


def _said(*words: str | None) -> str | None:
    """The vendor's reason, and its sentence or the model's, for operators."""
    return redact(sentence(": ".join(word for word in words if word)) or "") or None
