"""A run's tables become micro data under the names that users of international studies know.

Names follow PISA (``CNTSTUID``, ``W_FSTUWT``, ``PV1MATH`` …); :mod:`lsakit.release.aliases` gives those of IEA.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from lsakit.errors import TableError
from lsakit.io.codebook import Codebook, Variable
from lsakit.io.frames import require_columns
from lsakit.release.microdata import MicroData
from lsakit.release.missing_scheme import missing_codes, refuse_collisions
from lsakit.release.recodes import labelled
from lsakit.release.words import both, say

SENATE_TOTAL = 5000.0
REGIONS = (
    "northern_mountains", "red_river_delta", "north_central", "south_central_highlands", "southeast",
    "mekong_delta",
)  # fmt: skip
SUBJECT_NAMES = {"MATHS": "MATH", "READING": "READ", "SCIENCE": "SCIE"}
CARRIED = ("REGION", "PROVINCE", "AREA", "SECTOR", "DISADV")
RAW_MISSING = {96: "R", 97: "N", 98: "I", 99: "M"}
COUNTRY = "VNM"
_CODES: Mapping[str, Mapping[Any, int]] = {
    "REGION": {name: number for number, name in enumerate(REGIONS, start=1)},
    "AREA": {"urban": 1, "rural": 2},
    "SECTOR": {"public": 1, "private": 2},
    "DISADV": {True: 1, False: 2},
    "ST004D01T": {"F": 1, "M": 2},
    "ETHNIC": {"kinh": 1, "minority": 2},
}
_SOURCES = {
    "REGION": "region6", "AREA": "area", "SECTOR": "sector", "DISADV": "disadvantaged", "ST004D01T": "gender",
    "ETHNIC": "ethnicity",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTables:
    """What a run of the analysis left for one grade.

    Parameters
    ----------
    grade : int
        Grade.
    plausible_values, weights, replicates, background : polars.DataFrame
        As the stages "values", "weights" and "administration" wrote them; one row per respondent.
    schools : polars.DataFrame
        The stage "weights": sampled schools with participant, base weight and non-response factor.
    enrolments : polars.DataFrame
        The stage "administration": ``participant_id`` and ``enrolment``.
    responses : polars.DataFrame, optional
        Raw answers, ``student_id``, ``booklet`` and one column per item.
    items : polars.DataFrame, optional
        ``item``, ``subject``, ``format``, ``max_score``.
    provinces : Mapping of str to str
        Name of each province by its code.
    """

    grade: int
    plausible_values: pl.DataFrame
    weights: pl.DataFrame
    replicates: pl.DataFrame
    background: pl.DataFrame
    schools: pl.DataFrame
    enrolments: pl.DataFrame
    responses: pl.DataFrame | None = None
    items: pl.DataFrame | None = None
    provinces: Mapping[str, str] = field(default_factory=dict)


def build_microdata(run: RunTables) -> MicroData:
    """Bring the tables of a run into a student, a school and a response file.

    Parameters
    ----------
    run : RunTables
        What the run left.

    Returns
    -------
    MicroData
        Files ``student``, ``school`` and, with responses, ``responses``; identifiers are those of the run.

    Raises
    ------
    TableError
        If a column is absent, a category is unknown, or a missing code collides with a legal value (C7).
    """
    students, student_book = _students(run)
    schools, school_book = _schools(run)
    tables, books = {"student": students, "school": schools}, {"student": student_book, "school": school_book}
    if run.responses is not None:
        tables["responses"], books["responses"] = _responses(run)
    for name, book in books.items():
        refuse_collisions(book, _legal(tables[name], book))
    return MicroData(tables=tables, codebooks=books, carried=CARRIED)


def _legal(table: pl.DataFrame, book: Codebook) -> dict[str, list[int]]:
    """List the labelled codes that are no missing codes, by variable."""
    return {
        one.name: [code for code in one.values if isinstance(code, int) and code not in one.missing]
        for one in book
    }


def _variable(name: str, **fields: Any) -> Variable:
    """Describe a variable by the texts under its name."""
    vi, en = both(f"variable.{name}")
    return Variable(name=name, label=vi, label_en=en, **fields)


def _category(name: str, *, kinds: str = "D") -> Variable:
    """Describe a variable whose categories have texts."""
    vi, en = both(f"variable.{name}")
    labels = {code: both(f"value.{name}.{code}") for code in _CODES[name].values()}
    return labelled(labels, name=name, label=vi, label_en=en, kinds=kinds, derivation=_SOURCES[name])


def _coded(table: pl.DataFrame, name: str) -> pl.Expr:
    """Turn words into codes; an unknown word is refused."""
    source, codes = _SOURCES[name], _CODES[name]
    unknown = [word for word in table.get_column(source).unique().to_list() if word not in codes]
    if unknown:
        raise TableError(
            f"The column {source!r} holds {unknown[0]!r}, which {name} has no code for.",
            hint=f"Known: {', '.join(str(word) for word in codes)}.",
            param=source,
            got=unknown[0],
        )
    return pl.col(source).replace_strict(dict(codes), return_dtype=pl.Int64).alias(name)


def _students(run: RunTables) -> tuple[pl.DataFrame, Codebook]:
    """Make the student file."""
    background = run.background
    require_columns(background, ["student_id", "school_id", "ses", *_SOURCES.values()], param="background")
    people = run.weights.select("student_id", "school_id", pl.col("final_weight").alias("W_FSTUWT"))
    known = background.select(
        "student_id",
        _coded(background, "ST004D01T"),
        _coded(background, "ETHNIC"),
        pl.col("ses").alias("ESCS"),
    )
    n_replicates = run.replicates.width - 1
    weights = run.replicates.rename({f"replicate_{r}": f"W_FSTURWT{r}" for r in range(1, n_replicates + 1)})
    names = {column: _pv_name(column) for column in run.plausible_values.columns if column != "student_id"}
    values = run.plausible_values.rename(names)
    for part in (known, weights, values):
        people = people.join(part, on="student_id", how="left", maintain_order="left")
    if run.responses is not None:
        booklets = run.responses.select("student_id", pl.col("booklet").cast(pl.Int64).alias("BOOKID"))
        people = people.join(booklets, on="student_id", how="left", maintain_order="left")
    total = float(people.get_column("W_FSTUWT").sum())
    people = people.with_columns(
        CNT=pl.lit(COUNTRY),
        ST001D01T=pl.lit(run.grade, dtype=pl.Int64),
        SENWT=pl.col("W_FSTUWT") * (SENATE_TOTAL / total),
    )
    first = ["CNT", "CNTSCHID", "CNTSTUID", "ST001D01T", "ST004D01T", "ETHNIC", "ESCS"]
    first += ["BOOKID"] if run.responses is not None else []
    table = people.rename({"student_id": "CNTSTUID", "school_id": "CNTSCHID"}).select(
        *first, "W_FSTUWT", "SENWT", *weights.columns[1:], *names.values()
    )
    return table, Codebook(
        variables=tuple(_student_variable(name, run) for name in table.columns),
        file_label=say("file.student", "vi"),
    )


def _pv_name(column: str) -> str:
    """Name a plausible value as PISA does: PV1MATHS is PV1MATH."""
    head = column.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    subject = column[len(head) :]
    return head + SUBJECT_NAMES.get(subject, subject)


def _student_variable(name: str, run: RunTables) -> Variable:
    """Describe a variable of the student file."""
    if name in ("ST004D01T", "ETHNIC"):
        return _category(name)
    if name == "CNT":
        return _variable(name, type="text", width=3, identifier=True)
    if name in ("CNTSCHID", "CNTSTUID"):
        return _variable(name, type="text")
    if name == "ST001D01T":
        return _variable(name, type="integer", width=2, decimals=0, valid_range=(1.0, 12.0))
    if name == "BOOKID":
        return _variable(name, type="integer", width=3, decimals=0)
    if name.startswith("W_FSTURWT"):
        vi, en = both("variable.W_FSTURWT")
        number = name.removeprefix("W_FSTURWT")
        return Variable(name=name, label=f"{vi} {number}", label_en=f"{en} {number}", width=14, decimals=6)
    if name.startswith("PV"):
        return _pv_variable(name)
    width, decimals = (9, 4) if name == "ESCS" else (14, 6)
    derivation = "W_FSTUWT × 5000 / Σ W_FSTUWT" if name == "SENWT" else ""
    return _variable(name, width=width, decimals=decimals, derivation=derivation)


def _pv_variable(name: str) -> Variable:
    """Describe a plausible value."""
    digits = "".join(letter for letter in name[2:] if letter.isdigit())
    short = name[2 + len(digits) :]
    subject = next((long for long, brief in SUBJECT_NAMES.items() if brief == short), short)
    vi, en = both("variable.PV")
    area_vi, area_en = both(f"subject.{subject}") if subject in ("MATHS", "READING") else (short, short)
    return Variable(
        name=name,
        label=f"{vi} {digits}: {area_vi}",
        label_en=f"{en} {digits}: {area_en}",
        width=11,
        decimals=4,
    )


def _schools(run: RunTables) -> tuple[pl.DataFrame, Codebook]:
    """Make the school file: schools with at least one student in the student file."""
    taking = run.schools.select(
        pl.col("participant_id").alias("school_id"),
        (pl.col("base_weight") * pl.col("nonresponse_factor")).alias("W_SCHGRNRABWT"),
    ).drop_nulls("school_id")
    sizes = run.enrolments.select(
        pl.col("participant_id").alias("school_id"), pl.col("enrolment").cast(pl.Int64).alias("ENROLMENT")
    ).drop_nulls("school_id")
    background = run.background
    seen = background.unique("school_id", keep="first", maintain_order=True).select(
        "school_id", pl.col("province_code").cast(pl.Int64).alias("PROVINCE"),
        *(_coded(background, name) for name in ("REGION", "AREA", "SECTOR", "DISADV")),
    )  # fmt: skip
    table = seen.join(taking, on="school_id", how="left").join(sizes, on="school_id", how="left")
    table = table.rename({"school_id": "CNTSCHID"}).with_columns(CNT=pl.lit(COUNTRY)).sort("CNTSCHID")
    table = table.select("CNT", "CNTSCHID", *CARRIED, "ENROLMENT", "W_SCHGRNRABWT")
    return table, Codebook(
        variables=tuple(_school_variable(name, run) for name in table.columns),
        file_label=say("file.school", "vi"),
    )


def _school_variable(name: str, run: RunTables) -> Variable:
    """Describe a variable of the school file."""
    if name == "PROVINCE":
        vi, en = both("variable.PROVINCE")
        codes = {int(code): (text, text) for code, text in run.provinces.items()}
        codes = codes or {
            int(code): (code, code) for code in run.background.get_column("province_code").unique().sort()
        }
        return labelled(codes, name=name, label=vi, label_en=en, derivation="province_code")
    if name in _CODES:
        return _category(name)
    if name == "CNT":
        return _variable(name, type="text", width=3, identifier=True)
    if name == "CNTSCHID":
        return _variable(name, type="text")
    if name == "ENROLMENT":
        return _variable(name, type="integer", width=6, decimals=0, disclosure="restricted")
    return _variable(name, width=14, decimals=6, disclosure="restricted")


def _responses(run: RunTables) -> tuple[pl.DataFrame, Codebook]:
    """Make the response file: raw answers with missing codes of one digit."""
    responses = run.responses
    if responses is None or run.items is None:
        raise TableError("Responses need the table of items.", hint="Give items too.", param="items")
    known = {row["item"]: row for row in run.items.iter_rows(named=True)}
    names = [name for name in responses.columns if name in known]
    table = responses.select(
        pl.col("student_id").alias("CNTSTUID"),
        pl.col("booklet").cast(pl.Int64).alias("BOOKID"),
        *(_one_digit(name) for name in names),
    )
    book = [_variable("CNTSTUID", type="text"), _student_variable("BOOKID", run)]
    book += [_item_variable(name, known[name]) for name in names]
    return table, Codebook(variables=tuple(book), file_label=say("file.responses", "vi"))


def _one_digit(name: str) -> pl.Expr:
    """Turn the two-digit missing codes of raw answers into those of one digit; what was not given is N."""
    codes = {kind: code for code, kind in missing_codes(1, "RNIM").items()}
    mapping = {raw: codes[kind] for raw, kind in RAW_MISSING.items()}
    column = pl.col(name).cast(pl.Int64)
    return column.replace(mapping).fill_null(codes["N"]).alias(name)


def _item_variable(name: str, item: Mapping[str, Any]) -> Variable:
    """Describe the answers to an item."""
    vi, en = both("variable.ITEM")
    highest = 4 if item["format"] == "mc" else int(item["max_score"])
    codes = missing_codes(1, "RNIM")
    return Variable(
        name=name,
        label=f"{vi} {name}",
        label_en=f"{en} {name}",
        type="integer",
        width=1,
        decimals=0,
        values={code: " | ".join(both(f"missing.{kind}")) for code, kind in codes.items()},
        missing=codes,
        valid_range=(0.0 if item["format"] != "mc" else 1.0, float(highest)),
        question=str(item.get("cluster", "")),
    )
