"""What is wrong with a scene at some size of its window; the page is loaded once and resized.

A page that fits at one width fits at any greater one up to the next width at which its style
changes. So the widths looked at are the edges that the page's own style sheets name, and some
between them; ``THOROUGH`` adds a step every 16 pixels. Low windows are as they are left above a
keyboard, on a phone held sideways, or under high zoom.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Page, ViewportSize

from tests.scenes.window import TOUCH_WIDTH, Window
from tests.support.thorough import THOROUGH

HEIGHT = 800
WIDTHS = (320, 375, 480, 560, 768, 1024, 1280, 1920)
"""In CSS pixels. From 1152 on the page only gets wider margins (``--page`` in tokens.css)."""
EVERY_WIDTH = (*range(320, 1152, 16), *range(1152, 1921, 128)) if THOROUGH else ()
LOW_SCREENS: Sequence[ViewportSize] = (
    {"width": 1280, "height": 500},
    {"width": 375, "height": 330},
    {"width": 320, "height": 256},
)
LESS_LOW_SCREENS: Sequence[ViewportSize] = (
    {"width": 640, "height": 400},
    {"width": 375, "height": 667},
)
EDGES = (Path(__file__).parent / "edges.js").read_text()
GEOMETRY = (Path(__file__).parent / "geometry.js").read_text()
FOCUS = (Path(__file__).parent / "focus.js").read_text()


def problems_at_any_size(window: Window) -> list[str]:
    """Sentences, each with the size it was seen at; the window keeps the last size."""
    return [*misplaced(window), *hidden_focus(window)]


def widths_of(page: Page) -> list[int]:
    """The widths at which something may begin not to fit, the narrowest first: a style begins at
    an edge, or just after it."""
    edges: list[int] = page.evaluate(EDGES)
    beside = {width + step for width in edges for step in (0, 1)}
    seen = {width for width in beside if WIDTHS[0] <= width <= WIDTHS[-1]}
    return sorted({*seen, *WIDTHS, *EVERY_WIDTH})


def misplaced(window: Window) -> Iterator[str]:
    """What is wider than its window, too small for a finger, or covered (``geometry.js``)."""
    for width in widths_of(window.page):
        window.resize({"width": width, "height": HEIGHT})
        found = window.page.evaluate(GEOMETRY, width < TOUCH_WIDTH)
        yield from (f"{width}, {problem}" for problem in found)


def hidden_focus(window: Window) -> Iterator[str]:
    """Stops of Tab that cannot be seen while they have the focus (WCAG 2.4.11).

    At each size every stop is focused from both sides by script, which scrolls to it as Tab and
    Shift+Tab do.
    """
    for screen in (*LOW_SCREENS, *(LESS_LOW_SCREENS if THOROUGH else ())):
        window.resize(screen)
        hidden = window.page.evaluate(FOCUS)
        yield from (f"{screen['width']}x{screen['height']}, {problem}" for problem in hidden)
