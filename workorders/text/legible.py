"""Makes text from other systems safe to show: no invisible characters, fast to lay out.

- Invisible characters that change the look or the meaning of other text are replaced by their
  code, such as ``[U+202E]``. These are bidirectional controls (UAX #9), other control
  characters, characters without a glyph, and joiners after ASCII, where they join nothing.
- A character, in the sense of an extended grapheme cluster (UAX #29), is cut to
  ``LONGEST_CHARACTER`` code points. A note says how many code points are left out. Browsers need
  minutes for a letter with 99,000 accents, and cannot break a line inside of it.
- A long word can be broken after every ``LONGEST_WORD`` characters. Browsers need half a minute
  for a word of 99,000 characters in scripts with joined letters, and in scripts whose words are
  found by dictionary.
"""

import re

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from wcwidth import iter_graphemes

LONGEST_CHARACTER = 16
"""The most code points of a character.

The longest emoji have 10, and no natural text has more than 30 marks on a letter (UAX #15).
"""
LONGEST_WORD = 100
_BREAK = "\0"  # marks where a word can be broken; _INVISIBLE has replaced any other NUL

_INVISIBLE = re.compile(
    # Tags have a meaning inside the emoji of a flag. Elsewhere they can hide text.
    "(?P<flag>\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f)"
    "|[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b"
    "\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    "|(?<![^\x00-\x7f])[\u200c\u200d]+"
)
_LONG_WORD = re.compile(rf"\S{{{LONGEST_WORD}}}(?=\S)")


def legible(text: str, longest: int | None = None) -> str:
    """Return the text for attributes and titles, not escaped.

    Args:
        text: the original text.
        longest: the most characters of ``text`` to use; a longer text ends with an ellipsis.
            ``None``: all of the text.
    """
    return _laid_out(_excerpt(text, longest)).replace(_BREAK, "")


def legible_html(text: str, longest: int | None = None) -> SafeString:
    """Return the text as the content of an HTML element: escaped, with ``<wbr>`` in long words.

    For the arguments, see ``legible``.
    """
    escaped = escape(_laid_out(_excerpt(text, longest)))
    return mark_safe(escaped.replace(_BREAK, "<wbr>"))  # noqa: S308 (escaped above)


def _excerpt(text: str, longest: int | None) -> str:
    return text if longest is None or len(text) <= longest else f"{text[: longest - 1]}…"


def _laid_out(text: str) -> str:
    """Apply the three rules of this module, with ``_BREAK`` where a word can be broken."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _INVISIBLE.sub(_codes, text)
    if text.isascii():
        return _LONG_WORD.sub(rf"\g<0>{_BREAK}", text)
    return "".join(_pieces(text))


def _codes(found: re.Match[str]) -> str:
    return found["flag"] or "".join(f"[U+{ord(character):04X}]" for character in found[0])


def _pieces(text: str) -> list[str]:
    """Return the characters of the text, each cut if it is too long, with ``_BREAK`` between."""
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
