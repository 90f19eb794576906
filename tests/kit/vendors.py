"""Every vendor's client with one call that orders something, for tests that ask the same of all of them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest

from bmn.providers import agent, bfl, gemini, gohighlevel, openai_images, resend, video
from bmn.providers.base import OnCall, Provider
from bmn.settings import ProviderAccess, Settings
from tests.kit.pictures import png
from tests.providers.samples import ASK, BFL_REQUEST, MAIL, SYSTEM, TOOLS, person


@dataclass(frozen=True)
class Vendor:
    """ask: the call that orders something. deadline: the module's constant. path: below the vendor's address."""

    module: ModuleType
    client: type[Provider]
    sandbox: str
    ask: Callable[[Any], Awaitable[Any]]
    deadline: str = "_SECONDS"
    path: str = ""
    paid: bool = True

    def open(self, access: ProviderAccess, settings: Settings, on_call: OnCall) -> Provider:
        return self.client(access, settings.model_copy(update={"resend_max_rps": 100.0}), on_call)


VENDORS = {
    "bfl": Vendor(bfl, bfl.Bfl, "bfl", lambda c: c.submit(BFL_REQUEST), "_SUBMIT_SECONDS"),
    "openai": Vendor(
        openai_images, openai_images.OpenAIImages, "openai", lambda c: c.edit("A mug", [png()]), path="/v1"
    ),
    "gemini": Vendor(gemini, gemini.Gemini, "google", lambda c: c.compose("A bundle", [png()])),
    "video": Vendor(video, video.Video, "google", lambda c: c.submit("A film", png(), 3), "_SUBMIT_SECONDS"),
    "anthropic": Vendor(agent, agent.Agent, "anthropic", lambda c: c.turn(SYSTEM, ASK, TOOLS)),
    "resend": Vendor(
        resend,
        resend.Resend,
        "resend",
        lambda c: c.send(MAIL, idempotency_key=str(uuid4())),
        paid=False,
    ),
    "gohighlevel": Vendor(gohighlevel, gohighlevel.GoHighLevel, "ghl", lambda c: c.upsert(person()), paid=False),
}
every_vendor = pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS)
