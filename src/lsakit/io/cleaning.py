"""Text as it should be: Unicode NFC, no invisible characters, no old character set.

Every reader sends its text columns through here. What was changed is counted; what cannot be understood is
refused. Algorithm and reasons: docs/algorithms/files.md, section "Text".
"""

from __future__ import annotations

import polars as pl

from lsakit.io.contents import Note
from lsakit.io.vietnamese import Legacy, convert_legacy, detect_legacy, refuse_legacy

INVISIBLE = "[\u200b\u200c\u200d\u2060\ufeff]"
HARD_SPACES = "[\u00a0\u202f\u2007]"
SAMPLE_VALUES = 2000
_SUSPECT = r"[^\x00-\x7f]|^\s|\s$|^$"


def legacy_name(encoding: str | None) -> Legacy | None:
    """Recognise the two old Vietnamese character sets among encoding names.

    Parameters
    ----------
    encoding : str, optional
        What the caller asked for.

    Returns
    -------
    {"tcvn3", "vni"} or None
        The character set, or None for any other encoding.
    """
    name = (encoding or "").lower().replace("-", "").replace("_", "")
    if name in ("tcvn3", "tcvn", "abc"):
        return "tcvn3"
    return "vni" if name in ("vni", "vniwin", "vnitimes") else None


def clean_name(name: str, encoding: str | None = None) -> str:
    """Clean one column name as text, and drop the star of a required column.

    Parameters
    ----------
    name : str
        Name as it stands in the file.
    encoding : str, optional
        Old character set to convert from.

    Returns
    -------
    str
        The name in NFC without outer spaces.

    Examples
    --------
    >>> clean_name(" MA_TRUONG* ")
    'MA_TRUONG'
    """
    legacy = legacy_name(encoding)
    if legacy and not name.isascii():
        name = convert_legacy(name, legacy)
    cleaned = pl.Series([name]).to_frame("name").select(_cleaned("name")).item()
    return str(cleaned).rstrip("*").rstrip()


def _cleaned(name: str) -> pl.Expr:
    """Normalise one text column."""
    return (
        pl.col(name)
        .str.normalize("NFC")
        .str.replace_all(INVISIBLE, "")
        .str.replace_all(HARD_SPACES, " ")
        .str.strip_chars()
    )


def clean_text(
    table: pl.DataFrame, *, source: str, encoding: str | None = None
) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """Normalise the text of a table.

    Parameters
    ----------
    table : polars.DataFrame
        Rows as they stand in the file.
    source : str
        File name, for the refusal.
    encoding : str, optional
        ``"tcvn3"`` or ``"vni"`` to convert columns in these character sets.

    Returns
    -------
    table : polars.DataFrame
        The same rows; text in NFC, zero-width characters removed, hard spaces made plain, outer spaces
        trimmed, and empty text null.
    notes : tuple of Note
        Number of values changed per column.

    Raises
    ------
    FileFormatError
        If a column is in TCVN3 or VNI and no conversion was asked for.
    """
    texts = [name for name, dtype in table.schema.items() if dtype == pl.String]
    suspect = table.select([pl.col(name).str.contains(_SUSPECT).any() for name in texts])
    names = [name for name in texts if suspect.height and suspect.get_column(name)[0]]
    if not names:
        return table, ()
    notes: list[Note] = []
    table = _converted(table, _legacy_columns(table, names, source, legacy_name(encoding)), notes)
    cleaned = table.with_columns(
        [pl.when(_cleaned(name) == "").then(None).otherwise(_cleaned(name)).alias(name) for name in names]
    )
    changed = [
        (table.get_column(name).fill_null("") != cleaned.get_column(name).fill_null("")).sum()
        for name in names
    ]
    notes.extend(
        Note(column=name, sentence="Text was normalised (NFC, spaces, invisible characters).", n=int(n))
        for name, n in zip(names, changed, strict=True)
        if n
    )
    return cleaned, tuple(notes)


def _legacy_columns(
    table: pl.DataFrame, names: list[str], source: str, wanted: Legacy | None
) -> dict[str, Legacy]:
    """Find the columns to convert, or refuse the first one that was not asked for."""
    found: dict[str, Legacy] = {}
    for name in names:
        accented = table.get_column(name).drop_nulls()
        accented = accented.filter(accented.str.contains("[^\\x00-\\x7f]")).unique(maintain_order=True)
        if not len(accented):
            continue
        values = accented.head(SAMPLE_VALUES).to_list()
        detected = detect_legacy(values)
        if detected and detected != wanted:
            sample = next((text for text in values if detect_legacy([text]) == detected), values[0])
            raise refuse_legacy(source, detected, column=name, sample=sample[:40])
        western = not accented.str.contains("[^\\x00-ÿ]").any()
        if wanted and (detected or western):
            found[name] = wanted
    return found


def _converted(table: pl.DataFrame, columns: dict[str, Legacy], notes: list[Note]) -> pl.DataFrame:
    """Convert columns out of an old character set."""
    for name, charset in columns.items():
        before = table.get_column(name)
        distinct = before.drop_nulls().unique()
        after = [convert_legacy(text, charset) for text in distinct.to_list()]
        table = table.with_columns(
            before.replace_strict(distinct, after, default=None, return_dtype=pl.String)
        )
        n = (before.fill_null("") != table.get_column(name).fill_null("")).sum()
        notes.append(
            Note(column=name, sentence=f"Text was converted from {charset.upper()} to Unicode.", n=int(n))
        )
    return table
