"""What a terminal leaves on its lines of text that holds control codes (ECMA-48, 5th edition).

A page is no screen: it has no rows to move between. What acts inside one line is carried out
(carriage return, backspace, moving and erasing in the line); all other codes are taken out whole.

A line end also ends every code that is still open. A terminal would read on, and a title without
its end would hide the rest of a log. So each line stands alone: whoever starts to read at the
beginning of a line, from whatever byte of the log, sees it as everybody else does.

Libraries were measured first: pyte and erbsland-ansi-convert render screens of a fixed width, at
0.15 to 0.25 s for 64 KB, and show the payload of device control strings; ansi2html, rich and
stransi are quick, but know colours only.
"""

import re

_LINE_WIDTH = 500
"""How far moves reach beyond the text of a line: a terminal stops them at its edge."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_CODE = re.compile(
    r"""
    # A control string (5.6): DCS, SOS, OSC, PM or APC, as a pair or as one 8-bit code, up to ST;
    # BEL as xterm takes it, and CAN, SUB or the beginning of another code end it too.
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
    """The text as its lines look in the end; what follows the last line end is still written."""
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
    """A line under a cursor; a cell for each character."""

    def __init__(self) -> None:
        self.cells: list[str] = []
        self.column = 0

    def write(self, text: str) -> None:
        if not text:
            return
        self.cells += " " * (self.column - len(self.cells))
        end = self.column + len(text)
        self.cells[self.column : end] = text
        self.column = end

    def carry_out(self, code: re.Match[str]) -> None:
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
            case "K":  # EL; its form 1, up to the cursor, no progress display uses
                if parameter in {"", "0"}:
                    del self.cells[self.column :]
                elif parameter == "2":
                    self.cells.clear()

    def _move_to(self, column: int) -> None:
        self.column = min(max(column, 0), max(len(self.cells), _LINE_WIDTH))
