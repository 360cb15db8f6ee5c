"""What stays where it is while something else changes, where scroll bars take up room."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.browser.pages import trigger_button
from tests.scenes.catalogue import SCENES
from tests.scenes.data import RUN_ID, iteration, run
from tests.scenes.environment import Stage
from tests.scenes.scene import Scene
from tests.support.chromium import launch_options
from tests.support.runs_api import data

OUTPUT = "\n".join(f"line {number} of the verification " + "long " * 40 for number in range(90))
MARKED = "line 44 of the verification"
MARK = """
(pre, words) => {  // from its end to its beginning, as a hand may do it
    const text = pre.firstChild;
    const start = text.data.indexOf(words);
    getSelection().setBaseAndExtent(text, start + words.length, text, start);
}
"""
READING = """
pre => [pre.scrollTop, scrollY, getSelection().toString(), getSelection().direction]
"""
EDGES = """
() => ["header", "main", "h1", "footer", ".trigger-run"]
    .map(selector => document.querySelector(selector).getBoundingClientRect())
    .map(({left, right}) => [left, right])
"""


@pytest.fixture(scope="module")
def stage(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """In a browser of its own, which shows scroll bars."""
    options = launch_options(playwright)
    browser = playwright.chromium.launch(**options, ignore_default_args=["--hide-scrollbars"])
    with Stage(browser, tmp_path_factory.mktemp("stage")) as stage:
        yield stage
    browser.close()


def scene(slug: str) -> Scene:
    return next(scene for scene in SCENES if scene.slug == slug)


def edges(page: Page) -> Any:
    return page.evaluate(EDGES)


def test_opened_output_keeps_its_place_and_what_is_marked(stage: Stage) -> None:
    """The run goes on meanwhile, and the part of the page around the output is replaced."""
    with stage.show(scene("run-running"), scripts=True) as visit:
        page = visit.page
        first = iteration(1, output=OUTPUT)
        shown = run(2, "running", iterations=[first, iteration(2, passed=None)])
        visit.answers(f"/runs/{RUN_ID}", data(shown))
        page.reload()
        page.locator("#iteration-1-summary").click()
        output = page.locator("#iteration-1-output")
        output.evaluate("pre => pre.scrollTo(0, 700)")
        output.evaluate(MARK, MARKED)
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        before = output.evaluate(READING)
        assert before[0] == 700
        assert before[1] > 0
        assert before[2:] == [MARKED, "backward"]

        shown = run(2, "failed", iterations=[first, iteration(2)], error="It failed at last.")
        visit.answers(f"/runs/{RUN_ID}", data(shown))
        expect(page.locator("#iteration-2")).to_contain_text("Verification failed")
        scroll_top, scroll_y, *marked = output.evaluate(READING)
        assert scroll_top == 700
        assert scroll_y > 0
        assert marked == [MARKED, "backward"]


@pytest.mark.parametrize("slug", ["work-order-30-runs", "work-order-never-run"])
def test_page_behind_the_dialog_stays_where_it_is(stage: Stage, slug: str) -> None:
    """Whether it is longer than the window, with a scroll bar that goes, or shorter."""
    with stage.show(scene(slug), scripts=True) as visit:
        page = visit.page
        page.set_viewport_size({"width": 1280, "height": 1100})
        before = edges(page)
        trigger_button(page).click()
        expect(page.locator("#trigger-dialog")).to_be_visible()
        assert edges(page) == before
        page.keyboard.press("Escape")
        expect(page.locator("#trigger-dialog")).to_be_hidden()
        assert edges(page) == before


def test_page_behind_the_dialog_stays_where_it_is_though_it_is_too_wide(stage: Stage) -> None:
    """A phone shows such a page smaller: its window is wider then, not by a scroll bar."""
    with stage.show(scene("work-order-30-runs"), scripts=True) as visit:
        page = visit.page
        phone = {"width": 656, "height": 800, "deviceScaleFactor": 1, "mobile": True}
        devtools = page.context.new_cdp_session(page)
        devtools.send("Emulation.setDeviceMetricsOverride", phone)
        page.locator("h1").evaluate("title => title.style.width = '900px'")
        before = edges(page)
        trigger_button(page).click()
        expect(page.locator("#trigger-dialog")).to_be_visible()
        assert edges(page) == before


def test_trigger_button_floats_small_while_somebody_reads(stage: Stage) -> None:
    with stage.show(scene("work-order-30-runs"), scripts=True) as visit:
        page = visit.page
        page.set_viewport_size({"width": 375, "height": 667})
        button = trigger_button(page)
        expect(button).to_contain_text("Trigger New Run", use_inner_text=True)
        page.mouse.wheel(0, 600)
        expect(page.locator("body")).to_have_attribute("data-scrolled", "")
        box = button.bounding_box()
        assert box
        assert box["width"] == box["height"] == 56
        expect(button).to_be_in_viewport(ratio=1)
        page.mouse.wheel(0, -600)
        expect(page.locator("body")).not_to_have_attribute("data-scrolled", "")

        page.set_viewport_size({"width": 375, "height": 470})
        expect(page.locator(".trigger-run")).to_have_css("position", "relative")


@pytest.mark.parametrize("height", [667, 330])
def test_toast_that_comes_while_the_page_is_scrolled_is_seen(stage: Stage, height: int) -> None:
    with stage.show(scene("work-order-30-runs"), scripts=True) as visit:
        page = visit.page
        page.set_viewport_size({"width": 640, "height": height})
        page.route("**/trigger/", lambda route: route.abort("connectionrefused"))
        page.evaluate("scrollTo(0, 1200)")
        trigger_button(page).evaluate("button => button.click()")
        toast = page.locator(".toast", has_text="Could not connect to server.")
        expect(toast).to_be_in_viewport(ratio=1)
