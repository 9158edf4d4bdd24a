"""What a cycle is asked for: the policies and sizes that make one run different from another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from lsakit.datasets.nation_size import GRADES, NationSize, as_size
from lsakit.errors import DesignError
from lsakit.lineage.hashing import plain
from lsakit.randomness import stable_seeds
from lsakit.tables.suppression_rules import rules_named

SUBJECTS = ("maths", "reading")
CUTS = (357.77, 420.07, 482.38, 544.68, 606.99)
SCHOOLS_PER_PROVINCE = {"national": 53, "small": 24}
EARLIER_SCHOOLS_PER_PROVINCE = {"national": 8, "small": 12}
LEAST_EARLIER_SCHOOLS = 2
_SEED_BITS = 62


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleOptions:
    """Describe one cycle on a synthetic nation.

    Parameters
    ----------
    size : str or NationSize, default "national"
        Size of the nation: ``"national"``, ``"small"`` or an own one.
    seed : int, default 2026
        Seed from which every stage and grade derives its own.
    grades : tuple of int, default (5, 9)
        Grades assessed.
    n_schools_per_province : int, optional
        Schools drawn in each province, all where it has fewer; 53 in a national and 24 in a small cycle.
    n_students : int, default 30
        Students drawn in each school.
    rules : str, default "national"
        Rules of response rates and weights.
    scoring_rule : str, default "pisa2015"
        Rule that turns raw into scored responses.
    model : str, default "gpcm"
        Item response model.
    n_replicates : int, default 80
        Replicate weights.
    fay_factor : float, default 0.5
        Fay's factor, dimensionless.
    n_plausible_values : int, default 10
        Plausible values per student and subject.
    scale_slope, scale_intercept : float, default 100 and 500
        Reporting scale: score = intercept + slope × θ, held from the previous cycle.
    cuts : tuple of float
        Lower bounds of levels 1, 2, … on the reporting scale; below the first lies ``below_1``.
    percentiles : tuple of int, default (5, 25, 50, 75, 95)
        Percentiles estimated.
    minimum_students, minimum_schools : int, default 30 and 5
        A figure on fewer is suppressed.
    suppression_rules : str, default "national"
        Rule set of publication, by its name in `lsakit.tables.suppression_rules`.
    n_earlier_schools_per_province : int, optional
        Schools that the previous cycle drew in each province; 0 for a cycle without a previous one. By default 8 in a
        national and 12 in a small cycle, and none in a nation of an own size.
    year, earlier_year : int, default 2026 and 2023
        Year of this and of the previous cycle.
    title : Mapping of str to str
        Name of the cycle by language.
    with_report_files : bool, default True
        Whether the report stage also prints the national and provincial reports as PDF and Excel.

    Examples
    --------
    >>> CycleOptions(size="small").schools_per_province
    24
    >>> CycleOptions(n_students=0)
    Traceback (most recent call last):
    ...
    lsakit.errors.DesignError: The 'n_students' option of the cycle must be at least 1. Got 0.
    """

    size: str | NationSize = "national"
    seed: int = 2026
    grades: tuple[int, ...] = GRADES
    n_schools_per_province: int | None = None
    n_students: int = 30
    rules: str = "national"
    scoring_rule: str = "pisa2015"
    model: str = "gpcm"
    n_replicates: int = 80
    fay_factor: float = 0.5
    n_plausible_values: int = 10
    scale_slope: float = 100.0
    scale_intercept: float = 500.0
    cuts: tuple[float, ...] = CUTS
    percentiles: tuple[int, ...] = (5, 25, 50, 75, 95)
    minimum_students: int = 30
    minimum_schools: int = 5
    suppression_rules: str = "national"
    n_earlier_schools_per_province: int | None = None
    year: int = 2026
    earlier_year: int = 2023
    title: Mapping[str, str] | None = None
    with_report_files: bool = True

    def __post_init__(self) -> None:
        """Refuse options that no cycle can be run with."""
        as_size(self.size)
        rules_named(self.suppression_rules)
        object.__setattr__(self, "grades", tuple(self.grades))
        object.__setattr__(self, "cuts", tuple(float(cut) for cut in self.cuts))
        object.__setattr__(self, "percentiles", tuple(self.percentiles))
        unknown = [grade for grade in self.grades if grade not in GRADES]
        if unknown or not self.grades or len(set(self.grades)) != len(self.grades):
            raise DesignError(
                f"The 'grades' option of the cycle must name grades among {GRADES}, each once. Got {self.grades}.",
                param="grades",
                got=self.grades,
            )
        least = {
            "n_schools_per_province": 2, "n_students": 1, "n_replicates": 4, "n_plausible_values": 2,
            "minimum_students": 1, "minimum_schools": 1,
        }  # fmt: skip
        for name, bound in least.items():
            value = getattr(self, name)
            if value is not None and value < bound:
                raise DesignError(
                    f"The {name!r} option of the cycle must be at least {bound}. Got {value}.",
                    param=name,
                    got=value,
                )
        earlier = self.n_earlier_schools_per_province
        if earlier is not None and earlier != 0 and earlier < LEAST_EARLIER_SCHOOLS:
            raise DesignError(
                "The 'n_earlier_schools_per_province' option of the cycle must be 0 (no previous cycle) or at least "
                f"{LEAST_EARLIER_SCHOOLS}. Got {earlier}.",
                param="n_earlier_schools_per_province",
                got=earlier,
            )
        if not self.earlier_year < self.year:
            raise DesignError(
                f"The 'earlier_year' option of the cycle must lie before its year {self.year}. Got {self.earlier_year}.",
                param="earlier_year",
                got=self.earlier_year,
            )
        if list(self.cuts) != sorted(set(self.cuts)):
            raise DesignError(
                f"The 'cuts' option of the cycle must ascend. Got {self.cuts}.", param="cuts", got=self.cuts
            )

    @property
    def nation_size(self) -> NationSize:
        """The size of the nation in numbers."""
        return as_size(self.size)

    @property
    def schools_per_province(self) -> int:
        """Schools drawn in each province."""
        if self.n_schools_per_province is not None:
            return self.n_schools_per_province
        name = self.size if isinstance(self.size, str) else "small"
        return SCHOOLS_PER_PROVINCE[name]

    @property
    def earlier_schools_per_province(self) -> int:
        """Schools that the previous cycle drew in each province; 0 where there is none."""
        if self.n_earlier_schools_per_province is not None:
            return self.n_earlier_schools_per_province
        return EARLIER_SCHOOLS_PER_PROVINCE.get(self.size, 0) if isinstance(self.size, str) else 0

    @property
    def titles(self) -> dict[str, str]:
        """Name of the cycle by language."""
        return dict(self.title or DEFAULT_TITLES)

    def nation(self) -> dict[str, Any]:
        """Give what a stage needs to make the nation again.

        Returns
        -------
        dict of str to object
            ``nation_seed`` and ``size`` in numbers.
        """
        size = {field.name: getattr(self.nation_size, field.name) for field in fields(NationSize)}
        return {"nation_seed": self.seed, "size": plain(size)}

    def stage_seed(self, stage: str, grade: int | None) -> int:
        """Derive the seed of one stage and grade.

        Parameters
        ----------
        stage : str
            Stage.
        grade : int or None
            Grade; None for a stage of the whole cycle.

        Returns
        -------
        int
            Seed below 2 to the 62nd, the same on every machine.
        """
        seed = stable_seeds(self.seed, f"cycle/{stage}", [str(grade or "")])[0]
        return int(seed) >> (64 - _SEED_BITS)

    def changed(self, **changes: Any) -> CycleOptions:
        """Give the same options with some changed.

        Parameters
        ----------
        **changes : object
            Options by name.

        Returns
        -------
        CycleOptions
            New options.
        """
        return replace(self, **changes)


DEFAULT_TITLES = {
    "vi": "Đánh giá diện rộng cấp quốc gia 2026",
    "en": "National large-scale assessment 2026",
}
