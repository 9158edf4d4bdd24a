"""Rule sets of programmes: which codes mean what, which thresholds hold."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import resources
from typing import Any, Literal, TypeVar

from lsakit.errors import DesignError

Section = TypeVar("Section")
CODE_LIST = "codes.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolStatus:
    """Group the school participation codes by what they mean for rates and weights."""

    participant: tuple[int, ...]
    nonrespondent: tuple[int, ...]
    ineligible: tuple[int, ...]
    excluded: tuple[int, ...]
    not_sampled: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentStatus:
    """Group the student status codes by what they mean for rates and weights."""

    respondent: tuple[int, ...]
    nonrespondent: tuple[int, ...]
    excluded: tuple[int, ...]
    ineligible: tuple[int, ...]
    not_sampled: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipationRule:
    """Say from which share of students a school or class counts, and from which its data are kept."""

    school_minimum: float
    keep_minimum: float
    class_minimum: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RateStandard:
    """Hold the standard for response rates (proportions); `standards` says how each kind judges.

    Parameters
    ----------
    acceptable_before, lowest_before : float
        Weighted school rate of originals that is enough alone, and the least that is not refused.
    slope : float
        What each point missing before replacement adds to the rate asked for after it.
    student_minimum : float
        Least weighted rate of students (teachers, in TALIS).
    kind : {"chart", "guidelines", "ratings"}, default "chart"
        The acceptability chart; minima of each stage or of their product; a table of ratings.
    counts_replacements : bool, default True
        Whether replacements can make a rate acceptable.
    class_minimum, overall_minimum : float, optional
        Least rate of classes, and of the product of all stages.
    bias_analysis_below : float, optional
        Rate of any stage below which a non-response bias analysis is due.
    ratings : tuple of Mapping
        Rows ``rating, zone, before, after, student``: the first whose minima hold names the rating.
    """

    acceptable_before: float
    lowest_before: float
    slope: float
    student_minimum: float
    kind: Literal["chart", "guidelines", "ratings"] = "chart"
    counts_replacements: bool = True
    class_minimum: float | None = None
    overall_minimum: float | None = None
    bias_analysis_below: float | None = None
    ratings: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """Say what is drawn inside a school, which decides the chain of weights."""

    units: Literal["students", "classes", "teachers"] = "students"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeUp:
    """Say below which attended share of the eligible students a make-up session is due, and how soon."""

    attended_minimum: float | None = None
    within_working_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """Hold what the senate weights of one population add up to."""

    senate_total: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """Hold the replication that the programme publishes."""

    method: str | None = None
    n_replicates: int | None = None
    fay_factor: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentLabel:
    """Hold one label of the programme's own files and the canonical student codes that it covers."""

    label: str
    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolCells:
    """Say when a school non-response cell is merged, and which size its schools carry."""

    minimum_schools: int
    maximum_factor: float
    size: Literal["listed", "frame"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentCells:
    """Say what splits a student non-response cell and when it is merged.

    Parameters
    ----------
    by : tuple of str
        Columns of the students table that split the school cells.
    minimum_respondents : int
        Fewest respondents of a cell.
    maximum_factor : float
        Largest factor (dimensionless).
    replicate_minimum : int, optional
        Fewest respondents with a weight in a replicate; None where replicates keep the cells as they are.
    replicate_factor, replicate_growth : float, optional
        In a replicate a factor may reach the larger of ``replicate_factor`` and ``replicate_growth`` times
        that of the full sample (dimensionless).
    """

    by: tuple[str, ...]
    minimum_respondents: int
    maximum_factor: float
    replicate_minimum: int | None = None
    replicate_factor: float | None = None
    replicate_growth: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trimming:
    """Hold the trimming ratios; None where the rule set does not trim."""

    school_ratio: float | None = None
    student_ratio: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Hold one programme's rules for rates and weights.

    Parameters
    ----------
    name, title : str
        Short and full name.
    source : tuple of str
        Where the rules are published.
    unverified : tuple of str
        Values not checked against the cycle's own report.
    school_status : SchoolStatus
        Meaning of the school codes.
    student_status : StudentStatus
        Meaning of the student codes.
    participation : ParticipationRule
        Within-school thresholds, as proportions.
    rates : RateStandard
        Standard for the response rates, as proportions.
    school_cells : SchoolCells
        School non-response cells.
    student_cells : StudentCells
        Student non-response cells.
    trimming : Trimming
        Trimming ratios.
    structure : Structure
        What is drawn inside a school.
    make_up : MakeUp
        When a make-up session is due.
    scaling : Scaling
        Total of the senate weights.
    replication : Replication
        The replication that the programme publishes.
    student_labels : tuple of StudentLabel
        The programme's own labels of the canonical student codes.
    """

    name: str
    title: str
    source: tuple[str, ...]
    unverified: tuple[str, ...]
    school_status: SchoolStatus
    student_status: StudentStatus
    participation: ParticipationRule
    rates: RateStandard
    school_cells: SchoolCells
    student_cells: StudentCells
    trimming: Trimming
    structure: Structure = Structure()
    make_up: MakeUp = MakeUp()
    scaling: Scaling = Scaling()
    replication: Replication = Replication()
    student_labels: tuple[StudentLabel, ...] = ()


_SECTIONS: Mapping[str, type[Any]] = {
    "school_status": SchoolStatus,
    "student_status": StudentStatus,
    "participation": ParticipationRule,
    "rates": RateStandard,
    "school_cells": SchoolCells,
    "student_cells": StudentCells,
    "trimming": Trimming,
    "structure": Structure,
    "make_up": MakeUp,
    "scaling": Scaling,
    "replication": Replication,
}


def rule_names() -> tuple[str, ...]:
    """List the rule sets that come with the package.

    Returns
    -------
    tuple of str
        Names, ascending.

    Examples
    --------
    >>> "pisa" in rule_names()
    True
    """
    folder = resources.files("lsakit.weighting.rules")
    files = (one.name for one in folder.iterdir() if one.name.endswith(".toml"))
    return tuple(sorted(name[:-5] for name in files if name != CODE_LIST))


def read_rules(rules: str | Mapping[str, Any] | Rules) -> Rules:
    """Read a programme's rules.

    Parameters
    ----------
    rules : str or Mapping or Rules
        Name of a rule set of the package, the content of such a file, or rules already read.

    Returns
    -------
    Rules
        The rules.

    Raises
    ------
    DesignError
        If the name is unknown, or a key is absent or not known.

    Examples
    --------
    >>> read_rules("pisa").trimming.student_ratio
    4.0
    """
    if isinstance(rules, Rules):
        return rules
    if isinstance(rules, str):
        if rules not in rule_names():
            raise DesignError(
                f"The 'rules' parameter names no rule set. Got {rules!r}.",
                hint=f"The package has: {', '.join(rule_names())}; or pass a mapping of the same form.",
                param="rules",
                got=rules,
            )
        text = resources.files("lsakit.weighting.rules").joinpath(f"{rules}.toml").read_text("utf-8")
        return read_rules(tomllib.loads(text))
    content = dict(rules)
    for name, form in _SECTIONS.items():
        content[name] = _section(form, name, content.get(name, {}))
    labels = content.get("student_labels", ())
    content["student_labels"] = tuple(_section(StudentLabel, "student_labels", one) for one in labels)
    return _section(Rules, "rules", content)


def _section(form: type[Section], name: str, content: Any) -> Section:
    """Fill one section, refusing keys that are absent or unknown."""
    known = {one.name for one in fields(form)}  # type: ignore[arg-type]
    unknown = sorted(set(content) - known)
    try:
        if unknown:
            raise TypeError(unknown[0])
        return form(
            **{key: tuple(value) if isinstance(value, list) else value for key, value in content.items()}
        )
    except TypeError as error:
        raise DesignError(
            f"The section {name!r} of the rules is not complete or has a key too many: {error}.",
            hint=f"Its keys are: {', '.join(sorted(known))}.",
            param="rules",
        ) from error
