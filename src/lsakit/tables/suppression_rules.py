"""The rules of publication of programmes, as data: minima, symbols, marks and tests."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

from lsakit.errors import EstimationError

SYMBOLS = ("hidden", "missing", "withdrawn", "unstable", "extreme")
ADJUSTMENTS = ("none", "false_discovery_rate")
UNITS = ("students", "teachers")


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageMark:
    """A mark for estimates that too few students have an answer for.

    Parameters
    ----------
    below : float
        Share of students with a valid value below which the mark stands.
    symbol : str
        The mark.
    """

    below: float
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionRules:
    """Say which estimates may be shown, and with which marks.

    Parameters
    ----------
    name : str
        Name of the rule set.
    title_vi, title_en : str
        What people call it.
    source_vi, source_en : str
        Where it stands written.
    is_verified : bool
        Whether every number was read in that source.
    unit : {"students", "teachers"}
        Who is counted.
    minimum_units, minimum_schools, minimum_strata : int
        Least numbers of them, of schools and of replicate strata behind an estimate; 0 asks for none.
    symbols : Mapping of str to str
        Marks of what is hidden, missing, withdrawn, unstable and near 0 or 100 %.
    coverage : tuple of CoverageMark
        Marks by the share of valid values, the lowest bound first.
    complementary : bool
        Whether further cells are hidden so that no hidden one can be computed.
    unstable_weight_cv : float or None
        Coefficient of variation of a group's estimated size over which its standard error is unstable.
    unstable_share_error : float or None
        Standard error of a share, relative to the smaller of it and its complement, over which it is unstable.
    extreme_numerator, extreme_plus : float or None
        A share is near 0 or 1 when it or its complement is below ``numerator / (n_effective + plus)``; its
        error is not shown then.
    level : float
        Significance level.
    adjustment : {"none", "false_discovery_rate"}
        What is done for many comparisons at once.

    Raises
    ------
    EstimationError
        If a number, a symbol or a word is not one of those above.
    """

    name: str
    title_vi: str
    title_en: str
    source_vi: str
    source_en: str
    is_verified: bool
    unit: str = "students"
    minimum_units: int = 30
    minimum_schools: int = 5
    minimum_strata: int = 0
    symbols: Mapping[str, str] = field(default_factory=dict)
    coverage: tuple[CoverageMark, ...] = ()
    complementary: bool = True
    unstable_weight_cv: float | None = None
    unstable_share_error: float | None = None
    extreme_numerator: float | None = None
    extreme_plus: float | None = None
    level: float = 0.05
    adjustment: str = "none"

    def __post_init__(self) -> None:
        for name in ("minimum_units", "minimum_schools", "minimum_strata"):
            if getattr(self, name) < 0:
                self._refuse(name, getattr(self, name), "a number from 0 on")
        missing = [name for name in SYMBOLS if not self.symbols.get(name)]
        if missing:
            self._refuse(f"symbols.{missing[0]}", "nothing", "a mark")
        if self.unit not in UNITS:
            self._refuse("unit", self.unit, f"one of {', '.join(UNITS)}")
        if self.adjustment not in ADJUSTMENTS:
            self._refuse("significance.adjustment", self.adjustment, f"one of {', '.join(ADJUSTMENTS)}")
        if not 0.0 < self.level < 1.0:
            self._refuse("significance.level", self.level, "a number between 0 and 1")
        if (self.extreme_numerator is None) != (self.extreme_plus is None):
            self._refuse("errors.extreme_plus", self.extreme_plus, "both extreme_numerator and extreme_plus")
        bounds = [mark.below for mark in self.coverage]
        if bounds != sorted(bounds) or any(not 0.0 < bound <= 1.0 for bound in bounds):
            self._refuse("coverage.below", bounds, "shares up to 1, the lowest first")

    def _refuse(self, key: str, got: object, expected: str) -> None:
        """Refuse a rule set, naming what is wrong in it."""
        raise EstimationError(
            f"The rule set {self.name!r} has {got!r} for {key!r}, which must be {expected}.",
            param=key,
            got=got,
            expected=expected,
        )

    def title(self, language: str) -> str:
        """Give the title in ``"vi"`` or ``"en"``."""
        return self.title_en if language == "en" else self.title_vi

    def source(self, language: str) -> str:
        """Say in ``"vi"`` or ``"en"`` where the rule stands written."""
        return self.source_en if language == "en" else self.source_vi

    def reason(self, n: int | None, n_schools: int | None, n_strata: int | None = None) -> str | None:
        """Say why a cell with these counts is hidden.

        Parameters
        ----------
        n : int or None
            Students (teachers) behind it.
        n_schools : int or None
            Schools behind it; None where they are not counted.
        n_strata : int or None
            Replicate strata behind it; None where they are not counted.

        Returns
        -------
        str or None
            Such as ``"too_few_students:30"``, ``"too_few_schools:5"``, ``"too_few_strata:5"``; None where it
            may be shown.

        Raises
        ------
        EstimationError
            If the rule asks for a count that is not given.

        Examples
        --------
        >>> rules_named("pisa").reason(41, 4), rules_named("pisa").reason(30, 5)
        ('too_few_schools:5', None)
        """
        counts = (
            (f"too_few_{self.unit}", n, self.minimum_units),
            ("too_few_schools", n_schools, self.minimum_schools),
            ("too_few_strata", n_strata, self.minimum_strata),
        )
        for code, count, least in counts:
            if least and count is None:
                raise EstimationError(
                    f"The rule set {self.name!r} asks for {least} {code.removeprefix('too_few_')}, but they "
                    "are not counted.",
                    hint="Estimate with 'cluster' (schools), or give a column 'n_strata' (replicate strata).",
                    param=code,
                )
            if least and count is not None and count < least:
                return f"{code}:{least}"
        return None

    def with_minima(self, *, units: int, schools: int) -> SuppressionRules:
        """Give the same rules with other minima, as a cycle's options may ask."""
        return replace(self, minimum_units=units, minimum_schools=schools)


def rule_names() -> tuple[str, ...]:
    """Name the rule sets that come with the package.

    Returns
    -------
    tuple of str
        In alphabetical order.
    """
    folder = files("lsakit.tables").joinpath("suppression_rules")
    names = (file.name for file in folder.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


@cache
def rules_named(name: str) -> SuppressionRules:
    """Read a rule set that comes with the package.

    Parameters
    ----------
    name : str
        Such as ``"national"``, ``"pisa"``, ``"naep"``.

    Returns
    -------
    SuppressionRules
        The rules.

    Raises
    ------
    EstimationError
        If there is none of that name.
    """
    if name not in rule_names():
        raise EstimationError(
            f"There is no rule set {name!r}.",
            hint=f"Choose one of: {', '.join(rule_names())}.",
            param="rules",
            got=name,
        )
    file = files("lsakit.tables").joinpath("suppression_rules", f"{name}.toml")
    return rules_of(tomllib.loads(file.read_text(encoding="utf-8")))


def rules_of(data: Mapping[str, Any]) -> SuppressionRules:
    """Read a rule set from the values of a rule file.

    Parameters
    ----------
    data : Mapping of str to object
        What the file holds.

    Returns
    -------
    SuppressionRules
        The rules.

    Raises
    ------
    EstimationError
        If a key is unknown or missing, or a value may not stand.
    """
    flat = {key: value for key, value in data.items() if key not in ("coverage", "errors", "significance")}
    flat |= {**data.get("errors", {}), **data.get("significance", {})}
    known = set(SuppressionRules.__dataclass_fields__)
    unknown = sorted(set(flat) - known)
    if unknown:
        raise EstimationError(
            f"The rule set {data.get('name', '')!r} has a key that no rule knows: {unknown[0]!r}.",
            hint=f"Keys are: {', '.join(sorted(known))}.",
            param=unknown[0],
        )
    needed = ("name", "title_vi", "title_en", "source_vi", "source_en", "is_verified")
    absent = [key for key in needed if key not in flat]
    if absent:
        raise EstimationError(f"The rule set lacks the key {absent[0]!r}.", param=absent[0])
    return SuppressionRules(**flat, coverage=tuple(CoverageMark(**mark) for mark in data.get("coverage", ())))
