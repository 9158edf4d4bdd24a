"""Selection, codes, rates, forecast, weights: plain values in and out of ``lsakit``; the ORM is never seen here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
import polars as pl

import lsakit as lk
from lsakit.design.classes import ClassOptions
from lsakit.errors import LsakitError
from lsakit.tables import OfficialForm, WordBlock, WordDocument
from lsakit.tables import word_file as write_word
from lsakit.weighting.profiles import read_rules

__all__ = ["LsakitError"]
SOFTWARE = f"lsakit {lk.__version__}"
FEWEST_DRAWS, MOST_DRAWS, CELLS_DRAWN = 200, 1000, 2_000_000
"""Draws behind the interval of a forecast: fewer for very large samples, so that the board opens within a second."""
LARGEST_DIFFERENCE = 0.20
"""Share of the frame's enrolment by which a list may differ before it is asked about (methods, section 1.12)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A participation code of schools or students, as one programme treats it."""

    code: int
    meaning_vi: str
    meaning_en: str
    allows_replacement: bool
    treatment: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A person who was selected."""

    study_id: str
    probability: float
    booklet: int
    line: int
    drawn_class: str = ""


@lru_cache(maxsize=32)
def codes(rules: str, unit: str) -> tuple[Code, ...]:
    """List the participation codes of ``"school"`` or ``"student"`` under the rules of a programme."""
    table = lk.participation_codes(rules).filter(pl.col("unit") == unit)
    return tuple(
        Code(
            code=row["code"],
            meaning_vi=row["meaning_vi"],
            meaning_en=row["meaning_en"],
            allows_replacement=row["uses_replacement"] == "yes",
            treatment=row["treatment"],
        )
        for row in table.iter_rows(named=True)
    )


def knows_rules(rules: str) -> bool:
    """Tell whether a set of rules of this name exists."""
    try:
        read_rules(rules)
    except LsakitError:
        return False
    return True


def attended_minimum(rules: str) -> float | None:
    """Give the share of eligible selected people below which a make-up session is due; None where there is none."""
    return read_rules(rules).make_up.attended_minimum


def make_up_days(rules: str) -> int:
    """Give the working days within which a make-up session is held; ten where the rules name none."""
    return read_rules(rules).make_up.within_working_days or 10


def seed_of_school(draw_seed: str, school_code: str, number: int) -> int:
    """Derive the seed of the selection in one school: 63 bits of SHA-256 over the public seed, code and number.

    Examples
    --------
    >>> seed_of_school("1", "01000001", 1) == seed_of_school("1", "01000001", 1)
    True
    """
    text = f"{draw_seed}|{school_code}|{number}|within school"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Who was selected in a school, and the numbers by which anyone repeats it.

    Parameters
    ----------
    people : tuple of Selected
        In the order of the sorted list.
    n_listed, n_classes : int
        People on the list; classes (joined ones count once) where classes were drawn, else 0.
    random_number : float
        Random start of the draw of people, or of classes, in (0, 1].
    first_booklet : int
        Booklet of the first person; 0 where each class has its own.
    """

    people: tuple[Selected, ...]
    n_listed: int
    n_classes: int
    random_number: float
    first_booklet: int


def select(
    people: Sequence[Mapping[str, Any]], *, school: str, seed: int, n_students: int, n_booklets: int
) -> Selection:
    """Select people of one list with equal probability.

    Parameters
    ----------
    people : sequence of mapping
        student_id, gender, birth_date (ISO year and month).
    school : str
        Code of the school.
    seed : int
        Seed of this school.
    n_students : int
        People to select; all where fewer are listed.
    n_booklets : int
        Booklets that are dealt in turn.

    Returns
    -------
    Selection
        Who was selected.

    Raises
    ------
    LsakitError
        If the list is empty or a person stands on it twice.
    """
    found = lk.select_students(
        _lists(people, school), _sampled(school), rng=seed, n_students=n_students, n_booklets=n_booklets
    )
    row = found.schools.row(0, named=True)
    return Selection(
        people=tuple(_selected(one) for one in found.table.iter_rows(named=True)),
        n_listed=int(row["n_listed"]),
        n_classes=0,
        random_number=float(row["random_number"]),
        first_booklet=int(row["first_booklet"]),
    )


def select_classes(
    people: Sequence[Mapping[str, Any]], *, school: str, seed: int, n_classes: int, n_booklets: int
) -> Selection:
    """Select whole classes with equal probability; small classes are joined before.

    Parameters
    ----------
    people : sequence of mapping
        student_id, class_id, gender, birth_date.
    school : str
        Code of the school.
    seed : int
        Seed of this school.
    n_classes : int
        Classes to select; all where there are fewer.
    n_booklets : int
        Booklets that are dealt in turn.

    Returns
    -------
    Selection
        Everybody in the classes drawn.

    Raises
    ------
    LsakitError
        If the list is empty or a person stands on it twice.
    """
    options = ClassOptions(n_classes=n_classes, n_booklets=n_booklets)
    found = lk.select_classes(_lists(people, school), _sampled(school), rng=seed, options=options)
    row = found.schools.row(0, named=True)
    return Selection(
        people=tuple(_selected(one) for one in found.table.iter_rows(named=True)),
        n_listed=len(people),
        n_classes=int(row["n_pseudo_classes"]),
        random_number=float(row["random_number"]),
        first_booklet=0,
    )


def _lists(people: Sequence[Mapping[str, Any]], school: str) -> pl.DataFrame:
    """Put one school's list into a table."""
    if not people:
        raise LsakitError("The list of the school is empty.", hint="Bring in the list first.")
    return pl.DataFrame([{"school_id": school, **one} for one in people])


def _sampled(school: str) -> pl.DataFrame:
    """Give the sample of one school, since a selection depends on no other."""
    none = pl.Series([None], dtype=pl.String)
    return pl.DataFrame({"school_id": [school], "replacement_1": none, "replacement_2": none})


def _selected(row: Mapping[str, Any]) -> Selected:
    """Read one selected person."""
    return Selected(
        study_id=row["student_id"],
        probability=float(row["probability"]),
        booklet=int(row["booklet"]),
        line=int(row["line_number"]),
        drawn_class=str(row.get("pseudo_class") or ""),
    )


def check_digit(digits: str) -> str:
    """Give the Luhn check digit of a row of digits.

    Examples
    --------
    >>> check_digit("7992739871")
    '3'
    """
    total = 0
    for place, letter in enumerate(reversed(digits)):
        value = int(letter) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def person_code(*, year: int, grade: int, school: int, class_number: int, number: int) -> str:
    """Make a person's code: year, grade, school, class, number and check digit, 14 digits (methods, section 1.12).

    Examples
    --------
    >>> person_code(year=2026, grade=5, school=12, class_number=1, number=7)
    '26050001201070'
    """
    parts = (year % 100, grade, class_number, number)
    if not (0 < school <= 99_999 and all(0 <= part <= 99 for part in parts)):
        raise LsakitError(
            f"A person code has two digits for class ({class_number}) and number ({number}), five for the "
            f"school ({school}).",
            hint="Split the class on the list into classes of at most 99.",
        )
    digits = f"{year % 100:02d}{grade:02d}{school:05d}{class_number:02d}{number:02d}"
    return digits + check_digit(digits)


def is_person_code(text: str) -> bool:
    """Tell whether a text is a person code whose check digit fits."""
    return len(text) == 14 and text.isascii() and text.isdigit() and check_digit(text[:-1]) == text[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Response rates of the schools whose outcome is known, each a proportion; None where nothing is known."""

    values: Mapping[str, Mapping[str, float]]
    zone: str
    required_after: float | None
    is_student_rate_met: bool | None


def rates(
    schools: Sequence[Mapping[str, Any]], students: Sequence[Mapping[str, Any]], *, rules: str
) -> Rates | None:
    """Compute response rates; None while no school's outcome is known.

    Parameters
    ----------
    schools : sequence of mapping
        One per sampled school with its outcome: school_id, participant_id, status, enrolment, base_weight,
        stratum, enrolment_listed.
    students : sequence of mapping
        One per selected student of the schools that took part: school_id, student_id, status, class_id.
    rules : str
        Name of the programme's rules.

    Returns
    -------
    Rates or None
        Weighted and unweighted rates by name.

    Raises
    ------
    LsakitError
        If the tables contradict each other.
    """
    known = [row for row in schools if row["status"] is not None]
    ineligible = {code.code for code in codes(rules, "school") if code.treatment not in TAKING}
    if not any(row["status"] not in ineligible for row in known):
        return None
    found = lk.response_rates(_school_table(known), _student_table(students), rules=rules)
    values = {
        row["rate"]: {
            "weighted": row["weighted"],
            "unweighted": row["unweighted"],
            "n_numerator": row["n_numerator"],
            "n_denominator": row["n_denominator"],
        }
        for row in found.table.iter_rows(named=True)
    }
    return Rates(
        values=values,
        zone=found.zone,
        required_after=found.required_after,
        is_student_rate_met=found.is_student_rate_met,
    )


TAKING = ("participant", "nonrespondent")


def _school_table(schools: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Put outcomes of schools into a table whose columns keep their kind when a column is empty."""
    kinds = {
        "school_id": pl.String,
        "participant_id": pl.String,
        "status": pl.Int64,
        "enrolment": pl.Float64,
        "base_weight": pl.Float64,
        "stratum": pl.String,
        "enrolment_listed": pl.Float64,
        "n_classes": pl.Float64,
        "replacement_1": pl.String,
        "replacement_2": pl.String,
        "n_replacements_left": pl.Int64,
    }
    return pl.DataFrame(
        {
            name: pl.Series(name, [row.get(name) for row in schools], dtype=kind)
            for name, kind in kinds.items()
        }
    )


def _student_table(students: Sequence[Mapping[str, Any]]) -> pl.DataFrame | None:
    """Put outcomes of students into a table; None where there are none yet."""
    if not students:
        return None
    kinds = {
        "school_id": pl.String,
        "student_id": pl.String,
        "status": pl.Int64,
        "class_id": pl.String,
        "gender": pl.String,
    }
    return pl.DataFrame(
        {
            name: pl.Series(name, [row.get(name) for row in students], dtype=kind)
            for name, kind in kinds.items()
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Forecast of the final rates: bounds, expected rate and the interval that holds 90 % of the forecasts."""

    rows: tuple[Mapping[str, Any], ...]
    zone_expected: str
    zone_chances: Mapping[str, float]
    gains: Mapping[str, float]


def forecast(schools: Sequence[Mapping[str, Any]], *, rules: str, seed: int) -> Forecast:
    """Forecast the final rates of schools before and after replacement.

    Parameters
    ----------
    schools : sequence of mapping
        All sampled schools as for `rates`, with status None while the outcome is open, and replacement_1,
        replacement_2, n_replacements_left.
    rules : str
        Name of the programme's rules.
    seed : int
        Seed of the draws, so that a page shows the same interval when it is opened again.

    Returns
    -------
    Forecast
        The forecast.

    Raises
    ------
    LsakitError
        If no school can be eligible.
    """
    n_draws = max(FEWEST_DRAWS, min(MOST_DRAWS, CELLS_DRAWN // max(len(schools), 1)))
    found = lk.forecast_participation(
        _school_table(schools), rng=np.random.default_rng(seed), rules=rules, n_draws=n_draws
    )
    gains = dict(
        zip(found.schools["school_id"].to_list(), found.schools["gain_after"].to_list(), strict=True)
    )
    return Forecast(
        rows=tuple(found.table.iter_rows(named=True)),
        zone_expected=found.zone_expected,
        zone_chances=dict(found.zone_chances),
        gains=gains,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Final and replicate weights as files, and what a page shows of them."""

    files: Mapping[str, bytes]
    summary: Mapping[str, Any]


def weights(
    drawn: Sequence[Mapping[str, Any]],
    schools: Sequence[Mapping[str, Any]],
    students: Sequence[Mapping[str, Any]],
    *,
    rules: str,
    seed: int,
) -> Weights:
    """Compute final and replicate weights from the outcomes of a fieldwork.

    Parameters
    ----------
    drawn : sequence of mapping
        The sampled schools of the draw: school_id, stratum, probability, base_weight, is_certainty,
        selection_order, replacement_1, replacement_2, measure_of_size.
    schools, students : sequence of mapping
        Outcomes as for `rates`.
    rules : str
        Name of the programme's rules.
    seed : int
        Seed of the roles inside pairs of schools.

    Returns
    -------
    Weights
        ``students.parquet`` (every factor), ``replicates.parquet``, ``schools.parquet``, ``inputs.json``.

    Raises
    ------
    LsakitError
        If the outcomes contradict each other, a cell has no respondents or a stratum one school.
    """
    sample = pl.DataFrame(list(drawn), infer_schema_length=None)
    people = _student_table(students)
    final = lk.final_weights(sample, _school_table(schools), people, rules=rules)
    plan = read_rules(rules).replication
    options: dict[str, Any] = {"method": plan.method, "seed": seed, "lonely": "collapse"}
    if plan.method in ("fay", "jk2", "jk2_both", "bootstrap"):
        options["n_replicates"] = plan.n_replicates
    if plan.method == "fay":
        options["fay_factor"] = plan.fay_factor
    copies = lk.replicate_weights(final, **options)
    names = [f"replicate_{number}" for number in range(1, copies.matrix.shape[1] + 1)]
    matrix = pl.DataFrame(copies.matrix, schema=names).insert_column(
        0, pl.Series("student_id", list(copies.student_id))
    )
    inputs = {"drawn": list(drawn), "schools": list(schools), "students": list(students)}
    files = {
        "students.parquet": _parquet(final.table),
        "replicates.parquet": _parquet(matrix),
        "schools.parquet": _parquet(copies.units),
        "inputs.json": json.dumps(inputs, ensure_ascii=False, sort_keys=True).encode(),
    }
    bias = _bias(sample, _school_table(schools), rules)
    return Weights(files=files, summary=_summary(final, copies, options, bias))


def _parquet(table: pl.DataFrame) -> bytes:
    """Write a table as Parquet."""
    buffer = BytesIO()
    table.write_parquet(buffer, compression="zstd", statistics=False)
    return buffer.getvalue()


def _summary(
    final: Any, copies: Any, options: Mapping[str, Any], bias: list[dict[str, Any]]
) -> dict[str, Any]:
    """Give what the report shows of weights."""
    weight = final.table["final_weight"].to_numpy()
    edges = np.linspace(0.0, float(weight.max()), 21)
    counts, _edges = np.histogram(weight, bins=edges)
    quantiles = np.quantile(weight, [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0])
    return {
        "n_respondents": len(weight),
        "sum": float(weight.sum()),
        "mean": float(weight.mean()),
        "coefficient_of_variation": float(weight.std() / weight.mean()),
        "design_effect_of_weights": float(1.0 + (weight.std() / weight.mean()) ** 2),
        "quantiles": [float(one) for one in quantiles],
        "edges": [float(one) for one in edges],
        "counts": [int(one) for one in counts],
        "method": str(options["method"]),
        "n_replicates": int(copies.matrix.shape[1]),
        "fay_factor": copies.fay_factor,
        "seed": str(options["seed"]),
        "n_joined": len(copies.joined),
        "bias": bias,
    }


def _bias(sample: pl.DataFrame, schools: pl.DataFrame, rules: str) -> list[dict[str, Any]]:
    """Compare participating schools with all sampled ones by stratum and size; nothing where all took part."""
    frame = sample.select("school_id", "stratum", pl.col("measure_of_size").cast(pl.Float64).alias("size"))
    stand_by = [
        sample.filter(pl.col(name).is_not_null()).select(
            pl.col(name).alias("school_id"),
            "stratum",
            pl.col("measure_of_size").cast(pl.Float64).alias("size"),
        )
        for name in ("replacement_1", "replacement_2")
    ]
    found = lk.nonresponse_bias(schools, pl.concat([frame, *stand_by]), by=["size", "stratum"], rules=rules)
    names = ("stage", "part", "characteristic", "level", "all", "respondents", "bias", "effect_size", "flag")
    return [{name: row[name] for name in names} for row in found.table.iter_rows(named=True)]


def hash_of(content: bytes) -> str:
    """Give ``sha256:`` and the digest of some bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def word_file(blocks: Sequence[Mapping[str, Any]], *, is_official: bool, **document: Any) -> bytes:
    """Write a document as a Word file; an official one bears the nation's name and motto above."""
    return write_word(
        WordDocument(
            blocks=tuple(WordBlock(**one) for one in blocks),
            form=OfficialForm() if is_official else None,
            **document,
        )
    )
