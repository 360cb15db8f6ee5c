"""Colours that stand on each other can be told apart (WCAG 2.2, 1.4.3 and 1.4.11).

axe measures the pairs that a scene happens to show; this measures all that the design uses.
"""

import itertools
from collections.abc import Iterator, Mapping

import pytest
from playwright.sync_api import Browser

from tests.scenes.window import SCHEMES, WINDOW, Window
from tests.support.product import Product

TEXT, CONTROL = 4.5, 3.0
"""The least contrast of text with what it stands on, and of a control's edge with what is next to
it; large text could do with less, and gets no less here."""
SURFACES = ("surface", "surface-raised", "surface-sunken")
TINTS = ("good-tint", "bad-tint", "wait-tint", "accent-tint")
BACKGROUNDS: Mapping[str, tuple[str, ...]] = {
    "ink": (*SURFACES, *TINTS),
    "ink-soft": (*SURFACES, *TINTS),
    "accent": (*SURFACES, *TINTS),  # links
    "accent-strong": (*SURFACES, *TINTS),
    "on-accent": ("accent", "accent-strong"),
    "good": (*SURFACES, "good-tint"),
    "bad": (*SURFACES, "bad-tint"),
    "wait": (*SURFACES, "wait-tint"),
    "surface": ("ink",),  # the tooltip
    "surface-raised": ("bad",),  # the button that cancels
}
"""What each colour of a text stands on."""
EDGES: Mapping[str, tuple[str, ...]] = {
    "line-strong": SURFACES,
    "accent": (*SURFACES, *TINTS),  # the outline of what has the focus
    "bad": SURFACES,  # a field with an error
}
"""What stands next to the edge of a control."""
PAIRS = [
    (colour, background, least)
    for table, least in ((BACKGROUNDS, TEXT), (EDGES, CONTROL))
    for colour, backgrounds in table.items()
    for background in backgrounds
]
READ = """
names => {
    const probe = document.body.appendChild(document.createElement("span"));
    probe.style.transitionProperty = "none";  // the colour itself, not one on the way to it
    const canvas = document.createElement("canvas").getContext("2d", {colorSpace: "srgb"});
    return Object.fromEntries(names.map(name => {
        const isSet = getComputedStyle(probe).getPropertyValue(`--${name}`) !== "";
        probe.style.color = `var(--${name})`;
        canvas.fillStyle = getComputedStyle(probe).color;
        canvas.fillRect(0, 0, 1, 1);
        return [name, isSet ? [...canvas.getImageData(0, 0, 1, 1).data] : null];
    }));
}
"""
Colours = Mapping[str, list[int] | None]


@pytest.fixture(
    scope="module", params=itertools.product(SCHEMES, ("no-preference", "more")), ids="-".join
)
def colours(
    request: pytest.FixtureRequest, browser: Browser, product: Product
) -> Iterator[Colours]:
    """The tokens as Chromium paints them: red, green, blue and alpha, from 0 to 255."""
    scheme, contrast = request.param
    page = browser.new_page(contrast=contrast, **WINDOW)
    page.goto(f"{product.url}/sign-in/")
    Window(page).wear({"width": 1280, "height": 800}, scheme)
    yield page.evaluate(READ, sorted({name for pair in PAIRS for name in pair[:2]}))
    page.close()


def test_can_be_told_apart(colours: Colours) -> None:
    """Each pair, with the contrast that it has."""
    measured = [(*pair, contrast(colours, *pair[:2])) for pair in PAIRS]
    assert [pair for pair in measured if pair[3] < pair[2]] == []


def contrast(colours: Colours, first: str, second: str) -> float:
    """From 1 to 21."""
    darker, lighter = sorted(luminance(colours, name) for name in (first, second))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colours: Colours, name: str) -> float:
    """Relative luminance, from 0 to 1 (WCAG 2.2, Glossary)."""
    colour = colours[name]
    assert colour, f"there is no --{name}"
    assert colour[3] == 255, f"--{name} lets shine through what is below it"
    red, green, blue = (linear(value / 255) for value in colour[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
