"""Foreign text is made legible: invisible characters are marked, and lengths are bounded."""

import re
import unicodedata
from html import unescape
from typing import Any

import pytest
from django.test import Client

from tests.support import runs_api as api
from tests.support.attempts import attempted
from tests.support.page_text import LOG, PAGES, show
from tests.support.runs_api import RunsAPI
from workorders.text.legible import LONGEST_CHARACTER, LONGEST_WORD, legible, legible_html

FLAG = "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in "gbsct") + "\U000e007f"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, naïve 日本語 🚀\n\ttab", "plain text, naïve 日本語 🚀\n\ttab"),
        ("start \u202enur on\u202c", "start [U+202E]nur on[U+202C]"),
        (
            "\u2066a\u2067b\u2068c\u2069\u200e\u200f\u061c",
            "[U+2066]a[U+2067]b[U+2068]c[U+2069][U+200E][U+200F][U+061C]",
        ),
        ("no\u200bspace\ufeff\xad\u3164\u2028", "no[U+200B]space[U+FEFF][U+00AD][U+3164][U+2028]"),
        ("\x00\x07\x1b[31m\x7f\x9b", "[U+0000][U+0007][U+001B][31m[U+007F][U+009B]"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("hidden\U000e0068\U000e0069", "hidden[U+E0068][U+E0069]"),
        ("a\u200db", "a[U+200D]b"),
        # Legitimate uses of invisible characters: emoji, flags, Persian, Vietnamese, Hindi.
        ("👩🏻\u200d❤️\u200d💋\u200d👨🏻", "👩🏻\u200d❤️\u200d💋\u200d👨🏻"),
        (FLAG, FLAG),
        ("می‌خواهم", "می‌خواهم"),
        ("Vie\u0323\u0302t क्षत्रिय", "Vie\u0323\u0302t क्षत्रिय"),
    ],
)
def test_invisible_characters_are_marked(text: str, shown: str) -> None:
    assert legible(text) == shown


@pytest.mark.parametrize(
    "text", ["a" + "\u0301" * 99_000, "क्" * 49_500, "\u1100" * 99_000, "😀\u200d" * 49_500]
)
def test_endless_character_is_cut(text: str) -> None:
    shown = legible(text)
    assert (
        shown == f"{text[:LONGEST_CHARACTER]}[+{len(text) - LONGEST_CHARACTER:,} in this character]"
    )


@pytest.mark.parametrize("letter", ["a", "ش", "ก", "<", "ö"])
def test_long_word_can_be_broken(letter: str) -> None:
    html = legible_html(letter * 1000)
    assert {len(unescape(piece)) for piece in html.split("<wbr>")} == {LONGEST_WORD}
    assert unescape(html.replace("<wbr>", "")) == letter * 1000


def test_excerpt_counts_every_code_point() -> None:
    assert legible("a" + "\u0301" * 99_000, 5) == "a\u0301\u0301\u0301…"


STRANGE = "\u202e" + "\ufdfd" * 100 + "e" + "\u0301" * 3000 + "\u2066\u200b\x9b31m\x1b[31m"


def strange_api(runs_api: RunsAPI) -> None:
    """Put strange text into every field of every response; IDs have the greatest allowed length."""
    own_id = STRANGE[:100]
    iteration = {"status": STRANGE, "verification": {"output": STRANGE}}
    run: dict[str, Any] = {
        "workOrderId": "wo-1",
        "status": STRANGE,
        "profileName": STRANGE,
        "error": STRANGE,
        "logSize": 9,
        "overrides": {"profileName": STRANGE},
        "iterations": [iteration],
        "waitingFor": {"runId": own_id},
        "triggeredBy": STRANGE,
    }
    source = {"path": STRANGE, "branch": STRANGE}
    about = {"taskPrompt": STRANGE * 3, "profileName": STRANGE, "workspaceSource": source}
    runs_api.has(**about, runs=[run | {"id": own_id}, run | {"id": "run-2", "status": "queued"}])
    runs_api.has_run(**run)
    runs_api.has_run(**run | {"id": "run-2", "status": "queued", "runNumber": None})
    runs_api.on("GET", "/work-orders", api.items({"id": own_id, "status": STRANGE} | about))
    runs_api.on("GET", "/runs/run-1/log", api.data(LOG | {"text": STRANGE}))
    runs_api.on("GET", "/runs/run-3", api.refusal(500, STRANGE, STRANGE))
    runs_api.has(id="wo-2")
    profiles = [{"name": STRANGE[:200], "description": STRANGE, "maxIterations": 3}]
    runs_api.on("GET", "/profiles", api.items(*profiles))
    runs_api.on("GET", "/health", api.data({"version": STRANGE}))
    isolation = {"isolated": 0, "notIsolated": 1, "reasons": [STRANGE]}
    runs_api.on("GET", "/queue/health", api.data({"isolation": isolation}))


def shown_text(html: str) -> str:
    """The text that is laid out or read out, without field values: forms send these unchanged."""
    return unescape(re.sub(r'\b(?:id|value|href|action|hx-[a-z]+)="[^"]*"|<wbr>', "", html))


@pytest.mark.parametrize(
    "path",
    [
        *(
            *PAGES,
            "/runs/run-2/",
            "/runs/run-2/cancel/",
            "/work-orders/wo-1/trigger/",
            "/runs-api/",
        ),
        *("/work-orders/wo-1/attempts/", "/work-orders/?q=%E2%80%AEx", "/runs/%E2%80%AEx/"),
        "/work-orders/wo-2/trigger/?version=&profile_name=%E2%80%AEx",
    ],
)
def test_pages_mark_invisible_characters_and_cut_endless_ones(
    runs_api: RunsAPI, operator: Client, operator_user: Any, path: str
) -> None:
    attempted(operator_user, profile_name=STRANGE[:200], api_request_id=STRANGE[:100])
    strange_api(runs_api)
    text = shown_text(operator.get(path).content.decode())
    unmarked = {f"U+{ord(char):04X}" for char in text if is_invisible(char)}
    assert not unmarked
    assert not re.search(f"\u0301{{{LONGEST_CHARACTER}}}", text)
    assert "[U+202E]" in text


def is_invisible(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf"} and character not in "\n\t\u200d"


def test_reference_of_an_error_is_marked(runs_api: RunsAPI, operator: Client) -> None:
    strange_api(runs_api)
    assert not any(map(is_invisible, shown_text(show(operator, "/runs/run-3/", 503))))


def test_unknown_status_is_shortened(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has(status="very " * 100)
    html = show(operator, "/work-orders/wo-1/")
    assert max(map(len, re.findall(r'data-status="([^"]*)"', html))) <= 40


def test_prompt_can_be_downloaded_unchanged(runs_api: RunsAPI, operator: Client) -> None:
    prompt = "start \u202enur on\u202c\r\n" + "a\u0301" * 50_000
    runs_api.has(taskPrompt=prompt)
    assert "/work-orders/wo-1/prompt/" in show(operator, "/work-orders/wo-1/")
    response = operator.get("/work-orders/wo-1/prompt/")
    assert response.content.decode() == prompt
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="wo-1.txt"'
    assert operator.get("/work-orders/gone/prompt/").status_code == 404


def test_page_of_endless_texts_has_a_bounded_length(runs_api: RunsAPI, operator: Client) -> None:
    """The end of an output is kept, since failures end there, and the beginning of a prompt."""
    long = "word " * 60_000 + "the end"
    iteration = {"number": 1, "status": "failed", "verification": {"output": long}}
    about = {"profileName": long, "status": long}
    overrides = {"profileName": long}
    run = about | {"error": long, "overrides": overrides, "iterations": [iteration]}
    runs_api.has(taskPrompt=long, workspaceSource={"path": long}, runs=[{"id": "r"} | run], **about)
    runs_api.has_run(**run)
    for path in ("/work-orders/wo-1/", "/runs/run-1/", "/work-orders/wo-1/trigger/"):
        html = show(operator, path)
        assert len(html) < 200_000
    shown = show(operator, "/runs/run-1/")
    assert shown.count("the end") == 2
    assert "[200,007 characters left out here]" in shown
