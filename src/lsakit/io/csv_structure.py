"""The outside of a CSV file: character set, delimiter, header, and whether every line is whole.

The file is walked once in blocks of bytes, so that its size does not matter. Algorithm:
docs/algorithms/files.md, section "CSV".
"""

from __future__ import annotations

import codecs
import csv
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import FileFormatError
from lsakit.io.cleaning import clean_name, legacy_name
from lsakit.io.vietnamese import refuse_legacy, spelling_evidence

BLOCK_BYTES = 1 << 21
HEAD_BYTES = 1 << 16
DELIMITERS = (",", ";", "\t", "|")
SIGNATURES = {
    b"PK\x03\x04": "an Excel workbook or ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"$FL2": "an SPSS file",
    b"$FL3": "an SPSS file",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "a gzip archive",
}
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvStructure:
    """What has to be known before a CSV file can be read.

    Parameters
    ----------
    path : Path
        A UTF-8 file with the content; the original, or a transcoded copy.
    delimiter : str
        One character.
    columns : tuple of str of shape (n_columns,)
        Cleaned column names.
    n_rows : int
        Records after the header.
    quoted : frozenset of str
        Columns whose values stand in quotation marks while others do not: never numbers.
    encoding : str
        Character set of the original.
    """

    path: Path
    delimiter: str
    columns: tuple[str, ...]
    quoted: frozenset[str]
    n_rows: int
    encoding: str


@contextmanager
def opened_csv(path: Path, *, encoding: str | None = None) -> Iterator[CsvStructure]:
    """Find out how a CSV file is built, and hold a UTF-8 form of it ready.

    Parameters
    ----------
    path : Path
        The file.
    encoding : str, optional
        Its character set, where it is neither UTF-8 nor UTF-16 with a byte order mark.

    Yields
    ------
    CsvStructure
        The structure; a transcoded copy is removed at the end.

    Raises
    ------
    FileFormatError
        If the file is empty, of another format, in an unknown or old character set, has empty or repeated column
        names, or ends in the middle of a record.
    """
    charset = _charset(path, encoding)
    with tempfile.TemporaryDirectory(prefix="lsakit-csv-") as folder:
        text_path = path
        if charset != "utf-8":
            text_path = Path(folder) / "text.csv"
            _transcode(path, text_path, charset)
        yield _structure(path.name, text_path, charset, encoding)


def _charset(path: Path, asked: str | None) -> str:
    """Decide the character set by byte order mark, by request, or by being valid UTF-8."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if not head.strip():
        raise FileFormatError(
            f"The file {path.name!r} is empty.", hint="Export it again from its source.", param="path"
        )
    for signature, what in SIGNATURES.items():
        if head.startswith(signature):
            raise FileFormatError(
                f"The file {path.name!r} is {what}, not a CSV text.",
                hint="Give it the extension of what it is, or export it as CSV.",
                param="path",
            )
    for mark, name in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return name
    if asked is not None and legacy_name(asked) is None:
        return _known(asked)
    if legacy_name(asked):
        return "utf-8" if _is_utf8(path) else "latin-1"
    if b"\x00" in head:
        raise FileFormatError(
            f"The file {path.name!r} is not text: it holds zero bytes.",
            hint="If it is UTF-16 without a mark, say encoding='utf-16-le'.",
            param="encoding",
        )
    if _is_utf8(path):
        return "utf-8"
    return _guessed(path, head)


def _known(name: str) -> str:
    """Refuse a character set that does not exist."""
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise FileFormatError(
            f"The encoding {name!r} is not known.",
            hint="Say 'utf-8', 'utf-16', 'windows-1258', 'windows-1252', 'tcvn3' or 'vni'.",
            param="encoding",
            got=name,
        ) from error


def _is_utf8(path: Path) -> bool:
    """Walk the file and tell whether it is valid UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as stream:
        try:
            while block := stream.read(BLOCK_BYTES):
                if not block.isascii() or decoder.getstate()[0]:
                    decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _guessed(path: Path, head: bytes) -> str:
    """Recognise Windows-1258 by the spelling of its words; refuse the old sets and everything else."""
    lines = head.decode("latin-1").splitlines()
    legacy = spelling_evidence(lines)
    windows = spelling_evidence(head.decode("cp1258", errors="replace").splitlines())
    if (
        windows.n_words
        and windows.unicode >= max(2, 0.6 * windows.n_words)
        and windows.unicode > max(legacy.tcvn3, legacy.vni)
    ):
        return "cp1258"
    if legacy.legacy:
        sample = next((line for line in lines if spelling_evidence([line]).n_words), lines[0])
        raise refuse_legacy(path.name, legacy.legacy, column="", sample=sample.strip()[:40])
    raise FileFormatError(
        f"The text of {path.name!r} is not UTF-8, and its character set cannot be told.",
        why="Read with the wrong set, letters become others.",
        hint="Save it as CSV UTF-8, or say encoding='windows-1258', 'windows-1252', 'tcvn3' or 'vni'.",
        param="encoding",
    )


def _transcode(source: Path, target: Path, charset: str) -> None:
    """Write a UTF-8 copy, block by block."""
    try:
        with (
            source.open("r", encoding=charset, errors="strict", newline="") as reader,
            target.open("w", encoding="utf-8", newline="") as writer,
        ):
            shutil.copyfileobj(reader, writer, BLOCK_BYTES)
    except UnicodeError as error:
        raise FileFormatError(
            f"The text of {source.name!r} is not {charset}: {error}.",
            hint="Say another encoding=, or save the file as CSV UTF-8.",
            param="encoding",
            got=charset,
        ) from error


def _structure(name: str, path: Path, charset: str, asked: str | None) -> CsvStructure:
    """Read the header and walk the lines."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES).decode("utf-8-sig", errors="ignore")
    delimiter = _delimiter(head)
    header = next(csv.reader(head.splitlines(keepends=True), delimiter=delimiter))
    columns = tuple(clean_name(word, asked) for word in header)
    refuse_header(columns, name)
    n_rows = _count_rows(name, path, delimiter, len(columns))
    return CsvStructure(
        path=path,
        delimiter=delimiter,
        columns=columns,
        n_rows=n_rows,
        quoted=_quoted_columns(head, delimiter, columns),
        encoding=charset,
    )


def _quoted_columns(head: str, delimiter: str, columns: tuple[str, ...]) -> frozenset[str]:
    """Find the columns whose values are quoted in the first records, if some values are not."""
    quoted: set[int] = set()
    bare: set[int] = set()
    inside, place, field, record = False, 0, "", 0
    for letter in head:
        if letter == '"':
            inside = not inside
        elif not inside and letter in (delimiter, "\n"):
            if record and field.strip():
                (quoted if field.startswith('"') else bare).add(place)
            place, field = (0, "") if letter == "\n" else (place + 1, "")
            record += letter == "\n"
            continue
        field = field[:1] + letter if field else letter
    return frozenset(columns[place] for place in quoted) if bare else frozenset()


def _delimiter(head: str) -> str:
    """Take the delimiter that the header holds most often and the first records equally often."""
    lines = head.splitlines()[:20]
    plain = [_outside_quotes(line) for line in lines]

    def score(delimiter: str) -> tuple[int, int]:
        in_header = plain[0].count(delimiter)
        return sum(line.count(delimiter) == in_header for line in plain) if in_header else 0, in_header

    best = max(DELIMITERS, key=score)
    return best if score(best)[1] else ","


def _outside_quotes(line: str) -> str:
    """Leave out what stands between quotes."""
    return "".join(line.split('"')[::2])


def refuse_header(columns: tuple[str, ...], source: str) -> None:
    """Refuse column names that are empty or stand twice.

    Parameters
    ----------
    columns : tuple of str of shape (n_columns,)
        Cleaned names.
    source : str
        File name.

    Raises
    ------
    FileFormatError
        If a name is empty or repeated; its place is named.
    """
    for place, column in enumerate(columns, start=1):
        if not column:
            raise FileFormatError(
                f"The column {place} of {source!r} has no name.",
                hint="Put one name over each column in the header row, with nothing above it.",
                param="header",
            )
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        places = [f"column {place}" for place, column in enumerate(columns, start=1) if column == twice[0]]
        raise FileFormatError(
            f"The header of {source!r} holds the name {twice[0]!r} twice.",
            where=places,
            hint="Give each column its own name.",
            param="header",
            got=twice[0],
        )


def _count_rows(name: str, path: Path, delimiter: str, n_columns: int) -> int:
    """Walk all records outside quotes; refuse one with more or fewer fields than the header."""
    n_lines, carried, is_quoted = 0, 0, False
    last = b"\n"
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            marks, ends, n_quotes = outside_quotes(block, delimiter, is_quoted=is_quoted)
            closed = np.searchsorted(marks, ends)
            counts = np.diff(closed, prepend=-carried)
            _refuse_ragged(name, counts, n_lines, n_columns)
            carried = len(marks) - int(closed[-1]) if len(ends) else carried + len(marks)
            n_lines += len(ends)
            is_quoted ^= bool(n_quotes % 2)
            last = block[-1:]
    if is_quoted:
        raise _truncated(name, "an opening quotation mark is never closed")
    if last != b"\n":
        if carried != n_columns - 1:
            raise _truncated(name, f"its last line has {carried + 1} of {n_columns} fields")
        n_lines += 1
    return n_lines - 1


def outside_quotes(
    block: bytes, delimiter: str, *, is_quoted: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Find the delimiters and line ends of a block that stand outside quotation marks.

    Parameters
    ----------
    block : bytes
        Part of a CSV file.
    delimiter : str
        One ASCII character.
    is_quoted : bool
        Whether the block begins inside quotation marks.

    Returns
    -------
    marks : ndarray of shape (n_marks,)
        Places of the delimiters, in bytes from the block's beginning.
    ends : ndarray of shape (n_ends,)
        Places of the line ends.
    n_quotes : int
        Number of quotation marks.
    """
    data = np.frombuffer(block, dtype=np.uint8)
    quotes = np.flatnonzero(data == ord('"'))
    found = []
    for letter in (delimiter, "\n"):
        places = np.flatnonzero(data == ord(letter))
        found.append(places[(np.searchsorted(quotes, places) + is_quoted) % 2 == 0])
    return found[0], found[1], len(quotes)


def _refuse_ragged(name: str, counts: NDArray[np.int64], n_before: int, n_columns: int) -> None:
    """Refuse records whose number of fields is not the header's."""
    wrong = np.flatnonzero(counts != n_columns - 1)
    if not len(wrong):
        return
    first = int(wrong[0])
    raise FileFormatError(
        f"The file {name!r} has {n_columns} columns, but line {n_before + first + 1} has "
        f"{int(counts[first]) + 1} fields.",
        where=[f"line {n_before + int(line) + 1}" for line in wrong[:6]],
        why="Values would stand under the wrong names.",
        hint="Put values that hold the delimiter in quotation marks, or export the file again.",
        param="path",
    )


def _truncated(name: str, sign: str) -> FileFormatError:
    """Word the refusal of a file that ends too early."""
    return FileFormatError(
        f"The file {name!r} is cut off: {sign}.",
        hint="Copy or export it again, and compare its size with the original.",
        param="path",
    )
