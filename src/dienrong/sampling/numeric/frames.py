"""Frames as files: built from rows or from an upload, narrowed by exclusions, frozen under their hash."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from lsakit.design.coverage import PopulationCounts, coverage_indices, exclude_schools
from lsakit.design.draw_record import frame_part, frame_text
from lsakit.errors import LsakitError
from lsakit.io.atomic import replacing
from lsakit.io.cell_texts import cell_texts, text_hash, with_kinds
from lsakit.io.files import read_table

SIZE = "enrolment"
TEXTS = ("school_id", "name", "province_code", "commune_code")
NUMBERS = (SIZE, "classes", "total_enrolment")
STANDARD = (*TEXTS, *NUMBERS)
OVERLAP = ("previous_probability", "previously_drawn")
NOT_STRATA = frozenset({"school_id", "name", "commune_code", *NUMBERS, *OVERLAP})
REASONS = {
    "remote": "remote",
    "small": "remote",
    "special_needs": "special",
    "language": "other",
    "other": "other",
}
"""Reasons of this room, and those by which lsakit counts coverage."""
FINGERPRINT = 6
MOST_VALUES = 60
LONGEST_CODE = 20
READABLE = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".parquet")


class FrameRefusedError(Exception):
    """A frame cannot be read or used.

    ``code`` is "cell" (row, column, value of a cell that is no number), "long" (row, column, value of a school code
    of more than twenty letters), "column" (one that the file lacks) or "file", where the sentence is lsakit's.
    """

    def __init__(self, sentence: str, code: str = "file", **facts: str) -> None:
        self.code, self.facts = code, facts
        super().__init__(sentence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a file, with a few of its values."""

    name: str
    values: tuple[str, ...]
    n_missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """A school left out, and why."""

    school_id: str
    name: str
    province_code: str
    reason: str
    n_people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRow:
    """Schools and people left out for one reason, as a share of all people."""

    reason: str
    n_schools: int
    n_people: int
    share: float
    limit: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """A population without what is left out: ``frame`` is the table of schools that stay."""

    frame: Any
    excluded: tuple[Excluded, ...]
    unknown: tuple[str, ...]
    unused_rules: tuple[int, ...]
    coverage: tuple[CoverageRow, ...]
    ci1: float | None
    n_schools: int
    n_people: int

    @property
    def n_frame(self) -> int:
        """Schools that stay."""
        return int(self.frame.height)

    @property
    def n_frame_people(self) -> int:
        """People in schools that stay."""
        return people_in(self.frame)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """What a frozen frame is known by."""

    hash: str
    file_name: str
    n_schools: int
    n_people: int
    columns: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A cell, school or column of a frozen frame that is not what was frozen."""

    school_id: str
    column: str
    value: str


def write_population(rows: Sequence[Mapping[str, Any]], path: Path) -> int:
    """Write rows of schools as the population of a plan; give their number."""
    columns = list(rows[0]) if rows else list(STANDARD)
    types: dict[str, Any] = {name: pl.Int64 if name in NUMBERS else pl.String for name in columns}
    types |= {"previous_probability": pl.Float64, "previously_drawn": pl.Boolean}
    schema = {name: types[name] for name in columns}
    table = pl.DataFrame([[row[name] for name in columns] for row in rows], schema=schema, orient="row")
    _write(table, path)
    return table.height


def read_population(path: Path) -> Any:
    """Read the population of a plan."""
    return _read(path)


def _read(path: Path, **options: Any) -> pl.DataFrame:
    """Read a table, with the refusal of lsakit as ours."""
    try:
        return read_table(path, **options)
    except (LsakitError, pl.exceptions.PolarsError, OSError) as error:
        raise FrameRefusedError(error.sentence if isinstance(error, LsakitError) else str(error)) from error


def _write(table: pl.DataFrame, path: Path) -> None:
    """Write a table as Parquet, whole or not at all; uncompressed, so that a changed byte is a changed cell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        table.write_parquet(draft, compression="uncompressed")


def columns_of_file(path: Path) -> tuple[tuple[Column, ...], int]:
    """Tell the columns of an uploaded file with a few values of each, and its number of rows."""
    table = _read(path)
    found = tuple(
        Column(
            name=name,
            values=tuple(str(value) for value in table.get_column(name).drop_nulls().head(3).to_list()),
            n_missing=table.get_column(name).null_count(),
        )
        for name in table.columns
    )
    return found, table.height


def guessed_mapping(columns: Sequence[Column]) -> dict[str, str]:
    """Guess which column of a file holds what a frame needs."""
    words = {
        "school_id": ("school_id", "schoolid", "school id", "skz", "ma truong", "mã trường", "idschool"),
        "name": ("name", "school_name", "school name", "tên trường", "ten truong"),
        "province_code": ("province_code", "mã tỉnh", "ma tinh"),
        "commune_code": ("commune_code", "mã xã", "ma xa"),
        SIZE: ("enrolment", "enrollment", "nschueler", "total", "số học sinh", "so hoc sinh", "n_students"),
        "classes": ("classes", "nklassen", "số lớp", "so lop", "n_classes"),
        "total_enrolment": ("total_enrolment", "total_enrollment"),
    }
    by_name = {column.name.strip().lower(): column.name for column in columns}
    return {
        field: next(by_name[word] for word in known if word in by_name)
        for field, known in words.items()
        if any(word in by_name for word in known)
    }


def map_file(source: Path, target: Path, *, mapping: Mapping[str, str], kept: Iterable[str]) -> int:
    """Write an uploaded file as the population of a plan, with columns named as a frame names them.

    Raises
    ------
    FrameRefusedError
        If the file cannot be read, lacks a column, or a number is none.
    """
    texts = [mapping[name] for name in TEXTS if mapping.get(name)]
    table = _read(source, text_columns=texts)
    lacking = [name for name in (*mapping.values(), *kept) if name and name not in table.columns]
    if lacking:
        raise FrameRefusedError(f"The file has no column {lacking[0]!r}.", "column", column=lacking[0])
    out: dict[str, pl.Series] = {}
    for name in STANDARD:
        if mapping.get(name):
            column = table.get_column(mapping[name])
            out[name] = _numbers(column) if name in NUMBERS else column.cast(pl.String).str.strip_chars()
    for name in kept:
        if name not in out and name not in mapping.values():
            out[name] = _strata_texts(table.get_column(name))
    _refuse_long(out["school_id"], mapping["school_id"])
    if "name" not in out:
        out["name"] = out["school_id"]
    result = pl.DataFrame([series.alias(name) for name, series in out.items()])
    _write(result, target)
    return result.height


def _refuse_long(codes: pl.Series, column: str) -> None:
    """Refuse a school code that is none: one of more than twenty letters."""
    long = (codes.str.len_chars() > LONGEST_CODE).fill_null(value=False).arg_true().to_list()
    if long:
        row, value = long[0], str(codes[long[0]])
        raise FrameRefusedError(
            f"Row {row + 2}, column {column!r}: {value!r} is too long for a school code.",
            "long",
            row=str(row + 2),
            column=column,
            value=value[:60],
        )


def _numbers(column: pl.Series) -> pl.Series:
    """Read a column as numbers; a cell that is none is refused with its row."""
    if column.dtype.is_numeric():
        return column
    texts = column.cast(pl.String).str.strip_chars()
    found = texts.cast(pl.Float64, strict=False)
    bad = (found.is_null() & texts.is_not_null() & (texts != "")).arg_true().to_list()
    if bad:
        row, value = bad[0], str(texts[bad[0]])
        raise FrameRefusedError(
            f"Row {row + 2}, column {column.name!r}: {value!r} is no number.",
            "cell",
            row=str(row + 2),
            column=column.name,
            value=value,
        )
    return found


def _strata_texts(column: pl.Series) -> pl.Series:
    """Keep a column as it is, but real numbers that are whole as whole, and truth values as words."""
    if column.dtype == pl.Boolean:
        return column.replace_strict({True: "yes", False: "no"}, return_dtype=pl.String)
    if column.dtype.is_float():
        values = [None if value is None else f"{value:g}" for value in column.to_list()]
        return pl.Series(column.name, values, dtype=pl.String)
    return column if column.dtype.is_integer() else column.cast(pl.String)


def strata_columns(table: Any) -> list[str]:
    """Name the columns by which a frame may be stratified, those with few values first."""
    names = [name for name in table.columns if name not in NOT_STRATA]
    return sorted(names, key=lambda name: table.get_column(name).n_unique())


def values_of(table: Any, name: str) -> list[str]:
    """List the values of a column, at most sixty."""
    return sorted({text for text in cell_texts(table, name) if text is not None})[:MOST_VALUES]


def people_in(table: Any) -> int:
    """Count the people of a table; missing sizes count nothing."""
    return int(table.get_column(SIZE).fill_null(0).sum() or 0)


def narrow(table: Any, excludes: Sequence[Mapping[str, Any]]) -> Narrowed:
    """Leave out schools by rules and by name; the first that fits gives the reason.

    Parameters
    ----------
    table : polars.DataFrame
        The population, one row per school.
    excludes : Sequence of Mapping
        Rules (``kind`` "rule": column, op "is", "below" or "empty", value, reason) and schools (``kind``
        "school": school_id, reason).

    Returns
    -------
    Narrowed
        The frame, what is left out, codes that no school has, places of rules that meet no school, coverage.
    """
    reasons: list[str | None] = [None] * table.height
    ids = cell_texts(table, "school_id")
    place = {one: row for row, one in enumerate(ids)}
    unknown: list[str] = []
    unused: list[int] = []
    for number, entry in enumerate(excludes):
        if entry["kind"] == "school":
            row = place.get(entry["school_id"])
            rows = [] if row is None else [row]
            if row is None:
                unknown.append(str(entry["school_id"]))
        else:
            rows = _rows_of_rule(table, entry)
            if not rows:
                unused.append(number)
        for one in rows:
            reasons[one] = reasons[one] or entry["reason"]
    stays = pl.Series([reason is None for reason in reasons], dtype=pl.Boolean)
    coverage, ci1 = _coverage(table, reasons)
    return Narrowed(
        frame=table.filter(stays),
        excluded=_excluded(table, reasons),
        unknown=tuple(unknown),
        unused_rules=tuple(unused),
        coverage=coverage,
        ci1=ci1,
        n_schools=table.height,
        n_people=people_in(table),
    )


def _rows_of_rule(table: pl.DataFrame, rule: Mapping[str, Any]) -> list[int]:
    """Give the rows that a rule meets."""
    name = rule["column"]
    if name not in table.columns:
        return []
    column = table.get_column(name)
    if rule["op"] == "empty":
        empty = column.is_null() | (column.cast(pl.String) == "")
        if column.dtype.is_numeric():
            empty = empty | (column == 0)
        return list(empty.fill_null(value=True).arg_true().to_list())
    if rule["op"] == "below":
        if not column.dtype.is_numeric():
            return []
        return list((column < float(rule["value"])).fill_null(value=False).arg_true().to_list())
    return [row for row, text in enumerate(cell_texts(table, name)) if text == str(rule["value"])]


def _excluded(table: pl.DataFrame, reasons: Sequence[str | None]) -> tuple[Excluded, ...]:
    """List the schools left out."""
    found = []
    for row, reason in enumerate(reasons):
        if reason is not None:
            values = table.row(row, named=True)
            found.append(
                Excluded(
                    school_id=str(values["school_id"]),
                    name=str(values.get("name") or ""),
                    province_code=str(values.get("province_code") or ""),
                    reason=reason,
                    n_people=max(int(values[SIZE] or 0), 0),
                )
            )
    return tuple(found)


def _coverage(
    table: pl.DataFrame, reasons: Sequence[str | None]
) -> tuple[tuple[CoverageRow, ...], float | None]:
    """Count coverage by reason; nothing where sizes are missing or everything is left out."""
    given = pl.Series(
        "exclusion", [None if one is None else REASONS[one] for one in reasons], dtype=pl.String
    )
    try:
        counted = exclude_schools(table.with_columns(given), size=SIZE)
        kept = counted.n_students - counted.n_excluded
        indices = coverage_indices(
            PopulationCounts(
                enrolled=counted.n_students,
                school_excluded=counted.n_excluded,
                participants=kept,
                within_excluded=0.0,
            )
        )
    except LsakitError:
        return (), None
    rows = tuple(
        CoverageRow(
            reason=row["reason"],
            n_schools=row["n_schools"],
            n_people=int(row["n_students"]),
            share=row["share"],
            limit=row["limit"],
        )
        for row in counted.table.to_dicts()
    )
    return rows, indices.ci1


def freeze(table: Any, folder: Path) -> Frozen:
    """Write a frame under its hash, read-only, with the fingerprints of its cells beside it.

    The content is hashed, so freezing the same frame twice finds the same file.
    """
    whole = with_kinds(table, {}).sort("school_id")
    frame_hash = text_hash(frame_text(whole))
    name = frame_hash.removeprefix("sha256:")
    path, part = folder / f"{name}.parquet", folder / f"{name}.cells.json"
    content = frame_part(whole, frame_hash)
    if not path.exists() or differences(path, frame_hash, part):
        for one in (path, part):
            one.unlink(missing_ok=True)
        _write(whole, path)
        with replacing(part) as draft:
            draft.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        for one in (path, part):
            os.chmod(one, 0o444)
    kinds = content["kinds"]
    return Frozen(
        hash=frame_hash,
        file_name=path.name,
        n_schools=whole.height,
        n_people=people_in(whole),
        columns=tuple({"name": one, "kind": kinds[one]} for one in whole.columns),
    )


def differences(path: Path, frame_hash: str, part: Path, *, most: int = 20) -> tuple[Difference, ...]:
    """Compare a frozen frame with its hash; name the cells that changed, at most twenty.

    A file that is gone or cannot be read is one difference without school and column.
    """
    try:
        table = with_kinds(read_table(path), {})
        if text_hash(frame_text(table)) == frame_hash:
            return ()
        recorded = json.loads(part.read_text(encoding="utf-8"))
        found = _changed_cells(recorded, frame_part(table, ""), table)
    except (LsakitError, pl.exceptions.PolarsError, OSError, ValueError) as error:
        return (Difference(school_id="", column="", value=str(error)),)
    return tuple(found[:most]) or (Difference(school_id="", column="", value=""),)


def _changed_cells(
    before: Mapping[str, Any], now: Mapping[str, Any], table: pl.DataFrame
) -> list[Difference]:
    """Name schools, columns and cells in which two frames differ."""
    old, new = list(before["school_ids"]), list(now["school_ids"])
    found = [Difference(school_id=one, column="", value="") for one in sorted(set(old) ^ set(new))]
    names = set(before["cells"]) ^ set(now["cells"])
    found += [Difference(school_id="", column=one, value="") for one in sorted(names)]
    place = {one: row for row, one in enumerate(new)}
    rows = {one: row for row, one in enumerate(cell_texts(table, "school_id"))}
    for name in sorted(set(before["cells"]) & set(now["cells"])):
        kept, held, texts = before["cells"][name], now["cells"][name], cell_texts(table, name)
        for row, one in enumerate(old):
            at = place.get(one)
            if at is not None and _print(kept, row) != _print(held, at):
                found.append(Difference(school_id=one, column=name, value=texts[rows[one]] or ""))
    return found


def _print(cells: str, row: int) -> str:
    """Give the fingerprint of a cell."""
    return cells[row * FINGERPRINT : (row + 1) * FINGERPRINT]


def csv_of(path: Path) -> bytes:
    """Write a frozen frame as CSV, for those who have no program for Parquet."""
    return b"\xef\xbb\xbf" + _read(path).write_csv().encode("utf-8")
