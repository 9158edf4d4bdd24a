"""Plans of a draw: what the frame checks say, the strata with their numbers, the precision to expect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dienrong.sampling.numeric.frames import OVERLAP, SIZE
from lsakit.design.draw_record import design_from_json, design_to_json
from lsakit.design.frame_checks import OutsideData, check_frame
from lsakit.design.options import Design
from lsakit.design.pps import allocate_to_strata
from lsakit.design.precision import PlanOptions, PrecisionPlan, SurveyCost, plan_precision
from lsakit.design.strata import stratum_labels
from lsakit.errors import LsakitError
from lsakit.io.frames import floats

PLAN_FIELDS = (
    "explicit",
    "implicit",
    "n_schools",
    "n_students",
    "certainty",
    "size_floor",
    "zero_size",
    "n_replacements",
    "allocation",
    "small_schools",
)
RULES: dict[str, dict[str, str]] = {
    "national": {"certainty": "recompute", "small_schools": "floor"},
    "pisa": {"certainty": "cap", "small_schools": "undersample"},
    "timss": {"certainty": "recompute", "small_schools": "equal"},
    "seaplm": {"certainty": "recompute", "small_schools": "equal"},
    "talis": {"certainty": "recompute", "small_schools": "floor"},
    "naep": {"certainty": "recompute", "small_schools": "floor"},
}
"""What programmes do with schools as large as the interval, and with small ones."""


class PlanRefusedError(Exception):
    """A plan does not fit its frame; the sentence is lsakit's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A finding of the frame checks."""

    check: str
    severity: str
    n: int
    sentence: str
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """An explicit stratum: what the frame holds, how many schools are asked."""

    label: str
    n_frame: int
    n_people: int
    n_schools: int | None

    @property
    def is_short(self) -> bool:
        """Whether more schools are asked than there are."""
        return self.n_schools is not None and self.n_schools > self.n_frame


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionRow:
    """The precision to expect of a stratum, a province or the nation."""

    label: str
    n_schools: float
    n: float
    deff: float
    n_eff: float
    se: float
    mde: float
    n_schools_needed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """The precision of a plan, with its figure in one language."""

    nation: PrecisionRow
    strata: tuple[PrecisionRow, ...]
    domains: tuple[tuple[str, tuple[PrecisionRow, ...]], ...]
    cost: float | None
    figure: dict[str, Any]


def design_of(values: Mapping[str, Any]) -> Design:
    """Make the plan of a draw from what a person chose.

    Raises
    ------
    PlanRefusedError
        If a value is none that a plan may hold.
    """
    given = {name: values[name] for name in PLAN_FIELDS if values.get(name) is not None}
    given["measure_of_size"] = SIZE
    direction = values.get("overlap")
    if direction:
        given["overlap"] = {
            "method": "keyfitz",
            "previous_probability": OVERLAP[0],
            "previously_drawn": OVERLAP[1],
            "direction": direction,
        }
    try:
        return design_from_json(given)
    except LsakitError as error:
        raise PlanRefusedError(error.sentence) from error


def design_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Write the whole plan, defaults included, as its record holds it."""
    return design_to_json(design_of(values))


def findings_of(
    frame: Any, values: Mapping[str, Any], *, totals: Mapping[str, float]
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Check a frame for a plan; give the findings, errors first, and the checks that were made.

    Raises
    ------
    PlanRefusedError
        If the frame has no rows or lacks a column of the plan.
    """
    outside = OutsideData(totals=dict(totals) if "province_code" in frame.columns else {})
    try:
        found = check_frame(frame, design=design_of(values), outside=outside)
    except LsakitError as error:
        raise PlanRefusedError(error.sentence) from error
    rows = [
        Finding(
            check=row["check"],
            severity=row["severity"],
            n=row["n"],
            sentence=row["sentence"],
            rows=tuple(one for one in row["rows"].split(", ") if one),
        )
        for row in found.table.to_dicts()
    ]
    return tuple(sorted(rows, key=lambda one: one.severity != "error")), found.checked


def strata_of(frame: Any, values: Mapping[str, Any]) -> tuple[Stratum, ...]:
    """List the explicit strata of a frame with the schools asked of each; None where none can be told.

    Raises
    ------
    PlanRefusedError
        If a stratification column is absent or has missing values.
    """
    try:
        labels = stratum_labels(frame, list(values.get("explicit") or ()))
        sizes = floats(frame, SIZE, nulls=True).tolist()
    except LsakitError as error:
        raise PlanRefusedError(error.sentence) from error
    held: dict[str, int] = {}
    total: dict[str, float] = {}
    for label, size in zip(labels, sizes, strict=True):
        held[label] = held.get(label, 0) + 1
        total[label] = total.get(label, 0.0) + (size if size == size and size > 0 else 0.0)
    asked = _asked(values, held, total)
    return tuple(
        Stratum(label=one, n_frame=held[one], n_people=round(total[one]), n_schools=asked.get(one))
        for one in sorted(held)
    )


def _asked(values: Mapping[str, Any], held: dict[str, int], total: dict[str, float]) -> dict[str, int]:
    """Give the schools asked by stratum; nothing where the plan cannot be spread."""
    n_schools = values.get("n_schools")
    if isinstance(n_schools, Mapping):
        return {str(label): int(count) for label, count in n_schools.items()}
    if not n_schools:
        return {}
    try:
        return allocate_to_strata(total, held, design_of(values))
    except (LsakitError, PlanRefusedError):
        return {}


def precision_of(
    frame: Any, values: Mapping[str, Any], assumed: Mapping[str, Any], *, language: str
) -> Precision:
    """Tell the precision to expect of a plan.

    Parameters
    ----------
    frame : polars.DataFrame
        The frame.
    values : Mapping
        The plan.
    assumed : Mapping
        icc (0 to 1), sd (points), student_rate and school_rate (shares), wanted_error (points),
        per_school, per_student and fixed (any one currency), domain (a column).
    language : str
        ``"vi"`` or ``"en"``, for the figure.

    Returns
    -------
    Precision
        Nation, strata, domains and figure.

    Raises
    ------
    PlanRefusedError
        If an assumption lies outside its range, or the plan does not fit the frame.
    """
    from lsakit.tables.plan_figures import precision_curve

    domains = [name for name in ("province", "province_code") if name in frame.columns][:1]
    cost = None
    if assumed.get("per_school") or assumed.get("per_student"):
        cost = SurveyCost(
            per_school=float(assumed.get("per_school") or 0),
            per_student=float(assumed.get("per_student") or 0),
            fixed=float(assumed.get("fixed") or 0),
        )
    try:
        options = PlanOptions(
            domains=domains or None,
            student_rate=float(assumed.get("student_rate") or 1),
            school_rate=float(assumed.get("school_rate") or 1),
            wanted_error=assumed.get("wanted_error") or None,
            cost=cost,
        )
        plan = plan_precision(
            design_of(values), frame, icc=float(assumed["icc"]), sd=float(assumed["sd"]), options=options
        )
    except LsakitError as error:
        raise PlanRefusedError(error.sentence) from error
    return _precision(plan, precision_curve(plan, language=language))


def _precision(plan: PrecisionPlan, figure: Any) -> Precision:
    """Turn a plan of lsakit into plain values."""
    domains: dict[str, list[PrecisionRow]] = {}
    for row in plan.domains.to_dicts()[1:]:
        domains.setdefault(row["domain"], []).append(_row(row, str(row["value"])))
    return Precision(
        nation=_row(plan.nation, ""),
        strata=tuple(_row(row, row["stratum"]) for row in plan.table.to_dicts()),
        domains=tuple((name, tuple(rows)) for name, rows in domains.items()),
        cost=plan.cost,
        figure={
            "title": figure.title,
            "drawing": figure.svg,
            "alternative": figure.alternative,
            "note": figure.note,
            "columns": figure.table.columns,
            "rows": figure.table.rows,
        },
    )


def _row(row: Mapping[str, Any], label: str) -> PrecisionRow:
    """Turn a row of lsakit into plain values."""
    return PrecisionRow(
        label=label,
        n_schools=row["n_schools"],
        n=row["n"],
        deff=row["deff"],
        n_eff=row["n_eff"],
        se=row["se"],
        mde=row["mde"],
        n_schools_needed=row["n_schools_needed"],
    )


def labels_of(values: Sequence[Stratum]) -> list[str]:
    """Name strata."""
    return [one.label for one in values]
