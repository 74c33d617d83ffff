"""Reads the pixels of small PNG files, as the icons of an app are."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

SIGNATURE = b"\x89PNG\r\n\x1a\n"
RGBA, BYTES = 6, 4


@dataclass(frozen=True)
class Picture:
    """A PNG: its size in pixels and, where it has eight bits each of red, green, blue and alpha, its data."""

    width: int
    height: int
    data: bytes | None

    def pixels(self) -> Iterator[bytes]:
        """Each pixel as red, green, blue, alpha. Raises ValueError where the data is damaged."""
        if self.data is None:
            raise ValueError("no red, green, blue and alpha")
        try:
            lines = zlib.decompress(self.data)
        except zlib.error:
            raise ValueError("damaged data") from None
        length = self.width * BYTES + 1
        if len(lines) != length * self.height:
            raise ValueError("data of another size")
        above = bytes(length - 1)
        for start in range(0, len(lines), length):
            above = unfiltered(lines[start], lines[start + 1 : start + length], above)
            yield from (above[at : at + BYTES] for at in range(0, len(above), BYTES))


def read_png(file: bytes) -> Picture:
    """Raises ValueError for what is no PNG."""
    if not file.startswith(SIGNATURE):
        raise ValueError("no PNG")
    try:
        chunks = list(chunks_of(file))
        width, height, *kind = struct.unpack(">IIBBBBB", chunks[0][1])
    except (struct.error, IndexError):
        raise ValueError("a damaged PNG") from None
    plain = kind == [8, RGBA, 0, 0, 0]
    return Picture(width, height, b"".join(data for name, data in chunks if name == b"IDAT") if plain else None)


def chunks_of(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(file):
        length, name = struct.unpack_from(">I4s", file, at)
        yield name, file[at + 8 : at + 8 + length]
        at += length + 12


def unfiltered(kind: int, line: bytes, above: bytes) -> bytes:
    """A line of pixels as it was before PNG's filter; above: the one before it."""
    found = bytearray()
    for at, byte in enumerate(line):
        left, corner = (found[at - BYTES], above[at - BYTES]) if at >= BYTES else (0, 0)
        guess = (0, left, above[at], (left + above[at]) // 2, nearest(left, above[at], corner))
        found.append((byte + guess[kind]) & 0xFF)
    return bytes(found)


def nearest(left: int, up: int, corner: int) -> int:
    """Of the three neighbours the one that is nearest to left + up - corner (Paeth)."""
    aim = left + up - corner
    return min((left, up, corner), key=lambda one: abs(aim - one))
