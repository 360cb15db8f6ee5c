"""Reads the body of a runs API's response, bounded in time and in size."""

import time
import zlib
from collections.abc import Callable, Iterable
from typing import cast

import httpx

ACCEPT_ENCODING = "gzip"
"""The only content encoding that is requested: its decoder can limit the size of its output.

httpx's own decoders have no such limit, so a small compressed body could fill the memory.
"""
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


def read_body(response: httpx.Response, *, deadline: float, limit: int) -> bytes:
    """Return the decoded body.

    At most ``limit`` bytes and one network chunk are in memory at any time.

    Args:
        deadline: when reading must be over, in seconds of ``time.monotonic()``.
        limit: the most bytes that the body may have, both encoded and decoded.

    Raises:
        httpx.ReadError: the body has more than ``limit`` bytes.
        httpx.ReadTimeout: the deadline has passed.
        httpx.DecodingError: the content encoding is neither gzip nor identity, or the
            compressed data is broken.
    """
    decode = _decoder(response)
    content = bytearray()
    received = 0
    for chunk in cast("Iterable[bytes]", response.stream):
        received += len(chunk)
        content += decode(chunk, limit + 1 - len(content))
        if max(received, len(content)) > limit:
            raise httpx.ReadError("the answer is too large", request=response.request)
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer took too long", request=response.request)
    return bytes(content)


def _decoder(response: httpx.Response) -> Callable[[bytes, int], bytes]:
    """Return a function that decodes a chunk to at most the given number of bytes."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        return lambda chunk, _: chunk
    if encoding != ACCEPT_ENCODING:
        raise httpx.DecodingError(f"the answer is encoded as {encoding}", request=response.request)
    decompress = zlib.decompressobj(_GZIP_WINDOW).decompress

    def decode(chunk: bytes, max_length: int) -> bytes:
        try:
            return decompress(chunk, max_length)
        except zlib.error as exc:
            raise httpx.DecodingError(str(exc), request=response.request) from exc

    return decode
