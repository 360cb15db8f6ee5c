"""What is looked for in scenes is found where it is: each test breaks a page in one way."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.scenes.inspection import (
    COLOUR_RULES,
    Served,
    axe_violations,
    invalid,
    load_axe,
)
from tests.scenes.sweeps import GEOMETRY, hidden_focus, misplaced
from tests.scenes.window import TOUCH_WIDTH, WINDOW, Window

PAGE = """<!doctype html><html lang="en"><head><title>A page</title>
<meta name="viewport" content="width=device-width"><style>
:root {{ color-scheme: light dark; background: canvas; color: canvastext; }}
button {{ min-width: 44px; min-height: 44px; }}
</style></head><body><main><h1>A page</h1>{}</main></body></html>"""
LONG = "<p>and more</p>" * 60


@pytest.fixture(params=["scripts", "no scripts"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    scripts = request.param == "scripts"
    context = browser.new_context(java_script_enabled=scripts, **WINDOW)
    yield context.new_page()
    context.close()


def wrong(page: Page, html: str, *, width: int = 375) -> str:
    page.set_content(PAGE.format(html))
    Window(page).wear({"width": width, "height": 600}, "light")
    return "\n".join(page.evaluate(GEOMETRY, width < TOUCH_WIDTH))


def axe(page: Page, html: str, *rules: str, dark: bool = False) -> str:
    page.set_content(PAGE.format(html))
    Window(page).wear({"width": 375, "height": 600}, "dark" if dark else "light")
    load_axe(page, scripts=page.evaluate("matchMedia('(scripting: enabled)').matches"))
    return "\n".join(axe_violations(page, rules))


def test_page_without_faults(page: Page) -> None:
    html = '<p>Read <a href="/">this</a> first.</p><button>Go</button>'
    assert wrong(page, html) == axe(page, html) == axe(page, html, *COLOUR_RULES, dark=True) == ""


def test_image_without_words(page: Page) -> None:
    assert "axe image-alt: img" in axe(page, '<img src="data:,">')


def test_target_that_is_too_small_for_axe(page: Page) -> None:
    """The rule that WCAG 2.2 has added; axe leaves it out unless it is asked for."""
    buttons = '<a href="/" style="font-size: 8px">a</a> <a href="/" style="font-size: 8px">b</a>'
    assert "axe target-size" in axe(page, f"<div>{buttons}</div>")


def test_text_that_is_pale_in_the_dark_only(page: Page) -> None:
    html = '<p style="color: light-dark(#000, #333)">Pale</p>'
    assert axe(page, html) == ""
    assert "axe color-contrast: p" in axe(page, html, *COLOUR_RULES, dark=True)


def test_page_that_is_wider_than_its_window(page: Page) -> None:
    assert "sideways: html is 500 px wide in 375" in wrong(page, '<p style="width: 492px">A</p>')


def test_dialog_that_is_wider_than_itself(page: Page) -> None:
    style = "padding: 0; width: 300px; overflow: auto"
    html = f'<dialog open style="{style}"><p style="width: 310px">A</p></dialog>'
    assert "sideways: dialog is 310 px wide in 300" in wrong(page, html)


def test_id_given_twice(page: Page) -> None:
    assert 'twice: id="same"' in wrong(page, '<p id="same">A</p><p id="same">B</p>')


def test_control_that_is_smaller_than_a_finger(page: Page) -> None:
    html = '<button style="min-height: 43px">Go</button>'
    assert "small: <button> “Go” is" in wrong(page, html)
    assert wrong(page, html, width=1280) == ""


def test_box_to_tick_is_as_large_as_its_words(page: Page) -> None:
    words = (
        '<label style="display: inline-block; min-height: {}px"><input type="radio"> One</label>'
    )
    assert wrong(page, words.format(44)) == ""
    assert "small: <input> “on” is" in wrong(page, words.format(30))


def test_link_that_is_smaller_than_a_finger(page: Page) -> None:
    html = '<p><a href="/" style="display: inline-block; line-height: 40px">Run #1</a></p>'
    assert "small: <a> “Run #1” is" in wrong(page, html)
    assert wrong(page, html.replace("40px", "44px")) == ""


def test_words_that_are_not_in_their_own_direction(page: Page) -> None:
    html = "<p>Profile <{0}>זהיר</{0}> <input value='זהיר'></p>"
    assert "direction: “זהיר”" in wrong(page, html.format("b"), width=1280)
    isolated = html.format("bdi").replace("<input", '<input dir="auto"')
    assert wrong(page, isolated, width=1280) == ""


@pytest.mark.parametrize(
    ("query", "first"),
    [("@media (640px <= width < 700px)", 640), ("@container (620px < width < 700px)", 637)],
)
def test_page_that_is_too_wide_between_two_usual_widths(page: Page, query: str, first: int) -> None:
    style = f"main {{ container-type: inline-size }} {query} {{ p {{ width: 720px }} }}"
    page.set_content(PAGE.format(f"<style>{style}</style><p>A</p>"))
    found = "\n".join(misplaced(Window(page)))
    assert f"{first}, sideways: html is 728 px wide in {first}" in found
    assert "560, " not in found
    assert "768, " not in found


@pytest.mark.parametrize(
    ("style", "way"),
    [("position: sticky; top: 0", "Shift+Tab"), ("position: fixed; bottom: 0", "Tab")],
)
def test_focus_that_is_covered(page: Page, style: str, way: str) -> None:
    links = "".join(f'<p><a href="/">Link {number}</a></p>' for number in range(20))
    cover = f'<p style="{style}; margin: 0; height: 80px; width: 100%; background: #888">A</p>'
    page.set_content(PAGE.format(cover + links))
    found = "\n".join(hidden_focus(Window(page)))
    assert f"1280x500, hidden with the focus, by {way}: <a> “Link" in found
    room = "<style>html { scroll-padding-block: 90px } body { padding-bottom: 90px }</style>"
    page.set_content(PAGE.format(cover + links + room))
    assert list(hidden_focus(Window(page))) == []


def test_floating_button_that_covers_the_end(page: Page) -> None:
    html = '<form class="trigger-run" style="position: fixed; bottom: 0"><button>Go</button></form>'
    assert "covered: <p> “The end” at the end of the page" in wrong(
        page, f"{LONG}<p>The end</p>{html}"
    )
    above = f'{LONG}<p style="margin-bottom: 80px">The end</p>{html}'
    assert wrong(page, above) == ""


def test_html_that_a_browser_would_have_to_repair() -> None:
    assert (
        "Unexpected </p>"
        in invalid(Served("/", PAGE.format("<p><div></div></p>"), is_part=False))[0]
    )
    assert invalid(Served("/", "<p>A part</p></div>", is_part=True)) != []
    assert invalid(Served("/", PAGE.format("<p>A page"), is_part=False)) == []
    assert invalid(Served("/", "<p>A part</p>", is_part=True)) == []
