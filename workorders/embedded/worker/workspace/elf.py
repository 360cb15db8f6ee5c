"""Reads from an ELF file the strings that tell the dynamic linker where to find libraries.

The layout is defined by the System V ABI, chapters "Object Files" and "Dynamic Linking".
"""

import struct
from typing import Protocol

_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_STRTAB, _DT_STRSZ = 5, 10


class Bytes(Protocol):
    """What ``bytes`` and ``mmap`` have in common."""

    def __getitem__(self, key: slice, /) -> bytes: ...


def dynamic_strings(data: Bytes) -> bytes:
    """The dynamic string table, which contains RPATH and RUNPATH; empty for a file without one."""
    try:
        return _dynamic_strings(data)
    except (struct.error, IndexError, StopIteration):  # the file is cut off, or not an ELF file
        return b""


def _dynamic_strings(data: Bytes) -> bytes:
    identification = data[0:6]
    if identification[:4] != b"\x7fELF":
        return b""
    wide, order = identification[4] == 2, "<>"[identification[5] - 1]
    if wide:
        (table,), (size, count) = _read(data, order + "Q", 32), _read(data, order + "HH", 54)
    else:
        (table,), (size, count) = _read(data, order + "I", 28), _read(data, order + "HH", 42)
    segments = []
    for number in range(count):
        if wide:
            kind, _, offset, address, _, length = _read(
                data, order + "IIQQQQ", table + number * size
            )
        else:
            kind, offset, address, _, length = _read(data, order + "IIIII", table + number * size)
        segments.append((kind, offset, address, length))
    dynamic = next(segment for segment in segments if segment[0] == _PT_DYNAMIC)
    entry = order + ("qQ" if wide else "iI")
    values = dict(
        struct.iter_unpack(
            entry, _full_entries(data[dynamic[1] : dynamic[1] + dynamic[3]], struct.calcsize(entry))
        )
    )
    address, length = values.get(_DT_STRTAB, 0), values.get(_DT_STRSZ, 0)
    holder = next(
        (offset, start)
        for kind, offset, start, extent in segments
        if kind == _PT_LOAD and start <= address < start + extent
    )
    position = address - holder[1] + holder[0]
    return data[position : position + length]


def _read(data: Bytes, layout: str, offset: int) -> tuple[int, ...]:
    return struct.unpack(layout, data[offset : offset + struct.calcsize(layout)])


def _full_entries(data: bytes, size: int) -> bytes:
    """The data without an incomplete entry at its end; ``size`` is the bytes of an entry."""
    return data[: len(data) // size * size]
