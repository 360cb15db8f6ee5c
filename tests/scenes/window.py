"""A browser window, and the screens that one page is looked at on without loading it again."""

from collections.abc import Sequence
from typing import Any, Literal

from playwright.sync_api import Page, ViewportSize

from tests.support.product import wait_until

Scheme = Literal["light", "dark"]
SCHEMES: Sequence[Scheme] = ("light", "dark")
TOUCH_WIDTH = 640
"""Below it, things are pressed with fingers (specification, Mobile Considerations)."""
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 375, "height": 812}
WINDOW: dict[str, Any] = {
    "viewport": DESKTOP,
    "color_scheme": "light",
    "reduced_motion": "reduce",  # what moves is never looked at half-way
    "locale": "en-US",
    "timezone_id": "UTC",
}
"""How every window is opened."""
LOOKS = "[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light']"
SETTLE = """
document.getAnimations()
    .filter((animation) => Number.isFinite(animation.effect.getComputedTiming().endTime))
    .forEach((animation) => animation.finish())
"""


class Window:
    """Around a page that is there already."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._devtools = page.context.new_cdp_session(page)
        self._is_touched: bool | None = None

    def wear(self, screen: ViewportSize, scheme: Scheme) -> None:
        """Look at the page on another screen, when nothing moves on it any more."""
        self.resize(screen)
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        wait_until(lambda: self.page.evaluate(LOOKS) == [screen["width"], scheme])
        # Whoever wants no motion gets a transition of no time: still, that is one frame.
        self.page.evaluate(SETTLE)

    def resize(self, screen: ViewportSize) -> None:
        """The same page and colours at another size."""
        shape = {"deviceScaleFactor": 1, "mobile": False}
        self._devtools.send("Emulation.setDeviceMetricsOverride", {**screen, **shape})
        self._touch(screen)
        self.page.evaluate(SETTLE)

    def _touch(self, screen: ViewportSize) -> None:
        """Playwright has this for windows yet to be opened only."""
        is_touched = screen["width"] < TOUCH_WIDTH
        if is_touched != self._is_touched:
            enabled = {"enabled": is_touched}
            self._devtools.send("Emulation.setTouchEmulationEnabled", enabled)
        self._is_touched = is_touched
