"""What reading a file gives, and what may be asked of the reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict

import polars as pl

from lsakit.errors import TableError
from lsakit.io.codebook import Codebook

Progress = Callable[[str, float], None]
UserMissing = Literal["keep", "null"]


class ReadKeywords(TypedDict, total=False):
    """The keywords that reading functions accept; ReadOptions says what each one means."""

    sheet: str | None
    columns: Sequence[str] | None
    text_columns: Mapping[str, int | None] | Sequence[str] | None
    encoding: str | None
    user_missing: UserMissing
    restore_zeros: bool
    header_row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What may be asked of the reading of a file.

    Parameters
    ----------
    sheet : str, optional
        Sheet of an Excel workbook; needed where it has several.
    columns : Sequence of str, optional
        Columns to read, in this order; all by default.
    text_columns : Mapping of str to int, or Sequence of str, optional
        Columns of identifiers, kept as text; with a number, codes of exactly so many characters.
    encoding : str, optional
        Character set of a text file that is not Unicode: ``"windows-1258"``, ``"tcvn3"``, ``"vni"`` or any
        name that Python knows. ``"tcvn3"`` and ``"vni"`` also convert workbooks and statistical files.
    user_missing : {"keep", "null"}, default "keep"
        Whether user-missing codes stay as values or become null.
    restore_zeros : bool, default False
        Whether identifiers that lost their leading zeros get them back instead of being refused.
    header_row : int, default 1
        Row of the column names in a workbook, counted from 1.
    """

    sheet: str | None = None
    columns: Sequence[str] | None = None
    text_columns: Mapping[str, int | None] | Sequence[str] | None = None
    encoding: str | None = None
    user_missing: UserMissing = "keep"
    restore_zeros: bool = False
    header_row: int = 1

    def __post_init__(self) -> None:
        """Refuse words outside the closed lists."""
        if self.user_missing not in ("keep", "null"):
            raise TableError(
                f"The 'user_missing' parameter must be 'keep' or 'null'. Got {self.user_missing!r}.",
                param="user_missing",
                got=self.user_missing,
            )
        if self.header_row < 1:
            raise TableError(
                f"The 'header_row' parameter must be 1 or more. Got {self.header_row}.", param="header_row"
            )

    def identifier_widths(self, codebook: Codebook | None) -> dict[str, int | None]:
        """List the columns that are identifiers, with their widths where known.

        Parameters
        ----------
        codebook : Codebook, optional
            Its identifier variables count as declared.

        Returns
        -------
        dict of str to int or None
            Number of characters by column name.
        """
        widths: dict[str, int | None] = {}
        for variable in codebook or ():
            if variable.identifier:
                widths[variable.name] = variable.width
            elif variable.type == "text":
                widths.setdefault(variable.name, None)
        asked = self.text_columns or {}
        return widths | (dict(asked) if isinstance(asked, Mapping) else dict.fromkeys(asked))


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that reading changed, counted.

    Parameters
    ----------
    column : str
        Column; empty for the whole file.
    sentence : str
        What was done.
    n : int
        Number of values.
    """

    column: str
    sentence: str
    n: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContents:
    """A table with what its file says about it.

    Parameters
    ----------
    table : polars.DataFrame
        The rows.
    codebook : Codebook
        Labels, missing codes and kinds, one entry per column.
    notes : tuple of Note
        What reading changed: text normalised, identifiers padded, old character sets converted.
    """

    table: pl.DataFrame
    codebook: Codebook
    notes: tuple[Note, ...] = ()


def merge_notes(notes: Sequence[Note]) -> tuple[Note, ...]:
    """Add up notes of the same kind about the same column.

    Parameters
    ----------
    notes : Sequence of Note
        Notes of several parts of a file.

    Returns
    -------
    tuple of Note
        One per column and sentence, in order of first appearance.
    """
    counts: dict[tuple[str, str], int] = {}
    for note in notes:
        counts[note.column, note.sentence] = counts.get((note.column, note.sentence), 0) + note.n
    return tuple(Note(column=column, sentence=text, n=n) for (column, text), n in counts.items())
