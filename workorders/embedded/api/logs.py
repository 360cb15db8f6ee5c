"""The endpoint for a run's log, which clients read page by page."""

import codecs
from typing import Annotated, TypedDict

from django.http import HttpRequest
from pydantic import Field

from workorders.embedded.api.lookups import get_run
from workorders.embedded.api.operations import NOT_FOUND, Operation
from workorders.embedded.api.requests import LogQuery
from workorders.embedded.api.responses import ApiResponse, success
from workorders.embedded.api.schemas import Count
from workorders.embedded.api.validation import read_query
from workorders.embedded.models import FINAL, LogChunk, Run
from workorders.embedded.reaping import reap_in_passing

LONGEST_CHARACTER = 4
"""Bytes of the longest UTF-8 character. Every page may hold at least so many bytes, because a
shorter page could contain no complete character and reading would never advance."""
EIGHT_BIT_CODES = frozenset(b"\x90\x98\x9b\x9c\x9d\x9e\x9f")
"""The 8-bit control codes DCS, SOS, CSI, ST, OSC, PM and APC (ECMA-48, section 5.3).

Readers of the log need these codes to recognize where a control sequence begins and ends."""


class Log(TypedDict):
    offset: Annotated[int, Field(ge=0, description="Bytes of the log, like all offsets.")]
    nextOffset: Annotated[
        int,
        Field(ge=0, description="Where the next page begins; never inside a character."),
    ]
    size: Count
    complete: Annotated[
        bool, Field(description="The run has ended and this page reaches the end of its log.")
    ]
    text: Annotated[
        str,
        Field(
            description="UTF-8, with U+FFFD for what is none, but the control character for a byte"
            " that begins or ends an 8-bit control string or sequence (ECMA-48). Control characters"
            " are kept: escape it before it is shown."
        ),
    ]


@Operation(
    tag="runs",
    summary="A page of a run's log",
    query=LogQuery,
    returns=Log,
    says="The page.",
    refusals=(NOT_FOUND,),
)
def show_log(request: HttpRequest, run_id: str) -> ApiResponse:
    query = read_query(LogQuery, request)
    asked = query.offset
    reap_in_passing()
    run = get_run(run_id)
    offset = max(0, run.log_size + asked) if asked < 0 else min(asked, run.log_size)
    data = read_log(run, offset, max(query.limit, LONGEST_CHARACTER))
    if asked < 0 and offset:
        # A page that is counted from the end may begin inside a character: skip the rest of it.
        rest = data[: LONGEST_CHARACTER - 1]
        inside = next((i for i, byte in enumerate(rest) if byte & 0xC0 != 0x80), len(rest))
        offset, data = offset + inside, data[inside:]
    final = run.status in FINAL
    text, used = decode(data, to_the_end=final and offset + len(data) == run.log_size)
    page: Log = {
        "offset": offset,
        "nextOffset": offset + used,
        "size": run.log_size,
        "complete": final and offset + used == run.log_size,
        "text": text,
    }
    return success(page)


def read_log(run: Run, offset: int, limit: int) -> bytes:
    """At most ``limit`` bytes of the log from ``offset`` on.

    The end of the log is ``run.log_size``, as it was when ``run`` was read.
    """
    end = min(offset + limit, run.log_size)
    chunks = LogChunk.objects.filter(
        run=run, offset__gt=offset - LogChunk.MAX_BYTES, offset__lt=end
    ).order_by("offset")
    pieces = [
        bytes(chunk.data)[max(0, offset - chunk.offset) : end - chunk.offset] for chunk in chunks
    ]
    return b"".join(pieces)


def decode(data: bytes, *, to_the_end: bool) -> tuple[str, int]:
    """Decode UTF-8. Returns the text and the number of bytes that were decoded.

    A character that is cut off at the end of ``data`` is left for the next page, unless
    ``to_the_end`` is true. Bytes that are not UTF-8 become U+FFFD, except ``EIGHT_BIT_CODES``,
    which become the control characters U+0080 to U+009F of the same number.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace-but-8-bit-codes")
    text = decoder.decode(data, final=to_the_end)
    return text, len(data) - len(decoder.getstate()[0])


def _replace_but_codes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    byte = error.object[error.start]
    is_code = error.end - error.start == 1 and byte in EIGHT_BIT_CODES
    return chr(byte) if is_code else "\ufffd", error.end


codecs.register_error("replace-but-8-bit-codes", _replace_but_codes)
