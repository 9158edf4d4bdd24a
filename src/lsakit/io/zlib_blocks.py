"""The outer compression of ``.zsav`` files: ZLIB blocks between a header and a trailer that lists them."""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO

BLOCK = 0x3FF000
LEVEL = 6
BIAS = 100


class ZlibBlocks:
    """Data of a ``.zsav`` file in the making.

    Parameters
    ----------
    stream : binary file
        Positioned at the end of the dictionary; must allow seeking, for the header is completed at the end.

    References
    ----------
    .. [1] PSPP developers' guide, "System File Format", section "Data Record", ZLIB compressed data.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._start = stream.tell()
        self._pending = bytearray()
        self._sizes: list[tuple[int, int]] = []
        stream.write(struct.pack("<qqq", self._start, 0, 0))

    def write(self, data: bytes) -> None:
        """Take data and write the blocks that are full.

        Parameters
        ----------
        data : bytes
            Bytecode-compressed data.
        """
        self._pending += data
        while len(self._pending) >= BLOCK:
            self._flush(BLOCK)

    def _flush(self, size: int) -> None:
        """Write one block."""
        packed = zlib.compress(bytes(self._pending[:size]), LEVEL)
        del self._pending[:size]
        self._stream.write(packed)
        self._sizes.append((size, len(packed)))

    def close(self) -> None:
        """Write the last block, the trailer, and the places in the header."""
        if self._pending:
            self._flush(len(self._pending))
        trailer_at = self._stream.tell()
        trailer = [struct.pack("<qqii", -BIAS, 0, BLOCK, len(self._sizes))]
        plain, packed = self._start, self._start + 24
        for plain_size, packed_size in self._sizes:
            trailer.append(struct.pack("<qqii", plain, packed, plain_size, packed_size))
            plain += plain_size
            packed += packed_size
        data = b"".join(trailer)
        self._stream.write(data)
        end = self._stream.tell()
        self._stream.seek(self._start)
        self._stream.write(struct.pack("<qqq", self._start, trailer_at, len(data)))
        self._stream.seek(end)
