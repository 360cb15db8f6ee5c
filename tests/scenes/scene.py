"""What a scene is: one page in one state, and the way there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from playwright.sync_api import Locator, Page, Response, Route, expect

from tests.scenes.window import Window
from tests.support.runs_api import Reply, RunsAPI
from tests.support.thorough import THOROUGH


class Who(Enum):
    """The person who looks."""

    OPERATOR = "operator"
    VIEWER = "viewer"
    """May look at everything and trigger nothing."""
    STRANGER = "stranger"
    """Has not signed in."""


class Dashboard(Enum):
    """How the dashboard is set up, as variables of its environment (docs/configuration.md)."""

    USUAL = (("RUNS_API_CANCELS", "run"),)
    CANCELS_WORK_ORDERS = (("RUNS_API_CANCELS", "work-order"),)
    DEVELOPMENT = (
        ("DEBUG", "1"),
        ("OIDC_ISSUER", "https://login.example.com"),
        ("OIDC_CLIENT_ID", "dashboard"),
        ("OIDC_CLIENT_SECRET", "of-the-dashboard"),
    )


class Scripts(Enum):
    """In which browsers the state exists."""

    SAME = "the same HTML with JavaScript and without; another scene of its template is BOTH"
    BOTH = "with JavaScript and without, where other parts of it are shown"
    DIALOG = "a dialog over its page with JavaScript, without it a page of its own"
    ONLY_WITH = "with JavaScript only"

    @property
    def ways(self) -> tuple[bool, ...]:
        """Whether scripts run, for each way to look at it."""
        if self is Scripts.ONLY_WITH or (self is Scripts.SAME and not THOROUGH):
            return (True,)
        return (True, False)


@dataclass
class Visit:
    """One browser window on its way to a scene, and the runs API behind the dashboard."""

    window: Window
    api: RunsAPI
    scripts: bool
    is_typical: bool
    """Whether it shows what the other scenes of its template look like on all screens."""
    api_leaves: Callable[[], None]
    """Connections to the runs API are refused from now on, until the next visit."""
    break_database: Callable[[], None]
    """The table of attempts cannot be read from now on, until the next visit."""
    responses: list[Response] = field(default_factory=list)
    """What the window got, from the first page to the scene."""

    held: list[Route] = field(default_factory=list)

    @property
    def page(self) -> Page:
        return self.window.page

    def hold(self, route: Route) -> None:
        """The request is not answered while anybody looks."""
        self.held.append(route)

    def remember(self, response: Response) -> None:
        self.responses.append(response)

    def go(self, path: str) -> None:
        self.page.goto(path)

    def sees(self, text: str) -> Locator:
        """The state is reached when this can be read."""
        found = self.page.get_by_text(text).locator("visible=true").first
        expect(found).to_be_visible()
        return found

    def press(self, name: str) -> None:
        """A button, a link or a summary by its words; its own page without JavaScript."""
        page = self.page
        found = page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name))
        found.or_(page.locator("summary", has_text=name)).locator("visible=true").first.click()

    def answers(self, path: str, reply: Reply, method: str = "GET") -> None:
        self.api.on(method, path, reply)


def stay(page: Page) -> None:
    """Whatever the page wants to load next, by itself too, it stays as it is."""

    def answer(route: Route) -> None:
        if route.request.is_navigation_request():
            route.fulfill(status=204)
        else:
            route.fallback()

    page.route("**/*", answer)


Reach = Callable[[Visit], None]


@dataclass(frozen=True)
class Scene:
    """``reach`` brings a window to the state and returns when it is settled."""

    slug: str
    title: str
    reach: Reach
    who: Who = Who.OPERATOR
    scripts: Scripts = Scripts.SAME
    dashboard: Dashboard = Dashboard.USUAL

    @property
    def is_typical(self) -> bool:
        return self.scripts is Scripts.BOTH

    @property
    def is_dialog(self) -> bool:
        return self.scripts is Scripts.DIALOG


class Gallery:
    """The scenes of one kind of page, in the order in which they are written down."""

    def __init__(self) -> None:
        self.scenes: list[Scene] = []

    def scene(
        self,
        slug: str,
        title: str,
        *,
        who: Who = Who.OPERATOR,
        scripts: Scripts = Scripts.SAME,
        dashboard: Dashboard = Dashboard.USUAL,
    ) -> Callable[[Reach], Reach]:
        def add(reach: Reach) -> Reach:
            self.scenes.append(Scene(slug, title, reach, who, scripts, dashboard))
            return reach

        return add
