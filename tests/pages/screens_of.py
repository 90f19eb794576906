"""What is seen at a stop of a walk: written down broad and narrow, light and dark, weighed, and looked over by axe."""

from pathlib import Path

from playwright.async_api import Page

from tests.pages.browser import AXE

SCREENS = Path(__file__).parent / "screens"
BROAD, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
_MOST_BYTES = 200_000  # of a page before its pictures
_MOST_SHIFT = 0.02  # by the measure of browsers, of which 0.1 is called good
_WEIGHT = """() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
  .filter((entry) => !['img', 'video', 'fetch'].includes(entry.initiatorType))
  .reduce((sum, entry) => sum + entry.decodedBodySize, 0)"""
_SHIFT = """() => new Promise((done) => {
  let sum = 0;
  const watching = new PerformanceObserver((list) => list.getEntries().forEach((one) => { sum += one.value; }));
  watching.observe({ type: 'layout-shift', buffered: true });
  requestAnimationFrame(() => setTimeout(() => done(sum), 50));
})"""
_SCROLLED_AWAY = "[...document.querySelectorAll('nav')].some((nav) => nav.scrollWidth > nav.clientWidth + 1)"
_UNSIZED = (
    "[...document.images].filter((image) => !image.getAttribute('width') || !image.getAttribute('height')).length"
)


async def stop_at(page: Page, name: str) -> list[str]:
    """Writes what is seen here, and returns what is wrong with it."""
    found: list[str] = []
    await page.emulate_media(reduced_motion="reduce", color_scheme="light")
    await page.reload()
    weight, shift = await page.evaluate(_WEIGHT), await page.evaluate(_SHIFT)
    if weight > _MOST_BYTES:
        found.append(f"{name}: {weight} bytes before its pictures")
    if shift > _MOST_SHIFT:
        found.append(f"{name}: what one reads moves by {shift:.3f}")
    if unsized := await page.evaluate(_UNSIZED):
        found.append(f"{name}: {unsized} pictures without width and height")
    for size, scheme in ((BROAD, "light"), (BROAD, "dark"), (NARROW, "dark"), (NARROW, "light")):
        await page.set_viewport_size(size)  # type: ignore[arg-type]
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await page.screenshot(
            path=SCREENS / f"{name}-{size['width']}-{scheme}.jpg", full_page=True, quality=70, type="jpeg"
        )
        if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{name}: wider than {size['width']}")
        if await page.evaluate(_SCROLLED_AWAY):
            found.append(f"{name}: where one can go is not all seen at {size['width']}")
        if AXE.exists() and (size is BROAD) == (scheme == "light"):
            found += [f"{name} {size['width']} {scheme}: {problem}" for problem in await _axe(page)]
    await page.set_viewport_size(BROAD)  # type: ignore[arg-type]
    return found


async def _axe(page: Page) -> list[str]:
    await page.evaluate(AXE.read_text())
    result = await page.evaluate("axe.run({ resultTypes: ['violations'], iframes: false })")
    return [f"{one['id']}: {node['html'][:120]}" for one in result["violations"] for node in one["nodes"]]
