"""The preferences for theme and keyboard shortcuts, which are stored in cookies."""

import re

import pytest
from django.test import Client

from tests.support.page_text import show
from tests.support.trigger_form import HTMX

PATH = "/preferences/"


def save(client: Client, **fields: str) -> str:
    """Save the preferences and return the path that the response redirects to."""
    response = client.post(PATH, {"theme": "system", "shortcuts": "on", **fields})
    assert response.status_code == 302
    return response["Location"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_theme_is_rendered_into_the_page(client: Client, db: None, theme: str) -> None:
    """The server renders the theme: the page would flash if a script set the theme later."""
    save(client, theme=theme)
    html = show(client, "/sign-in/")
    assert f'data-theme="{theme}"' in html
    assert f'<meta name="color-scheme" content="{theme}">' in html


def test_system_theme_applies_by_default(client: Client, db: None) -> None:
    save(client, theme="dark")
    save(client, theme="system")
    html = show(client, "/sign-in/")
    assert "data-theme" not in html
    assert '<meta name="color-scheme" content="light dark">' in html


def test_shortcuts_can_be_switched_off(client: Client, db: None) -> None:
    assert "data-shortcuts" in show(client, "/sign-in/")
    client.post(PATH, {"theme": "system"})
    assert "data-shortcuts" not in show(client, "/sign-in/")


def test_form_shows_the_saved_preferences(client: Client, db: None) -> None:
    client.post(PATH, {"theme": "dark"})
    html = show(client, PATH)
    assert re.findall(r'<input type="radio"[^>]*value="(\w+)"[^>]* checked', html) == ["dark"]
    assert not re.search(r'<input type="checkbox"[^>]* checked', html)


def test_made_up_theme_is_refused(client: Client, db: None) -> None:
    assert client.post(PATH, {"theme": '"><script>'}).status_code == 422
    client.cookies["theme"] = "made up"
    assert "data-theme" not in show(client, "/sign-in/")


def test_saving_redirects_back(client: Client, db: None) -> None:
    assert save(client, back="/runs/run-1/?page=2") == "/runs/run-1/?page=2"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://elsewhere.example/",
        "//elsewhere.example",
        "http://testserver//elsewhere.example/x",
        "http://testserver/\\elsewhere.example",
        "javascript:alert(1)",
        "x",
    ],
)
def test_saving_never_redirects_to_another_site(client: Client, db: None, elsewhere: str) -> None:
    assert save(client, back=elsewhere) == "/"
    html = client.get(PATH, headers={"Referer": elsewhere}).content.decode()
    assert '<a class="button" href="/">Back</a>' in html


def test_page_links_back_to_the_previous_page(client: Client, db: None) -> None:
    came_from = {"Referer": "http://testserver/runs/run-1/?page=2"}
    html = client.get(PATH, headers=came_from).content.decode()
    assert '<a class="button" href="/runs/run-1/?page=2">Back</a>' in html


def test_form_in_a_dialog_redirects_back_to_the_page_below(client: Client, db: None) -> None:
    current = {"HX-Current-URL": "http://testserver/runs/run-1/"}
    html = client.get(PATH, headers=HTMX | current).content.decode()
    assert html.lstrip().startswith("<form")
    assert 'name="back" value="/runs/run-1/"' in html
