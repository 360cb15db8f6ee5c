"""Text from elsewhere as a page can show it: nothing invisible, nothing that cannot be laid out.

- What is invisible and changes what the rest looks like or means is written as its code,
  ``[U+202E]``: controls of direction (UAX #9), other controls, characters without a shape,
  and joiners that join nothing.
- A character, in the sense of UAX #29 (extended grapheme cluster), has ``LONGEST_CHARACTER``
  code points at most; how many more there were is said. Browsers take minutes for a letter
  with 99,000 accents, and cannot break it.
- A long word can be broken every ``LONGEST_WORD`` characters: browsers take half a minute for
  one of 99,000 in scripts whose letters join or whose words are found by dictionary.
"""

import re

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from wcwidth import iter_graphemes

LONGEST_CHARACTER = 16
"""Code points; the longest emoji have 10, and UAX #15 calls more than 30 marks no text."""
LONGEST_WORD = 100
_BREAK = "\0"  # a character that no text holds after the first step

_INVISIBLE = re.compile(
    # A flag's tags have a meaning; by themselves they hide text.
    "(?P<flag>\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f)"
    "|[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b"
    "\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    "|(?<![^\x00-\x7f])[\u200c\u200d]+"
)
_LONG_WORD = re.compile(rf"\S{{{LONGEST_WORD}}}(?=\S)")


def legible(text: str, longest: int | None = None) -> str:
    """As plain text, for attributes and titles; ``longest``: an excerpt of so many characters."""
    return _laid_out(_excerpt(text, longest)).replace(_BREAK, "")


def legible_html(text: str, longest: int | None = None) -> SafeString:
    """The same for the content of an element: escaped, and long words can be broken."""
    escaped = escape(_laid_out(_excerpt(text, longest)))
    return mark_safe(escaped.replace(_BREAK, "<wbr>"))  # noqa: S308 (escaped above)


def _excerpt(text: str, longest: int | None) -> str:
    return text if longest is None or len(text) <= longest else f"{text[: longest - 1]}…"


def _laid_out(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _INVISIBLE.sub(_codes, text)
    if text.isascii():
        return _LONG_WORD.sub(rf"\g<0>{_BREAK}", text)
    return "".join(_pieces(text))


def _codes(found: re.Match[str]) -> str:
    return found["flag"] or "".join(f"[U+{ord(character):04X}]" for character in found[0])


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    since_break = 0
    for character in iter_graphemes(text):
        if character.isspace():
            since_break = 0
        elif since_break == LONGEST_WORD:
            pieces.append(_BREAK)
            since_break = 1
        else:
            since_break += 1
        if len(character) > LONGEST_CHARACTER:
            more = len(character) - LONGEST_CHARACTER
            pieces += character[:LONGEST_CHARACTER], f"[+{more:,} in this character]"
        else:
            pieces.append(character)
    return pieces
