"""OpenAI Images: a picture made from words, and from pictures, through the official SDK with its retries off."""

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar

import httpx2
import openai
from openai import AsyncOpenAI

from bmn.errors import JobFailure
from bmn.mime import mime_of
from bmn.providers.base import Measured, OnCall, Provider, VendorPicture
from bmn.providers.documented import documented
from bmn.providers.failures import (
    UnreadableAnswer,
    failure_of_status,
    failure_of_transport,
    garbage,
    retry_after,
)
from bmn.providers.fetch import Fetcher
from bmn.providers.vendor_http import CONNECT_SECONDS, open_client
from bmn.settings import ProviderAccess, Settings

OnPartial = Callable[[int, bytes], Awaitable[None]]

_SECONDS = 110.0  # good pictures take up to two minutes, and nothing is sent meanwhile
PARTIALS = 2  # rough pictures before the final one
_DOWNLOADS = (0.0, 1.0, 3.0)  # seconds before each
_OF_OURS = ("invalid_request_error", "image_generation_user_error")


class OpenAIImages(Provider):
    provider: ClassVar[str] = "openai"
    label: ClassVar[str] = "OpenAI"

    def __init__(self, access: ProviderAccess, settings: Settings, on_call: OnCall) -> None:
        super().__init__(access, settings, on_call)
        self.model = settings.openai_image_model
        self._http = open_client(idle=_SECONDS)
        self._fetcher = Fetcher(settings)
        self._origin = str(httpx2.URL(access.base_url).copy_with(raw_path=b"/"))
        self._sdk = AsyncOpenAI(
            api_key=access.api_key,
            base_url=access.base_url,
            max_retries=0,
            timeout=httpx2.Timeout(_SECONDS, connect=CONNECT_SECONDS),
            http_client=self._http,
        )

    async def close(self) -> None:
        """Closes the SDK and its connections."""
        await self._http.aclose()

    def estimate(self, inputs: int = 1) -> float:
        """US dollars for one picture, by the price table."""
        price = self.price(self.model)
        return price.picture + price.tokens(text_in=200, image_in=600 * inputs)

    async def edit(
        self, prompt: str, images: Sequence[bytes], size: str = "1024x1024", on_partial: OnPartial | None = None
    ) -> VendorPicture:
        """One picture that shows the given ones (1 to 16). on_partial gets rough ones meanwhile: number, bytes.

        Raises Moderated, or JobFailure; an ambiguous one when the picture may have been billed.
        """
        return await self._made("edit", prompt, images, size, on_partial)

    async def generate(
        self, prompt: str, size: str = "1024x1024", on_partial: OnPartial | None = None
    ) -> VendorPicture:
        """One picture from words alone; otherwise as `edit`."""
        return await self._made("generate", prompt, (), size, on_partial)

    async def _made(
        self, operation: str, prompt: str, images: Sequence[bytes], size: str, on_partial: OnPartial | None
    ) -> VendorPicture:
        async with self.call(operation, model=self.model, deadline=_SECONDS, paid=True) as measured:
            measured.units, measured.usd = 1, self.estimate(len(images))
            if on_partial is None:
                made, usage = await self._whole(prompt, images, size, measured)
            else:
                made, usage = await self._streamed(prompt, images, size, on_partial)
            measured.status = 200
            measured.usd = self._cost(usage, measured.usd)
            data = await self._data(made)
        return VendorPicture(data, mime_of(data), measured.usd)

    def failure(self, error: Exception, *, paid: bool) -> JobFailure | None:
        """What an error of the SDK means, as one of our causes."""
        if isinstance(error, openai.APIStatusError):
            return self._of_answer(error.status_code, error, paid=paid)
        if isinstance(error, openai.APIResponseValidationError):
            return garbage(self.label, paid=paid)
        if isinstance(error, openai.APIError) and not isinstance(error, openai.APIConnectionError):
            status = 400 if error.type in _OF_OURS else 500  # an error event inside a stream has none
            return self._of_answer(status, error, paid=paid)
        return failure_of_transport(self.label, error, paid=paid)

    def _of_answer(self, status: int, error: openai.APIError, *, paid: bool) -> JobFailure:
        response = getattr(error, "response", None)
        said = error.body.get("message") if isinstance(error.body, dict) else None
        return failure_of_status(
            self.label,
            status,
            meaning=documented(self.provider, status, [error.code, error.type], text=str(said)),
            said=said,
            paid=paid,
            retry_after=retry_after(response.headers) if response is not None else None,
            request_id=getattr(error, "request_id", None),
            field=error.param,
        )

    def _ask(self, images: Sequence[bytes]) -> Callable[..., Awaitable[Any]]:
        """The SDK's method: with pictures they are edited, without it makes one."""
        return self._sdk.images.edit if images else self._sdk.images.generate

    def _order(self, prompt: str, images: Sequence[bytes], size: str) -> Mapping[str, object]:
        order: dict[str, Any] = {
            "model": self.model,
            "prompt": prompt,
            "size": size,
            "quality": "high",
            "output_format": "png",
        }
        if not images:
            return order
        named = [(f"image-{n}.{mime_of(data)[6:]}", data, mime_of(data)) for n, data in enumerate(images)]
        order["image"] = named if len(named) > 1 else named[0]
        if self.model.startswith("gpt-image-1.5"):
            order["input_fidelity"] = "high"  # newer models always keep the logo as it is, and refuse the word
        return order

    async def _whole(self, prompt: str, images: Sequence[bytes], size: str, measured: Measured) -> tuple[Any, Any]:
        answer = await self._ask(images)(**self._order(prompt, images, size))
        pictures = getattr(answer, "data", None)
        if not isinstance(pictures, list) or not pictures:
            raise UnreadableAnswer("no pictures in the answer")
        measured.request_id = getattr(answer, "_request_id", None)
        return pictures[0], answer.usage

    async def _streamed(
        self, prompt: str, images: Sequence[bytes], size: str, on_partial: OnPartial
    ) -> tuple[Any, Any]:
        events: AsyncIterator[Any] = await self._ask(images)(
            **self._order(prompt, images, size), stream=True, partial_images=PARTIALS
        )
        async for event in events:
            if event.type in ("image_edit.partial_image", "image_generation.partial_image"):
                await on_partial(event.partial_image_index, _decoded(event.b64_json))
            elif event.type in ("image_edit.completed", "image_generation.completed"):
                return event, event.usage
        raise UnreadableAnswer("the stream ended without a picture")

    async def _data(self, made: Any) -> bytes:
        """The bytes of a picture; compatible services may answer with its address instead, which is visited like a user's.

        One on the service's own origin is as good as that. It was paid for, so it is asked for more than once.
        """
        address = getattr(made, "url", None)
        if made.b64_json or not isinstance(address, str) or address.startswith("data:"):
            return _decoded(made.b64_json or address)
        for wait in _DOWNLOADS:
            await asyncio.sleep(wait)
            try:
                return (await self._fetcher.fetch(address, kind="picture", trusted=(self._origin,))).data
            except JobFailure as failure:
                why = failure
                if not failure.retryable:
                    break
        raise UnreadableAnswer(f"the picture is told as an address: {why.message}")

    def _cost(self, usage: Any, estimate: float) -> float:
        """By the tokens that were told; the estimate where none were."""
        output = getattr(usage, "output_tokens", None)
        if not isinstance(output, int):
            return estimate
        inputs = getattr(usage, "input_tokens_details", None)
        text = getattr(inputs, "text_tokens", None) or 0
        pictures = getattr(inputs, "image_tokens", None) or 0
        return round(self.price(self.model).tokens(text_in=text, image_in=pictures, image_out=output), 6)


def _decoded(encoded: Any) -> bytes:
    """The bytes of a picture, also where a gateway has broken its text into lines or made a `data:` address of it."""
    try:
        return base64.b64decode(re.sub(r"\A\s*data:[\w/+.-]+;base64,|\s+", "", encoded), validate=True)
    except (TypeError, ValueError, binascii.Error) as problem:
        raise UnreadableAnswer("not base64") from problem
