"""The outside of a file: what it really is, and whether opening it would harm the machine.

The extension is not believed. A workbook is walked once, compressed part by compressed part, before any library
opens it: the sizes that its directory states may lie, and a single cell at the far corner of a sheet would make
a reader reserve a table of seventeen thousand million cells.
"""

from __future__ import annotations

import dataclasses
import html
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Literal

from dienrong.imports.numeric.faults import FileFault

Kind = Literal["xlsx", "xls", "csv"]

MAX_INFLATED = 1 << 30
MAX_STRINGS = 1 << 28
MAX_ROWS = 500_000
MAX_COLUMNS = 400
MAX_CELLS = 14_000_000
NEAR_COLUMNS = 26
MAX_PARTS = 2_000
MAX_ERROR_CELLS = 10_000
BLOCK = 1 << 20
TAIL = 2_048
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
HTML = re.compile(
    rb"^\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|table|style|meta|\?xml|div)", re.IGNORECASE
)
OTHER_SIGNATURES = {
    b"%PDF": "PDF",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"Rar!": "RAR",
    b"7z\xbc\xaf": "7z",
    b"\x1f\x8b": "GZIP",
    b"SQLite format": "SQLite",
    b"PAR1": "Parquet",
}
PLAIN_FILLED = re.compile(rb'<c r="([A-Za-z]{1,4})(\d{1,9})"[^>]*(?<!/)>')
FAR_COLUMN = re.compile(rb'<c r="([A-Za-z]{2,4})\d{1,9}"[^>]*(?<!/)>')
DEEP_ROW = re.compile(rb'<c r="[A-Za-z]{1,4}([5-9]\d{5}|\d{7,9})"[^>]*(?<!/)>')
CELL = re.compile(rb"<(?:\w+:)?c(?=[\s/>])")
PLACED = re.compile(rb'<(?:\w+:)?c\s+(?:[\w:]+="[^"<>]*"\s+)*r="([A-Za-z]{1,4})(\d{1,9})"[^>]*(/?)>')
ERROR_CELL = re.compile(rb"""<(?:\w+:)?c\b(?=[^>]*\bt=["']e["'])[^>]*?\br=["']([A-Za-z]+)(\d+)["']""")
FORMULA = re.compile(rb"<(?:\w+:)?f(?:\s[^>]*)?/?>")
UNCALCULATED = re.compile(
    rb"</(?:\w+:)?f>\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)


@dataclasses.dataclass(slots=True, kw_only=True)
class SheetScan:
    """What one sheet's text says before it is opened."""

    n_rows: int = 0
    n_columns: int = 0
    n_formulas: int = 0
    n_uncalculated: int = 0
    errors: set[tuple[int, int]] = dataclasses.field(default_factory=set)


def kind_of(data: bytes) -> Kind:
    """Tell what a file is by its first bytes.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    {"xlsx", "xls", "csv"}
        Every text counts as CSV until its lines are looked at.

    Raises
    ------
    FileFault
        ``empty``, ``html``, ``encrypted``, ``other_format``.
    """
    head = data[:4096]
    if not head.strip(b"\x00 \r\n\t\xef\xbb\xbf"):
        raise FileFault("empty")
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    if head.startswith(OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise FileFault("encrypted")
        if "WordDocument".encode("utf-16-le") in data:
            raise FileFault("other_format", what="Word")
        return "xls"
    for signature, what in OTHER_SIGNATURES.items():
        if head.startswith(signature):
            raise FileFault("other_format", what=what)
    if HTML.match(head.replace(b"\x00", b"").removeprefix(b"\xff\xfe")) or b"Content-Type: multipart" in head:
        raise FileFault("html")
    return "csv"


def scan_workbook(data: bytes) -> dict[str, SheetScan]:
    """Walk a workbook's parts in bounded memory.

    Parameters
    ----------
    data : bytes
        An ``.xlsx`` file.

    Returns
    -------
    dict of str to SheetScan
        What was seen, by the sheet's name.

    Raises
    ------
    FileFault
        ``damaged``, ``other_format``, ``zip_bomb``, ``too_many_rows``, ``too_many_columns``, ``uncalculated``.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise FileFault("damaged") from error
    names = {part.filename for part in parts}
    if "xl/workbook.bin" in names or "mimetype" in names or "word/document.xml" in names:
        raise FileFault("other_format", what=_other_office(names))
    if "xl/workbook.xml" not in names or len(parts) > MAX_PARTS:
        raise FileFault("damaged")
    if any(part.flag_bits & 1 for part in parts):
        raise FileFault("encrypted")
    walk = _Walk(data)
    for part in parts:
        walk.part(part)
    named = _sheet_names(walk.texts)
    return {title: walk.seen[path] for title, path in named.items() if path in walk.seen}


class _Walk:
    """A walk over the parts of a workbook, with the bytes that came out so far."""

    def __init__(self, data: bytes) -> None:
        self._data, self._total = data, 0
        self.seen: dict[str, SheetScan] = {}
        self.texts: dict[str, bytes] = {}

    def part(self, part: zipfile.ZipInfo) -> None:
        """Look at one part."""
        name = part.filename
        if name.startswith("xl/worksheets/") and name.endswith(".xml"):
            self.seen[name] = self._sheet(part)
            return
        limit = MAX_STRINGS if name.endswith("sharedStrings.xml") else MAX_INFLATED
        is_kept = name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels")
        kept, size = bytearray(), 0
        for block in self._counted(part):
            size += len(block)
            if size > limit:
                raise FileFault("zip_bomb")
            if is_kept and size <= BLOCK:
                kept += block
        if is_kept:
            self.texts[name] = bytes(kept)

    def _sheet(self, part: zipfile.ZipInfo) -> SheetScan:
        """Look at one sheet; one that is wider than usual is measured cell by cell."""
        scan = SheetScan()
        for block in _with_tail(self._counted(part)):
            _look(scan, block)
        if scan.n_columns > NEAR_COLUMNS:
            for block in _with_tail(_inflated(self._data, part)):
                _measure(scan, block)
        _demand_room(scan)
        return scan

    def _counted(self, part: zipfile.ZipInfo) -> Iterator[bytes]:
        """Inflate one part and count what comes out of the whole file."""
        for block in _inflated(self._data, part):
            self._total += len(block)
            if self._total > MAX_INFLATED:
                raise FileFault("zip_bomb")
            yield block


def _other_office(names: set[str]) -> str:
    """Name the office format that is no workbook of ours."""
    if "xl/workbook.bin" in names:
        return "XLSB"
    return "Word" if "word/document.xml" in names else "ODS"


def _inflated(data: bytes, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """Inflate one part block by block, believing no stated size."""
    header = data[part.header_offset : part.header_offset + 30]
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise FileFault("damaged")
    n_name, n_extra = struct.unpack("<HH", header[26:30])
    begin = part.header_offset + 30 + n_name + n_extra
    body = memoryview(data)[begin : begin + part.compress_size]
    if part.compress_type == zipfile.ZIP_STORED:
        for place in range(0, len(body), BLOCK):
            yield bytes(body[place : place + BLOCK])
        return
    if part.compress_type != zipfile.ZIP_DEFLATED:
        raise FileFault("damaged")
    engine = zlib.decompressobj(-15)
    waiting: bytes | memoryview = body
    try:
        while len(waiting):
            block = engine.decompress(waiting, BLOCK)
            waiting = engine.unconsumed_tail
            if block:
                yield block
            if engine.eof or not block:
                break
    except zlib.error as error:
        raise FileFault("damaged") from error


def _with_tail(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Cut the blocks between tags, so that no pattern is torn in two."""
    carried = b""
    for block in blocks:
        text = carried + block
        if b"\x00" in text[:64]:
            raise FileFault("damaged")
        cut = text.rfind(b"<c ", max(0, len(text) - TAIL))
        cut = cut if cut > 0 else len(text)
        carried = text[cut:]
        yield text[:cut]
    yield carried


def _look(scan: SheetScan, block: bytes) -> None:
    """Count rows, columns, formulas and error values of one block of a sheet."""
    _look_at_places(scan, block)
    if b"</" in block and (b"f>" in block or b"<f" in block):
        scan.n_formulas += len(FORMULA.findall(block))
        scan.n_uncalculated += len(UNCALCULATED.findall(block))
    if b'"e"' in block or b"'e'" in block:
        found = ERROR_CELL.findall(block)
        scan.errors.update((int(row), column_number(letters)) for letters, row in found[:MAX_ERROR_CELLS])


def _look_at_places(scan: SheetScan, block: bytes) -> None:
    """Find how far the filled cells of a block reach; one too deep is refused at once.

    No list is made of the cells of the first 26 columns: down to ``MAX_ROWS`` they fill a table that fits.
    """
    if not _is_plain(block):
        _measure(scan, block)
        return
    deep = DEEP_ROW.search(block)
    if deep and int(deep.group(1)) > MAX_ROWS:
        raise FileFault("too_many_rows", row=int(deep.group(1)), limit=MAX_ROWS)
    far = set(FAR_COLUMN.findall(block))
    scan.n_columns = max(scan.n_columns, NEAR_COLUMNS, *map(column_number, far))


def _measure(scan: SheetScan, block: bytes) -> None:
    """Find the last row and column of the filled cells of a block, cell by cell."""
    filled = _filled_cells(block)
    if filled:
        columns, rows = zip(*filled, strict=True)
        scan.n_rows = max(scan.n_rows, max(map(int, set(rows))))
        scan.n_columns = max(scan.n_columns, max(map(column_number, set(columns))))


def _demand_room(scan: SheetScan) -> None:
    """Refuse a sheet whose filled cells span a larger table than is ever held."""
    if scan.n_rows > MAX_ROWS:
        raise FileFault("too_many_rows", row=scan.n_rows, limit=MAX_ROWS)
    if scan.n_columns > MAX_COLUMNS:
        raise FileFault("too_many_columns", n=scan.n_columns, limit=MAX_COLUMNS)
    if scan.n_rows * scan.n_columns > MAX_CELLS:
        raise FileFault("too_many_rows", row=scan.n_rows, limit=MAX_CELLS // scan.n_columns)


def _is_plain(block: bytes) -> bool:
    """Tell whether every cell says its place as Excel writes it, so that the quick patterns see all of them."""
    return block.count(b'<c r="') == block.count(b"<c") - block.count(b"<col") and b":c" not in block


def _filled_cells(block: bytes) -> list[tuple[bytes, bytes]]:
    """Give column and row of the cells that hold something; a cell without a readable place is refused."""
    if _is_plain(block):
        return PLAIN_FILLED.findall(block)
    placed = PLACED.findall(block)
    if len(placed) != len(CELL.findall(block)):
        raise FileFault("damaged")
    return [(letters, row) for letters, row, closed in placed if not closed]


def column_number(letters: bytes | str) -> int:
    """Count a column from its letters: A is 1, XFD is 16384.

    Examples
    --------
    >>> column_number("A"), column_number("AA"), column_number("XFD")
    (1, 27, 16384)
    """
    text = letters.decode("ascii") if isinstance(letters, bytes) else letters
    number = 0
    for letter in text.upper():
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """Name a column by its letters: 1 is A, 27 is AA.

    Examples
    --------
    >>> column_letters(1), column_letters(27)
    ('A', 'AA')
    """
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _sheet_names(texts: dict[str, bytes]) -> dict[str, str]:
    """Map each sheet's name to its part, as the workbook says."""
    rels = texts.get("xl/_rels/workbook.xml.rels", b"").decode("utf-8", "replace")
    targets: dict[str, str] = {}
    for tag in re.findall(r"<(?:\w+:)?Relationship\b[^>]*>", rels):
        place = re.search(r'\bTarget="([^"]*)"', tag)
        mark = re.search(r'\bId="([^"]*)"', tag)
        if place and mark:
            path = place.group(1)
            targets[mark.group(1)] = path.lstrip("/") if path.startswith("/") else "xl/" + path
    named: dict[str, str] = {}
    for tag in re.findall(
        r"<(?:\w+:)?sheet\b[^>]*>", texts.get("xl/workbook.xml", b"").decode("utf-8", "replace")
    ):
        name, mark = re.search(r'\bname="([^"]*)"', tag), re.search(r'\b\w+:id="([^"]*)"', tag)
        if name and mark and mark.group(1) in targets:
            named[html.unescape(name.group(1))] = targets[mark.group(1)]
    return named
