"""A picture of every scene: ``python -m tests.browser.pictures [BEGINNING OF A SLUG ...]``.

Into ``.pictures/``: ``SLUG-WIDTH-SCHEME.png`` for each, ``SLUG-page-…`` for what is a dialog with
JavaScript and a page of its own without it, and ``sheet-WIDTH-SCHEME-NUMBER.png``, on which many
of them can be looked at together.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import batched
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.scenes.catalogue import SCENES
from tests.scenes.environment import Stage
from tests.scenes.scene import Scene
from tests.scenes.window import DESKTOP, PHONE, SCHEMES, Window
from tests.support.chromium import launch_options
from tests.support.product import ROOT

FOLDER = ROOT / ".pictures"
VIEWS = (DESKTOP, PHONE)
SHEET_STYLE = """
body { margin: 0; padding: 20px; display: grid; gap: 20px; font: 16px sans-serif;
  grid-template-columns: repeat(%(columns)d, %(width)dpx); background: #888; }
figure { margin: 0; }
a { display: block; height: %(height)dpx; overflow: hidden; }
img { width: 100%%; }
figcaption { padding: 4px; background: #fff; white-space: nowrap; overflow: hidden; }
"""


@dataclass(frozen=True)
class Layout:
    """Of a contact sheet, in CSS pixels; what is higher than ``height`` is cut off there."""

    columns: int
    rows: int
    width: int
    height: int


LAYOUTS = {1280: Layout(3, 5, 640, 440), 375: Layout(5, 3, 352, 764)}


@dataclass(frozen=True)
class Picture:
    scene: Scene
    scripts: bool

    @property
    def slug(self) -> str:
        is_page = self.scene.is_dialog and not self.scripts
        return f"{self.scene.slug}-page" if is_page else self.scene.slug

    def path(self, width: int, scheme: str) -> Path:
        return FOLDER / f"{self.slug}-{width}-{scheme}.png"


def pictures(beginnings: Sequence[str]) -> Iterator[Picture]:
    for scene in SCENES:
        if beginnings and not scene.slug.startswith(tuple(beginnings)):
            continue
        for scripts in scene.scripts.ways if scene.is_dialog else scene.scripts.ways[:1]:
            yield Picture(scene, scripts)


def take(window: Window, picture: Picture) -> None:
    over_its_page = picture.scene.is_dialog and picture.scripts
    for view in VIEWS:
        # A picture of a full page gives the window back the size that Playwright knows.
        window.page.set_viewport_size(view)
        for scheme in SCHEMES:
            window.wear(view, scheme)
            path = picture.path(view["width"], scheme)
            window.page.screenshot(path=path, full_page=not over_its_page)


def write_sheets(browser: Browser, taken: Sequence[Picture]) -> None:
    page = browser.new_page()
    draft = FOLDER / "sheet.html"
    for width, layout in LAYOUTS.items():
        page.set_viewport_size({"width": 20 + layout.columns * (layout.width + 20), "height": 600})
        for scheme in SCHEMES:
            sheets = batched(taken, layout.columns * layout.rows)
            for number, sheet in enumerate(sheets, start=1):
                draft.write_text(sheet_html(sheet, layout, width, scheme))
                page.goto(draft.as_uri())
                path = FOLDER / f"sheet-{width}-{scheme}-{number:02}.png"
                page.screenshot(path=path, full_page=True)
    draft.unlink()
    page.close()


def sheet_html(sheet: Sequence[Picture], layout: Layout, width: int, scheme: str) -> str:
    figures = [
        f'<figure><a><img src="{picture.path(width, scheme).name}"></a>'
        f"<figcaption>{picture.slug}: {escape(picture.scene.title)}</figcaption></figure>"
        for picture in sheet
    ]
    style = SHEET_STYLE % vars(layout)
    return f"<!doctype html><meta charset=utf-8><style>{style}</style>{''.join(figures)}"


def main(beginnings: Sequence[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as directory:
        browser = playwright.chromium.launch(**launch_options(playwright))
        taken = list(pictures(beginnings))
        with Stage(browser, Path(directory)) as stage:
            for picture in taken:
                print(picture.slug, flush=True)
                with stage.show(picture.scene, scripts=picture.scripts) as visit:
                    take(visit.window, picture)
        write_sheets(browser, taken)
        browser.close()
    print(f"{len(taken) * len(VIEWS) * len(SCHEMES)} pictures are in {FOLDER}")


if __name__ == "__main__":
    main(sys.argv[1:])
