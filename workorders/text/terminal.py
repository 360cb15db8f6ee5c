"""Renders text with terminal control codes (ECMA-48, 5th edition) as plain lines.

Codes that act within a line are carried out: carriage return, backspace, cursor movement and
erasing. All other codes are removed, because a page has no screen rows to move between.

The end of a line also ends every unfinished code. A terminal would continue to read the code, and
a title without an end would hide the rest of a log. Every line is therefore rendered without
regard to other lines, and looks the same wherever in the log a reader starts.

Why no library: pyte and erbsland-ansi-convert render screens of a fixed width, need 0.15 to 0.25 s
for 64 KB, and show the payload of device control strings. ansi2html, rich and stransi are fast,
but support colours only.
"""

import re

_LINE_WIDTH = 500
"""The column at which the cursor stops, as at the edge of a terminal, if the line is shorter."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_CODE = re.compile(
    r"""
    # A control string (5.6): DCS, SOS, OSC, PM or APC, as two characters or as one 8-bit code.
    # ST ends the string; so do BEL (as in xterm), CAN, SUB and the beginning of another code.
    (?:\x1b[PX\]^_]|[\x90\x98\x9d-\x9f])[^\x00-\x08\x0a-\x1f\x7f-\x9f]*+
        (?:\x07|\x1b\\|\x9c|(?=[\x18\x1a\x1b\x80-\x9f]))
    # A control sequence (5.4): parameters, intermediates, final byte.
    | (?:\x1b\[|\x9b)(?P<parameters>[0-?]*+)(?P<intermediates>[\ -/]*+)(?P<final>[@-~]?)
    # An escape sequence (ECMA-35, 13): ESC, intermediates, final byte.
    | \x1b[\ -/]*+[0-~]?
    # A control function of one character (5.2, 5.3).
    | (?P<single>[\x00-\x08\x0b-\x1f\x7f-\x9f])
    """,
    re.VERBOSE,
)
_OPEN_STRING = re.compile(
    r"(?:\x1b[PX\]^_]|[\x90\x98\x9d-\x9f])[^\x00-\x08\x0a-\x1f\x7f-\x9f]*+\x1b?\Z"
)


def rendered(text: str) -> str:
    """Return the text without control codes, as its lines look after all codes are carried out.

    The text after the last line end is an unfinished line, in which a control string may still be
    incomplete. Such a string is left out.
    """
    if not _CONTROL.search(text):
        return text
    *lines, unfinished = text.split("\n")
    shown = [_rendered_line(line) for line in lines]
    shown.append(_rendered_line(_OPEN_STRING.sub("", unfinished)))
    return "\n".join(shown)


def _rendered_line(line: str) -> str:
    line = line.removesuffix("\r")
    if not _CONTROL.search(line):
        return line
    written = _Line()
    end = 0
    for code in _CODE.finditer(line):
        written.write(line[end : code.start()])
        written.carry_out(code)
        end = code.end()
    written.write(line[end:])
    return "".join(written.cells)


class _Line:
    """A line of a terminal: one cell per character, and the column of the cursor."""

    def __init__(self) -> None:
        self.cells: list[str] = []
        self.column = 0

    def write(self, text: str) -> None:
        """Write at the cursor, over the text that is there, and move the cursor behind."""
        if not text:
            return
        self.cells += " " * (self.column - len(self.cells))
        end = self.column + len(text)
        self.cells[self.column : end] = text
        self.column = end

    def carry_out(self, code: re.Match[str]) -> None:
        """Apply one match of ``_CODE``; codes that do not act within a line have no effect."""
        match code["single"]:
            case "\r":
                self.column = 0
            case "\b":
                self._move_to(self.column - 1)
        if not code["final"] or code["intermediates"]:
            return
        parameter = code["parameters"]
        count = max(int(parameter), 1) if parameter.isdecimal() and len(parameter) < 10 else 1
        match code["final"]:
            case "C":  # CUF
                self._move_to(self.column + count)
            case "D":  # CUB
                self._move_to(self.column - count)
            case "G" | "`":  # CHA, HPA
                self._move_to(count - 1)
            case "K":  # EL; no progress display uses form 1 (up to the cursor)
                if parameter in {"", "0"}:
                    del self.cells[self.column :]
                elif parameter == "2":
                    self.cells.clear()

    def _move_to(self, column: int) -> None:
        self.column = min(max(column, 0), max(len(self.cells), _LINE_WIDTH))
