"""Files of responses, items and students: their columns, what is wrong in their cells, and the tables they become."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from dienrong.scaling.numeric.faults import Faults
from dienrong.scaling.numeric.items_file import read_items
from lsakit.errors import LsakitError
from lsakit.io.files import read_table

ENDINGS = (".csv", ".csv.gz", ".tsv", ".txt", ".xlsx", ".parquet", ".sav", ".zsav", ".dta")
STUDENT, GROUP, WEIGHT, BACKGROUND, UNUSED = "student_id", "group", "weight", "background", ""
ROLES = (UNUSED, STUDENT, GROUP, WEIGHT, BACKGROUND)
ITEM_RULES = ("listed", "rest", "prefix")
MOST_SCORE = 9
MISSING_CODES = (96, 98, 99)
MOST_STRAY = 0.1
"""Up to this share of other cells a column is taken for an item with typing errors, and they are named."""
MOST_LEVELS = 12
SHOWN_VALUES = 3
GZIP = ".gz"
MOST_UNPACKED = 40
"""A packed file may grow by this factor; what grows more is no table of answers."""


class FileRefusedError(Exception):
    """A file cannot be read; ``role`` says which one was sent as what, the sentence is lsakit's."""

    def __init__(self, role: str, sentence: str) -> None:
        self.role = role
        super().__init__(sentence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a file, with a few of its values and whether it looks like answers to an item."""

    file: str
    name: str
    values: tuple[str, ...]
    n_missing: int
    n_levels: int
    is_item: bool

    @property
    def key(self) -> str:
        """Name under which the form speaks of it: the file and the column."""
        return f"{self.file}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Which column plays which role.

    Parameters
    ----------
    student_id : str
        Column of the responses; empty where students are numbered by their row.
    is_scored : bool
        Whether the answers are scores already.
    item_rule : str
        "listed" (the items of the items file), "rest" (every column that looks like an item) or "prefix".
    prefix : str
        Beginning of the names of item columns, for "prefix".
    left_out : tuple of str
        Item columns that are left out nevertheless.
    roles : Mapping of str to str
        Role of each other column by its key ("responses/CNT").
    dif : tuple of str
        Keys of the columns by which items are compared between groups.
    students_id : str
        Column of the students file that names the student.
    """

    student_id: str = ""
    is_scored: bool = True
    item_rule: str = "rest"
    prefix: str = ""
    left_out: tuple[str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    dif: tuple[str, ...] = ()
    students_id: str = ""

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Matching:
        """Read what ``to_json`` wrote; unknown names are left aside."""
        known = {name: kept[name] for name in cls.__dataclass_fields__ if name in kept}
        for name in ("left_out", "dif"):
            known[name] = tuple(known.get(name, ()))
        return cls(**known)

    def to_json(self) -> dict[str, Any]:
        """Write the matching as plain values."""
        return {**asdict(self), "left_out": list(self.left_out), "dif": list(self.dif)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Tables that are ready to be frozen, or the reasons why they are not.

    ``tables`` by role: raw_responses or scored_responses, items, students (absent where nothing was said of
    them). ``roles`` names the columns of the students table by what they are for. ``counts`` is what a page says.
    """

    tables: dict[str, Any]
    roles: dict[str, Any]
    counts: dict[str, Any]
    faults: Faults


def unpack(path: Path) -> Path:
    """Unpack a ``.gz`` file beside itself, within bounds; give the path of what is read.

    Raises
    ------
    FileRefusedError
        If it is damaged or grows beyond all measure.
    """
    if path.suffix.lower() != GZIP:
        return path
    target = path.with_suffix("")
    limit = MOST_UNPACKED * max(path.stat().st_size, 1_000_000)
    try:
        with gzip.open(path, "rb") as packed, target.open("wb") as plain:
            shutil.copyfileobj(_Bounded(packed, limit), plain)
    except (OSError, EOFError, gzip.BadGzipFile, _TooLargeError) as error:
        target.unlink(missing_ok=True)
        raise FileRefusedError("responses", f"The file {path.name!r} cannot be unpacked.") from error
    path.unlink()
    return target


class _TooLargeError(Exception):
    """More came out than may."""


class _Bounded:
    """A stream that refuses to give more than so many bytes."""

    def __init__(self, stream: Any, limit: int) -> None:
        self._stream, self._left = stream, limit

    def read(self, size: int = -1) -> bytes:
        """Read the next bytes."""
        part: bytes = self._stream.read(size)
        self._left -= len(part)
        if self._left < 0:
            raise _TooLargeError
        return part


def read(path: Path, role: str, *, texts: Sequence[str] = ()) -> pl.DataFrame:
    """Read a file; the refusal of lsakit becomes ours.

    Raises
    ------
    FileRefusedError
        If it cannot be read.
    """
    try:
        return read_table(path, text_columns=list(texts)) if texts else read_table(path)
    except (LsakitError, pl.exceptions.PolarsError, OSError) as error:
        raise FileRefusedError(
            role, error.sentence if isinstance(error, LsakitError) else str(error)
        ) from error


def columns_of(path: Path, role: str) -> tuple[tuple[Column, ...], int]:
    """Tell the columns of a file with a few values of each, and its number of rows."""
    table = read(path, role)
    return tuple(_column(table.get_column(name), role) for name in table.columns), table.height


def _column(series: pl.Series, role: str) -> Column:
    """Describe one column."""
    present = series.drop_nulls()
    return Column(
        file=role,
        name=series.name,
        values=tuple(str(value) for value in present.unique(maintain_order=True).head(SHOWN_VALUES)),
        n_missing=series.null_count(),
        n_levels=present.n_unique(),
        is_item=looks_like_item(present),
    )


def looks_like_item(present: pl.Series) -> bool:
    """Tell whether a column holds few small whole numbers, as scores, options and codes are."""
    if present.is_empty():
        return present.dtype.is_numeric() or present.dtype == pl.Null
    if not present.dtype.is_numeric() or present.n_unique() > MOST_LEVELS:
        return False
    levels = present.unique().to_list()
    return all(float(one).is_integer() and (0 <= one <= MOST_SCORE or one in MISSING_CODES) for one in levels)


def stray_cells(present: pl.Series) -> tuple[int, ...] | None:
    """Tell which cells keep a column from looking like an item, where nearly all of it does.

    Parameters
    ----------
    present : polars.Series
        A column of the responses, empty cells included.

    Returns
    -------
    tuple of int or None
        Rows of the cells that are no small whole number, at most one cell in ten of those filled in; None where
        the column looks like an item, or like something else altogether.
    """
    texts = present.cast(pl.String).str.strip_chars().str.strip_suffix(".0").replace({"": None, ".": None})
    numbers = texts.cast(pl.Int64, strict=False)
    good = (numbers.is_between(0, MOST_SCORE) | numbers.is_in(MISSING_CODES)).fill_null(value=False)
    n_filled = texts.len() - texts.null_count()
    stray = (texts.is_not_null() & ~good).arg_true().to_list()
    if not stray or len(stray) > MOST_STRAY * n_filled:
        return None
    return tuple(stray)


def guessed_matching(columns: Sequence[Column], *, has_items: bool) -> Matching:
    """Guess the roles of columns by their names; a person looks at them next."""
    words = {
        STUDENT: ("student_id", "idstud", "cntstuid", "stuid", "sid", "mã học sinh", "ma hoc sinh", "id"),
        WEIGHT: (
            "final_weight", "w_fstuwt", "totwgt", "senwgt", "senate_weight", "weight", "trọng số", "trong so",
        ),
        GROUP: ("cnt", "country", "idcntry", "province_code", "province", "tỉnh", "tinh"),
        BACKGROUND: ("gender", "sex", "st004d01t", "itsex", "giới tính", "gioi tinh", "ses", "escs"),
    }  # fmt: skip
    found: dict[str, str] = {}
    ids = {"responses": "", "students": ""}
    for column in columns:
        name = column.name.strip().lower()
        role = next((role for role, known in words.items() if name in known), UNUSED)
        if role == STUDENT:
            ids[column.file] = ids[column.file] or column.name
        elif role in (GROUP, WEIGHT) and role in found.values():
            continue
        elif role:
            found[column.key] = role
    gender = tuple(key for key in found if key.partition("/")[2].lower() in ("gender", "sex", "giới tính"))
    return Matching(
        student_id=ids["responses"],
        students_id=ids["students"],
        is_scored=not has_items,
        item_rule="listed" if has_items else "rest",
        roles=found,
        dif=gender,
    )


def prepare(paths: Mapping[str, Path], matching: Matching) -> Prepared:
    """Make the tables of a study from files, or say what stands in the way.

    Parameters
    ----------
    paths : Mapping of str to Path
        Files by role: responses, and where they were sent items and students.
    matching : Matching
        Roles of the columns.

    Returns
    -------
    Prepared
        Tables by role, counts, faults.

    Raises
    ------
    FileRefusedError
        If a file cannot be read.
    """
    faults = Faults()
    ids = [matching.student_id] if matching.student_id else []
    answers = read(paths["responses"], "responses", texts=ids)
    items = read_items(read(paths["items"], "items"), faults) if "items" in paths else None
    student = _student_ids(answers, matching.student_id, faults, "responses")
    names = item_columns(answers, items, matching, faults)
    responses, n_empty = _responses(answers, student, names, items, matching, faults)
    if items is not None:
        items = items.filter(pl.col("item").is_in(responses.columns))
    students, roles = _students(paths, answers, student, matching, faults)
    tables = {"scored_responses" if matching.is_scored else "raw_responses": responses}
    if items is not None:
        tables["items"] = items
    elif not matching.is_scored:
        faults.add("no_items_file", file="items")
    if students is not None:
        tables["students"] = students
    return Prepared(
        tables=tables,
        roles=roles,
        counts={**counts_of(responses, items, students, roles), "n_unanswered": n_empty},
        faults=faults,
    )


def _student_ids(table: pl.DataFrame, column: str, faults: Faults, file: str) -> pl.Series:
    """Give the identifiers of students; empty and repeated ones are faults."""
    if not column:
        width = max(6, len(str(table.height)))
        return pl.Series("student_id", [f"{row:0{width}d}" for row in range(1, table.height + 1)])
    if column not in table.columns:
        faults.add("no_column", file=file, column=column)
        return pl.Series("student_id", [str(row) for row in range(table.height)])
    ids = table.get_column(column).cast(pl.String).str.strip_chars().alias("student_id")
    empty = ids.is_null() | (ids == "")
    for row in empty.arg_true().to_list():
        faults.add("id_missing", file=file, row=row, column=column)
    for row in (ids.is_duplicated() & ~empty & ~ids.is_first_distinct()).arg_true().to_list():
        faults.add("id_twice", file=file, row=row, column=column, value=str(ids[row]))
    return ids


def item_columns(
    table: pl.DataFrame, items: pl.DataFrame | None, matching: Matching, faults: Faults
) -> list[str]:
    """Name the columns of the responses that are items."""
    used = {key.partition("/")[2] for key in matching.roles if key.startswith("responses/")}
    used |= {matching.student_id}
    if matching.item_rule == "listed" and items is not None:
        listed = items.get_column("item").to_list()
        for row, name in enumerate(listed):
            if name not in table.columns:
                faults.add("item_without_column", file="items", row=row, column="item", value=name)
        found = [name for name in listed if name in table.columns]
    elif matching.item_rule == "prefix":
        found = [name for name in table.columns if name.startswith(matching.prefix) and name not in used]
    else:
        found = []
        for name in table.columns:
            if name in used or name in matching.left_out:
                continue
            column = table.get_column(name)
            if looks_like_item(column.drop_nulls()):
                found.append(name)
                continue
            for row in stray_cells(column) or ():
                faults.add("stray_cell", file="responses", row=row, column=name, value=str(column[row]))
    found = [name for name in found if name not in matching.left_out]
    if len(found) < 2:
        faults.add("too_few_items", file="responses", value=str(len(found)))
    return found


def _responses(
    table: pl.DataFrame,
    student: pl.Series,
    names: Sequence[str],
    items: pl.DataFrame | None,
    matching: Matching,
    faults: Faults,
) -> tuple[pl.DataFrame, int]:
    """Give the answers as whole numbers; items that nobody answered are left out and counted."""
    choice = set()
    if items is not None and not matching.is_scored:
        choice = set(items.filter(pl.col("format") == "mc").get_column("item").to_list())
        listed = set(items.get_column("item").to_list())
        for name in names:
            if name not in listed:
                faults.add("column_without_item", file="responses", column=name)
    out: list[pl.Series] = [student]
    n_empty = 0
    for name in names:
        series = _whole(table.get_column(name), faults, letters=name in choice)
        if series.null_count() == series.len():
            n_empty += 1
            continue
        if matching.is_scored:
            for row in ((series < 0) | (series > MOST_SCORE)).fill_null(value=False).arg_true().to_list():
                faults.add("no_score", file="responses", row=row, column=name, value=str(series[row]))
        out.append(series)
    if "booklet" in table.columns and "booklet" not in names and not matching.is_scored:
        out.insert(1, table.get_column("booklet").cast(pl.String))
    return pl.DataFrame(out), n_empty


def _whole(series: pl.Series, faults: Faults, *, letters: bool) -> pl.Series:
    """Read a column of answers as whole numbers; letters of options become their places where they are meant."""
    if series.dtype == pl.Boolean or series.dtype.is_integer():
        return series.cast(pl.Int16, strict=False)
    if series.dtype.is_float():
        bad = (series.is_not_null() & (series != series.floor())).fill_null(value=False)
        found = series.cast(pl.Int16, strict=False)
    else:
        texts = series.cast(pl.String).str.strip_chars()
        if letters:
            places = {letter: str(place) for place, letter in enumerate("ABCDEFGH", start=1)}
            texts = texts.str.to_uppercase().replace(places)
        texts = texts.str.strip_suffix(".0").replace({"": None, ".": None})
        found = texts.cast(pl.Int16, strict=False)
        bad = texts.is_not_null() & found.is_null()
    for row in bad.arg_true().to_list():
        faults.add("not_whole", file="responses", row=row, column=series.name, value=str(series[row]))
    return found.alias(series.name)


def _students(
    paths: Mapping[str, Path], answers: pl.DataFrame, student: pl.Series, matching: Matching, faults: Faults
) -> tuple[pl.DataFrame | None, dict[str, Any]]:
    """Join what both files say of the students; tell which column is for what."""
    roles: dict[str, Any] = {"group": "", "weight": "", "dif": [], "background": []}
    chosen: dict[str, list[str]] = {"responses": [], "students": []}
    for key, role in matching.roles.items():
        file, _slash, name = key.partition("/")
        if role in (GROUP, WEIGHT, BACKGROUND):
            chosen[file].append(name)
            if role == BACKGROUND:
                roles["background"].append(name)
            elif roles[role]:
                faults.add(f"second_{role}", file=file, column=name, value=roles[role])
            else:
                roles[role] = name
    roles["dif"] = [key.partition("/")[2] for key in matching.dif]
    for name in set(chosen["responses"]) & set(chosen["students"]):
        faults.add("column_in_both", file="students", column=name)
    if not any(chosen.values()):
        return None, roles
    absent = [name for name in chosen["responses"] if name not in answers.columns]
    for name in absent:
        faults.add("no_column", file="responses", column=name)
    own = [answers.get_column(name) for name in chosen["responses"] if name not in absent]
    table = pl.DataFrame([student, *own])
    if chosen["students"] and "students" in paths:
        other = _students_file(paths["students"], chosen["students"], matching, faults)
        table = _joined(table, other, faults)
    _check_students(table, roles, faults)
    return table, roles


def _students_file(
    path: Path, chosen: Sequence[str], matching: Matching, faults: Faults
) -> pl.DataFrame | None:
    """Read the columns wanted of the students file, by student."""
    if not matching.students_id:
        faults.add("students_without_id", file="students")
        return None
    table = read(path, "students", texts=[matching.students_id])
    ids = _student_ids(table, matching.students_id, faults, "students")
    return pl.DataFrame([ids, *(table.get_column(name) for name in chosen if name in table.columns)])


def _joined(table: pl.DataFrame, other: pl.DataFrame | None, faults: Faults) -> pl.DataFrame:
    """Join the students file to the students of the responses; who is missing there is a fault."""
    if other is None:
        return table
    known = set(other.get_column("student_id").to_list())
    for row, one in enumerate(table.get_column("student_id").to_list()):
        if one not in known:
            faults.add("student_unknown", file="responses", row=row, value=str(one))
    names = [name for name in other.columns if name not in table.columns]
    unique = other.unique("student_id", keep="first", maintain_order=True)
    return table.join(unique.select("student_id", *names), on="student_id", how="left", maintain_order="left")


def _check_students(table: pl.DataFrame, roles: Mapping[str, Any], faults: Faults) -> None:
    """Look for weights that are none and groups without name or with one student."""
    weight, group = roles["weight"], roles["group"]
    if weight and weight in table.columns:
        values = table.get_column(weight).cast(pl.Float64, strict=False)
        for row in (values.is_null() | ~(values >= 0)).fill_null(value=True).arg_true().to_list():
            faults.add("weight", row=row, column=weight, value=str(table.get_column(weight)[row]))
        if not faults.n_by_code.get("weight") and float(values.sum() or 0.0) <= 0.0:
            faults.add("weights_zero", column=weight)
    if group and group in table.columns:
        series = table.get_column(group)
        for row in series.is_null().arg_true().to_list():
            faults.add("group_missing", row=row, column=group)
        sizes = series.drop_nulls().value_counts()
        for value, n in sizes.rows():
            if n < 2:
                faults.add("group_of_one", column=group, value=str(value))
        if sizes.height > MAX_GROUPS:
            faults.add("many_groups", column=group, value=str(sizes.height))


MAX_GROUPS = 200
"""More groups than these are an identifier taken for a group."""


def counts_of(
    responses: pl.DataFrame,
    items: pl.DataFrame | None,
    students: pl.DataFrame | None,
    roles: Mapping[str, Any],
) -> dict[str, Any]:
    """Count what a page says of the data of a study."""
    aside = ("student_id", "school_id", "class_id", "booklet")
    names = [name for name in responses.columns if name not in aside]
    answers = responses.select(names)
    given = answers.select(pl.sum_horizontal(pl.all().is_not_null().cast(pl.Int64))).to_series()
    n_answers = int(given.sum() or 0)
    counts: dict[str, Any] = {
        "n_students": responses.height,
        "n_items": len(names),
        "n_answers": n_answers,
        "n_without_answers": int((given == 0).sum()),
        "answers_per_student": n_answers / responses.height if responses.height else 0.0,
        "n_polytomous": _n_polytomous(answers, items),
        "groups": [],
    }
    if students is not None:
        group = roles.get("group") or ""
        if group in students.columns:
            sizes = students.get_column(group).cast(pl.String).drop_nulls().value_counts(sort=True)
            counts["groups"] = [[str(value), int(n)] for value, n in sizes.rows()]
        counts["n_columns"] = students.width - 1
    return counts


def _n_polytomous(answers: pl.DataFrame, items: pl.DataFrame | None) -> int:
    """Count the items of more than one point."""
    if items is not None and "max_score" in items.columns:
        return int((items.get_column("max_score") > 1).sum())
    highest = answers.select(pl.all().max()).row(0) if answers.width and answers.height else ()
    return sum(value is not None and value > 1 for value in highest)
