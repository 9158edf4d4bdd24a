"""The code of a figure: what it is, in five parts that a person can read."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from lsakit.errors import LineageError

PARTS = ("population", "subject", "statistic", "by", "group")
EXAMPLE = "grade5/maths/mean/province_code/01"
PAIRED = ("gap", "difference")
EARLIER, CHANGE = "earlier_", "change_"


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureCode:
    """The five parts of a figure's code.

    Parameters
    ----------
    population : str
        ``"grade5"``.
    subject : str
        ``"maths"``.
    statistic : str
        ``"mean"``.
    by : str
        Grouping columns joined by ``+``; ``"nation"`` for all.
    group : str
        Their values joined by ``+``; ``"all"`` for the nation; ``"F-M"`` for a gap or a difference,
        ``"01+F-M"`` within a place.
    """

    population: str
    subject: str
    statistic: str
    by: str
    group: str

    @property
    def grade(self) -> int:
        """Grade of the population."""
        return int(self.population.removeprefix("grade"))

    @property
    def keys(self) -> dict[str, tuple[str, ...]]:
        """Values of each grouping column that belong to the figure; empty for the nation."""
        if self.by == "nation":
            return {}
        names, values = self.by.split("+"), self.group.split("+")
        found: dict[str, tuple[str, ...]] = {
            name: (value,) for name, value in zip(names, values, strict=True)
        }
        if self.own_statistic in PAIRED:
            found[names[-1]] = tuple(values[-1].split("-"))
        return found

    @property
    def own_statistic(self) -> str:
        """The statistic without the words for the earlier cycle and for a change."""
        return self.statistic.removeprefix(EARLIER).removeprefix(CHANGE)

    @property
    def cycles(self) -> tuple[bool, bool]:
        """Whether the figure rests on students of this cycle, and of the earlier one."""
        return not self.statistic.startswith(EARLIER), self.statistic.startswith((EARLIER, CHANGE))


def figure_id() -> pl.Expr:
    """Write the code of each row of a table of estimates.

    Returns
    -------
    polars.Expr
        The five columns joined by ``/``.
    """
    return pl.concat_str([pl.col(name) for name in PARTS], separator="/")


def parse_figure_id(text: str) -> FigureCode:
    """Read the code of a figure.

    Parameters
    ----------
    text : str
        Such as ``"grade5/maths/mean/province_code/01"``.

    Returns
    -------
    FigureCode
        Its parts.

    Raises
    ------
    LineageError
        If it is not the code of a figure.

    Examples
    --------
    >>> parse_figure_id("grade5/maths/mean/province_code+gender/01+F").keys
    {'province_code': ('01',), 'gender': ('F',)}
    """
    parts = text.strip().split("/")
    code = FigureCode(**dict(zip(PARTS, parts, strict=True))) if len(parts) == len(PARTS) else None
    good = code is not None and code.population.removeprefix("grade").isdigit()
    if code is None or not good or _unequal(code):
        raise LineageError(
            f"{text!r} is not the code of a figure.",
            hint=f"A code has five parts, such as {EXAMPLE}; every table of a report prints them.",
            param="figure",
            got=text,
        )
    return code


def _unequal(code: FigureCode) -> bool:
    """Say whether a code names more groupings than values, or fewer."""
    return code.by != "nation" and code.by.count("+") != code.group.count("+")
