"""Where scenes are shown: the real product, a scripted runs API behind it, a browser before it."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx
from playwright.sync_api import Browser, BrowserContext, Page

from tests.scenes.data import PROFILES, work_order
from tests.scenes.scene import Dashboard, Scene, Visit, Who, stay
from tests.scenes.seed import ATTEMPTS, seed
from tests.scenes.window import DESKTOP, WINDOW, Window
from tests.support import runs_api
from tests.support.product import Product
from tests.support.runs_api import RunsAPI, data, items

VARIABLES = {
    # One process, so that all pages know the same of the runs API.
    "WEB_PROCESSES": "1",
    # What is looked for is looked for as long as anybody looks at the scene.
    "RUNS_API_SETTLE_SECONDS": "60",
    # The second wrong password is one too many.
    "PASSWORD_ATTEMPTS": "1",
}
TABLE, BROKEN = "workorders_triggerattempt", "workorders_triggerattempt_broken"


@dataclass
class Set:
    """One product with the runs API that it calls."""

    product: Product
    api: RunsAPI
    sessions: dict[str, str]
    browser: httpx.Client
    is_away: bool = False
    is_broken: bool = False

    def clear(self) -> None:
        """As before the first scene: nothing that one has done is seen in the next."""
        if self.is_broken:
            self._execute(f"ALTER TABLE {BROKEN} RENAME TO {TABLE}")
        keys = ", ".join(f"'{attempt['key'].replace('-', '')}'" for attempt in ATTEMPTS)
        self._execute(f"DELETE FROM {TABLE} WHERE key NOT IN ({keys})")
        self._execute("DELETE FROM workorders_passwordthrottle")
        self.api.replies.clear()
        self.api.on("GET", "/work-orders", items(work_order()))
        self.api.on("GET", "/profiles", items(*PROFILES))
        self.api.on("GET", "/health", data({"status": "healthy", "version": "0.2.26"}))
        if self.is_away:
            self.api.come_back()
        self.is_broken = self.is_away = False
        # The dashboard sees that all is well: no banner is left over.
        self.browser.get("/work-orders/").raise_for_status()

    def api_leaves(self) -> None:
        self.is_away = True
        self.api.go_away()

    def break_database(self) -> None:
        self.is_broken = True
        self._execute(f"ALTER TABLE {TABLE} RENAME TO {BROKEN}")

    def _execute(self, statement: str) -> None:
        path = self.product.data_dir / "dashboard.sqlite3"
        with closing(sqlite3.connect(path, timeout=30)) as database, database:
            database.execute(statement)


@dataclass
class Stage:
    """Products start when the first scene needs them; ``close()`` ends them."""

    browser: Browser
    directory: Path
    _sets: dict[Dashboard, Set] = field(default_factory=dict)
    _contexts: dict[tuple[Dashboard, bool], BrowserContext] = field(default_factory=dict)
    _windows: dict[tuple[Dashboard, bool], Window] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextmanager
    def show(self, scene: Scene, *, scripts: bool) -> Iterator[Visit]:
        """A window that shows the scene; it is left at the end."""
        shown = self._set(scene.dashboard)
        shown.clear()
        window = self._window(scene, shown, scripts=scripts)
        page = window.page
        visit = Visit(
            window=window,
            api=shown.api,
            scripts=scripts,
            is_typical=scene.is_typical,
            api_leaves=shown.api_leaves,
            break_database=shown.break_database,
        )
        page.on("response", visit.remember)
        try:
            scene.reach(visit)
            if not scripts:  # what waits for something loads itself again there
                stay(page)
            yield visit
        finally:
            page.remove_listener("response", visit.remember)
            for route in visit.held:
                route.abort()
            page.unroute_all(behavior="ignoreErrors")
            self._leave(page)

    def _window(self, scene: Scene, shown: Set, *, scripts: bool) -> Window:
        """One that has been used before, if any: a new one costs as much as a page."""
        context = self._context(scene, shown, scripts=scripts)
        key = (scene.dashboard, scripts)
        if not context.pages:
            self._windows[key] = Window(context.new_page())
        window = self._windows[key]
        window.page.unroute_all(behavior="ignoreErrors")
        window.wear(DESKTOP, "light")
        return window

    @staticmethod
    def _leave(page: Page) -> None:
        """Nothing that the page remembers is there in the next scene."""
        if page.evaluate("sessionStorage.length"):
            page.close()
        else:
            stay(page)  # until the next scene, which so finds the same process of the browser

    def _context(self, scene: Scene, shown: Set, *, scripts: bool) -> BrowserContext:
        """Kept for the files that it has in its cache, with nobody's cookies but the person's."""
        key = (scene.dashboard, scripts)
        if key not in self._contexts:
            self._contexts[key] = self.browser.new_context(
                base_url=shown.product.url, java_script_enabled=scripts, **WINDOW
            )
            self._stack.callback(self._contexts[key].close)
        context = self._contexts[key]
        context.clear_cookies()
        if scene.who is not Who.STRANGER:
            session = shown.sessions[scene.who.value]
            context.add_cookies([{"name": "sessionid", "value": session, "url": shown.product.url}])
        return context

    def _set(self, dashboard: Dashboard) -> Set:
        if dashboard not in self._sets:
            api = self._stack.enter_context(runs_api.serve())
            own = {"RUNS_API_URL": api.url, "RUNS_API_KEY": runs_api.API_KEY}
            variables = VARIABLES | own | dict(dashboard.value)
            product = Product(self.directory / dashboard.name, **variables)
            self._stack.enter_context(product)
            sessions = seed(product)
            operator = {"sessionid": sessions["operator"]}
            browser = httpx.Client(base_url=product.url, cookies=operator, trust_env=False)
            self._stack.enter_context(browser)
            self._sets[dashboard] = Set(product, api, sessions, browser)
        return self._sets[dashboard]
