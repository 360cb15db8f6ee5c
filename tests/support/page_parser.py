"""A page as a person without a browser uses it: its text, links and forms, and their effects."""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

VOID = {"br", "hr", "img", "input", "link", "meta"}
"""Elements without an end tag."""

type Send = Callable[[str, str, Mapping[str, str]], "Screen"]
"""Sends a request (method, URL, fields) and returns the screen that follows."""


@dataclass
class Form:
    method: str = "get"
    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.seen: list[str] = []
        self._hidden = 0
        self._in_form = False
        self._select = ""
        self._words: list[str] | None = None
        self._href = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        attrs = {name: value or "" for name, value in attributes}
        if tag not in VOID and (self._hidden or "hidden" in attrs or tag == "template"):
            self._hidden += 1
        match tag:
            case "form":
                self._in_form = True
                self.forms.append(Form(attrs.get("method", "get"), attrs.get("action", "")))
            case "input" if self._in_form and attrs.get("name"):
                self.forms[-1].fields[attrs["name"]] = attrs.get("value", "")
            case "select" if self._in_form:
                self._select = attrs.get("name", "")
            case "option" if self._select and (
                "selected" in attrs or self._select not in self.forms[-1].fields
            ):
                self.forms[-1].fields[self._select] = attrs.get("value", "")
            case "button" | "a":
                self._words, self._href = [], attrs.get("href", "")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= bool(self._hidden)
        if tag == "form":
            self._in_form = False
        elif tag == "select":
            self._select = ""
        elif tag in {"button", "a"} and self._words is not None:
            words = " ".join(" ".join(self._words).split())
            if tag == "a":
                self.links[words] = self._href
            elif self._in_form:
                self.forms[-1].buttons.append(words)
            self._words = None

    def handle_data(self, text: str) -> None:
        if not self._hidden:
            self.seen.append(text)
        if self._words is not None:
            self._words.append(text)


class Screen:
    """A page; ``url`` is that of the address bar or, in a dialog that htmx fills, its own."""

    def __init__(self, url: str, status: int, html: str, send: Send) -> None:
        self.url = url
        self.status = status
        self._send = send
        self._reader = _Reader()
        self._reader.feed(html)
        self.text = " ".join(" ".join(self._reader.seen).split())

    def form(self, button: str) -> Form | None:
        """The form with a button whose text begins so, e.g. ``"Retry"``; ``None`` without one."""
        return next(
            (
                form
                for form in self._reader.forms
                if any(words.startswith(button) for words in form.buttons)
            ),
            None,
        )

    def at(self, send: Send) -> "Screen":
        """The same page in another tab or window."""
        other = copy(self)
        other._send = send
        return other

    @property
    def starts(self) -> list[Form]:
        """The forms whose buttons start a run."""
        words = ("Start Run", "Retry")
        forms = [form for form in self._reader.forms if "key" in form.fields]
        return [form for form in forms if any(b.startswith(words) for b in form.buttons)]

    @property
    def key(self) -> str:
        """The idempotency key of the open dialog; ``StopIteration`` without a dialog."""
        return next(form.fields["key"] for form in self._reader.forms if "key" in form.fields)

    def link(self, words: str) -> str:
        """The URL of the first link whose text contains the words; ``""`` without one."""
        return next((url for text, url in self._reader.links.items() if words in text), "")

    def htmx_redirect(self, url: str) -> "Screen":
        return self._send("get", url, {})

    def press(self, button: str, **typed: str) -> "Screen":
        form = self.form(button)
        assert form, f"there is no {button}: {self.text}"
        after = self._send(form.method, urljoin(self.url, form.action), form.fields | typed)
        return self if after.status == 204 else after

    def reload(self) -> "Screen":
        return self._send("get", self.url, {})
