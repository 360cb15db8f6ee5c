"""The body of a runs API's response, within a deadline and the size of an honest one."""

import time
import zlib
from collections.abc import Callable, Iterable
from typing import cast

import httpx

ACCEPT_ENCODING = "gzip"
"""The one encoding whose decoder takes a limit; httpx decodes a piece whatever it grows to."""
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


def read_body(response: httpx.Response, *, deadline: float, limit: int) -> bytes:
    """The decoded body.

    Raises ``httpx.ReadError`` for more than ``limit`` bytes, encoded or decoded, and
    ``httpx.ReadTimeout`` past the deadline (``time.monotonic()``). Neither holds more in
    memory than ``limit`` and a piece of the network's.
    """
    decode = _decoder(response)
    content = bytearray()
    received = 0
    for piece in cast("Iterable[bytes]", response.stream):
        received += len(piece)
        content += decode(piece, limit + 1 - len(content))
        if max(received, len(content)) > limit:
            raise httpx.ReadError("the answer is too large", request=response.request)
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer took too long", request=response.request)
    return bytes(content)


def _decoder(response: httpx.Response) -> Callable[[bytes, int], bytes]:
    """Takes a piece and the most bytes that it may become."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        return lambda piece, _: piece
    if encoding != ACCEPT_ENCODING:
        raise httpx.DecodingError(f"the answer is encoded as {encoding}", request=response.request)
    decompress = zlib.decompressobj(_GZIP_WINDOW).decompress

    def decode(piece: bytes, most: int) -> bytes:
        try:
            return decompress(piece, most)
        except zlib.error as exc:
            raise httpx.DecodingError(str(exc), request=response.request) from exc

    return decode
