"""What is wrong with a scene at some size of its window; the page is loaded once and resized.

No size is special: every width in steps is looked at, and low windows as they are left above a
keyboard, on a phone held sideways, or under high zoom.
"""

from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, ViewportSize

from tests.scenes.inspection import GEOMETRY
from tests.scenes.window import Window

WIDTHS = (*range(320, 1152, 16), *range(1152, 1921, 128))
"""In CSS pixels. From 1152 on the page only gets wider margins (``--page`` in tokens.css)."""
LOW_SCREENS: tuple[ViewportSize, ...] = (
    {"width": 1280, "height": 500},
    {"width": 640, "height": 400},
    {"width": 375, "height": 667},
    {"width": 375, "height": 330},
    {"width": 320, "height": 256},
)
FOCUS = (Path(__file__).parent / "focus.js").read_text()
START = """
() => {
    window.stops = [];
    const root = document.querySelector("dialog:modal") ?? document.body;
    root.tabIndex = -1;
    root.focus();
    root.removeAttribute("tabindex");
}
"""
"""The next press of Tab goes to the first stop, as if the page or the dialog had just come."""
STOP = """
() => {
    const stop = document.activeElement;
    if (stop === document.body || window.stops.includes(stop)) return false;
    window.stops.push(stop);
    return true;
}
"""
"""Whether Tab has come to an element that it has not stopped at before."""


def problems_at_any_size(page: Page) -> list[str]:
    """Sentences, each with the size it was seen at; the window keeps the last size."""
    window = Window(page)
    return [*sideways(page, window), *hidden_focus(page, window)]


def sideways(page: Page, window: Window) -> Iterator[str]:
    """Widths at which the page, or the dialog over it, is wider than its window."""
    for width in WIDTHS:
        window.resize({"width": width, "height": 800})
        found = page.evaluate(GEOMETRY, arg=False)
        yield from (f"{width}, {problem}" for problem in found if problem.startswith("sideways"))


def hidden_focus(page: Page, window: Window) -> Iterator[str]:
    """Stops of Tab that cannot be seen while they have the focus (WCAG 2.4.11).

    Tab is pressed until it has been everywhere once. At each size every stop is then focused
    from both sides by script, which scrolls to it as Tab and Shift+Tab do.
    """
    window.resize(LOW_SCREENS[0])
    page.evaluate(START)
    window.press_tab()
    while page.evaluate(STOP):
        window.press_tab()
    for screen in LOW_SCREENS:
        window.resize(screen)
        hidden = page.evaluate(f"() => ({FOCUS})(window.stops)")
        yield from (f"{screen['width']}x{screen['height']}, {problem}" for problem in hidden)
