"""Everything that a machine can find wrong with a scene, on every screen it is looked at on.

The scene is reached once; only the window's size and the colour scheme change after that.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from justhtml import JustHTML, StrictModeError
from playwright.sync_api import Error, Page, ViewportSize

from tests.scenes.scene import Visit
from tests.scenes.sweeps import problems_at_any_size
from tests.scenes.window import DESKTOP, PHONE, SCHEMES, Scheme
from tests.support.thorough import THOROUGH

SCREENS: Sequence[ViewportSize] = (
    DESKTOP,
    {"width": 768, "height": 1024},
    PHONE,
    {"width": 320, "height": 640},
)
# For its copy of axe-core: its own call takes the whole result out of the page, and needs timers.
AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
SPOKEN = """
() => {
    const focused = document.activeElement;
    if (!focused.matches("main [tabindex='-1'], dialog [tabindex='-1']")) return [];
    const what = `focus: ${focused.outerHTML.slice(0, 120)}`;
    const name = document.getElementById(focused.getAttribute("aria-labelledby"));
    const isLive = focused.closest("[role=alert], [role=status], [aria-live]");
    return [
        ...(isLive ? [`${what} is live: it is read twice`] : []),
        ...(name?.textContent.trim() ? [] : [`${what} has no name: it is not read`]),
    ];
}
"""
"""Words that the focus was moved to are read with it, once (WCAG 4.1.3)."""
COLOUR_RULES = ("color-contrast", "link-in-text-block")
"""The rules that read colours. A scheme changes colours and nothing else, so in the dark one
they are the ones that can find anything new."""
AXE_OPTIONS: dict[str, Any] = {
    "resultTypes": ["violations"],
    # Style sheets are fetched for one experimental rule only, which is not among the tags.
    "preload": False,
}
RUN_AXE = """
([wholePage, options]) => {
    // What lies behind a modal dialog is inert, and a scene of its own.
    const dialog = wholePage ? null : document.querySelector("dialog:modal");
    if ([...document.links].some((link) => link.innerText.trim() === "Stop that")) {
        // A refresh that a person can turn off (WCAG 2.2, 2.2.1); axe takes any for a failure.
        options.rules = {"meta-refresh": {enabled: false}};
    }
    return axe.run(dialog ?? document, options).then(({violations}) => violations.flatMap(
        ({id, nodes}) => nodes.map(({target, html, failureSummary}) =>
            `axe ${id}: ${target.join(" ")} ${html.slice(0, 200)} ${failureSummary}`)));
}
"""
WITHOUT_TIMERS = """
() => {
    window.setTimeout = (call, milliseconds, ...rest) => {
        Promise.resolve().then(() => call(...rest));
        return 0;
    };
}
"""
"""Where JavaScript is off an evaluated script runs, and its promises, but no timer ever fires.
axe only uses timers to let the page breathe between two rules; the page has no script to stop."""


@dataclass(frozen=True)
class Served:
    """HTML as it came from the dashboard; ``is_part``: to be put into a page by htmx."""

    url: str
    html: str
    is_part: bool


def problems(visit: Visit) -> list[str]:
    """Sentences, each with the screen and scheme it was seen in; none: nothing is wrong."""
    found = [f"HTML: {problem}" for served in served_html(visit) for problem in invalid(served)]
    found += visit.page.evaluate(SPOKEN)
    load_axe(visit.page, scripts=visit.scripts)
    window = visit.window
    for screen, scheme in looks(visit):
        window.wear(screen, scheme)
        seen = axe_violations(visit.page, COLOUR_RULES if scheme == "dark" else ())
        found += [f"{screen['width']} {scheme}, {problem}" for problem in seen]
    window.wear(PHONE, "light")
    return found + problems_at_any_size(window)


def looks(visit: Visit) -> Sequence[tuple[ViewportSize, Scheme]]:
    """Where axe looks at a scene.

    Colours of a theme are the same on every screen, and without scripts they are the same as
    with them. The elements of a page are the same on every screen, too: what is hidden or laid
    out in another way on a wide one is shown by one scene of each template.
    """
    if THOROUGH:
        return [(screen, scheme) for screen in SCREENS for scheme in SCHEMES]
    if not visit.scripts:
        return [(PHONE, "light")]
    wide: Sequence[tuple[ViewportSize, Scheme]] = [(DESKTOP, "light")] if visit.is_typical else []
    return [*wide, (DESKTOP, "dark"), (PHONE, "light")]


def load_axe(page: Page, *, scripts: bool) -> None:
    if not scripts:
        page.evaluate(WITHOUT_TIMERS)
    page.evaluate(AXE)


def axe_violations(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """Of ``rules``; of none: of all rules with one of ``TAGS``."""
    chosen = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
    options = AXE_OPTIONS | {"runOnly": chosen}
    violations: list[str] = page.evaluate(RUN_AXE, [THOROUGH, options])
    return violations


def served_html(visit: Visit) -> Iterator[Served]:
    """What the page that is shown was made of: its own HTML, and the parts put into it."""
    for response in visit.responses:
        if "text/html" not in response.headers.get("content-type", ""):
            continue
        # Of a page that was left the browser keeps nothing; that page is another scene.
        with suppress(Error):
            is_part = "hx-request" in response.request.headers
            yield Served(response.url, response.text(), is_part)


def invalid(served: Served) -> list[str]:
    """The parse error that a browser would have to repair (HTML Standard, 13.2.2), if any."""
    try:
        JustHTML(served.html, fragment=served.is_part, strict=True)
    except StrictModeError as error:
        return [f"{served.url}: {error}"]
    return []
