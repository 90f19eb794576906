"""BMN_PROVIDERS: who makes what, and who next where the first is out."""

import pytest

from bmn.errors import Misconfigured
from bmn.jobs.queue import Queue
from bmn.local.start import check_files
from bmn.schemas.generators import KINDS
from bmn.settings import PROVIDERS, Settings, load_settings
from bmn.work.estimates import estimate
from bmn.work.generators import GENERATORS
from bmn.work.registry import QUEUES, get_queue

KEYS = {"bfl_api_key": "k-of-bfl", "openai_api_key": "k-of-openai", "google_api_key": "k-of-google"}


@pytest.mark.parametrize(
    "text",
    [
        "logo-generation=bfl,openai,google mockup-generation=openai,google",
        "logo-generation = bfl, openai, google; mockup-generation = openai,google",
        "logo-generation=flux,openai,gemini,mockup-generation=OpenAI,Gemini",
    ],
)
def test_an_order_is_read_as_people_write_it_and_shown_in_one_way(text: str) -> None:
    settings = load_settings(bmn_providers=text)
    assert settings.order_of("logo-generation") == ("bfl", "openai", "google")
    shown = ",".join(map(str, settings.bmn_providers))
    assert shown == "logo-generation=bfl,openai,google,mockup-generation=openai,google"
    assert load_settings(bmn_providers=shown) == settings


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("bfl,openai", "look like"),
        ("logo-generation=", "look like"),
        ("logo-generation=bfl,bfl", "twice"),
        ("logo-generation=bfl logo-generation=openai", "twice"),
        ("logo-generation=flux,bfl", "twice"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(text: str, what: str) -> None:
    with pytest.raises(Misconfigured, match=f"BMN_PROVIDERS.*{what}"):
        load_settings(bmn_providers=text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("logos=bfl", "names logos, which is no queue"),
        ("email-send=resend", "names email-send, which is no queue with several providers"),
        ("logo-generation=bfl,anthropic", "names anthropic for logo-generation, and it cannot do that"),
        ("mockup-generation=openai,bfl", "names bfl for mockup-generation"),
    ],
)
def test_nothing_starts_with_who_is_not_there_or_cannot_do_it(text: str, what: str) -> None:
    with pytest.raises(Misconfigured, match=f"BMN_PROVIDERS {what}"):
        check_files(load_settings(bmn_providers=text, **KEYS))


def test_the_sandbox_is_no_second_choice_beside_a_vendor() -> None:
    order = "logo-generation=bfl,openai"
    check_files(load_settings(bmn_providers=order, **KEYS))
    check_files(load_settings(bmn_providers=order))  # in development it stands in for both
    with pytest.raises(Misconfigured, match="names openai for logo-generation, and it has no key") as refused:
        check_files(load_settings(bmn_providers=order, bfl_api_key="k-of-bfl"))
    assert "OPENAI_API_KEY" in str(refused.value.hint)
    with pytest.raises(Misconfigured, match="names bfl for logo-generation, and it has no key"):
        check_files(load_settings(bmn_providers=order, bmn_env="production"))


@pytest.mark.parametrize("queue", [get_queue(kind.queue) for kind in KINDS.values()], ids=lambda queue: queue.name)
def test_a_generator_knows_the_price_of_everybody_who_can_make_it(queue: Queue) -> None:
    generator = GENERATORS[queue.name]
    can = queue.providers or (generator.provider,)
    assert can == (generator.provider, *(maker.provider for maker in generator.others))
    assert set(can) <= set(PROVIDERS)
    assert all(hasattr(Settings(), generator.maker(name).model) for name in can)


def test_a_queue_has_one_provider_unless_an_order_says_otherwise() -> None:
    assert all(len(queue.order(Settings())) <= 1 for queue in QUEUES.values())
    assert get_queue("logo-generation").order(Settings()) == ("bfl",)


def test_an_estimate_is_of_whoever_serves_the_queue() -> None:
    queue = get_queue("logo-generation")
    owner = {"userId": "0" * 8 + "-0000-4000-8000-" + "0" * 12, "brandId": "0" * 8 + "-0000-4000-8000-" + "0" * 12}
    asked = {"brandName": "Acme", "brandVision": "v", "logoStyle": "modern", "colorPalette": ["#112233"], "count": 2}
    payload = queue.payload.model_validate({**owner, **asked})
    settings = load_settings(bmn_providers="logo-generation=openai,bfl", **KEYS)
    assert estimate(settings, queue.name, [payload]).usd == pytest.approx(2 * 0.17)
    assert estimate(settings, queue.name, [payload], "bfl").usd == pytest.approx(2 * 0.03)
    assert estimate(settings, queue.name, [payload], "bfl").credits == estimate(settings, queue.name, [payload]).credits
