"""The school sample, with its frame, and how each school's probability came about in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lsakit.design.options import Design
from lsakit.design.overlap import Keyfitz
from lsakit.errors import DesignError
from lsakit.io.frames import Table

DENSE_SHARE = 0.2  # of sampled schools without a replacement, above which a warning is due


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnSchools:
    """Hold a school sample and what is needed to repeat and explain it.

    Parameters
    ----------
    table : polars.DataFrame
        One row per sampled school in frame order: school_id, stratum, probability, base_weight,
        replacement_1, replacement_2 (null where the frame has no free neighbour), is_certainty,
        selection_order (from 1, over the whole sample), measure_of_size (in students, after the floor),
        enrolment (as the frame says), implicit_stratum (value of the first implicit column).
    strata : polars.DataFrame
        One row per explicit stratum: stratum, n_frame, n_schools (asked), n_drawn, n_certainty,
        total_size, interval (null where all are certain), random_number, n_without_replacement_1,
        n_without_replacement_2.
    frame : polars.DataFrame
        One row per school of the frame in sorted order: school_id, stratum, frame_position (from 1 in the
        stratum), size, measure_of_size, cumulative_size, probability, is_certainty, is_drawn; with overlap
        control also what it used (previous_probability, was_drawn, conditional_probability, or
        permanent_random_number, shifted_random_number, pareto_rank).
    design : Design
        The plan.
    seed : int
        Seed of the draw; ``draw_schools(frame, design, rng=seed)`` repeats it.
    schema : str
        Name and version of this result's form.
    """

    table: Table
    strata: Table
    frame: Table
    design: Design
    seed: int
    schema: str = "lsakit.drawn_schools/1"

    def explain(self, school_id: str) -> str:
        """Tell in words how a school's probability and weight came about.

        Parameters
        ----------
        school_id : str
            A school of the frame, sampled or not.

        Returns
        -------
        str
            A few sentences with the numbers that were used.

        Raises
        ------
        DesignError
            If the frame has no such school.
        """
        row = _row(self.frame, "school_id", school_id)
        if row is None:
            raise DesignError(
                f"The frame has no school {school_id!r}.",
                hint="Check the identifier; leading zeros count.",
                param="school_id",
                got=school_id,
            )
        stratum = _row(self.strata, "stratum", row["stratum"])
        sampled = _row(self.table, "school_id", school_id)
        assert stratum is not None
        sentences = [_place(row, stratum), _size(row, self.design), _chance(row, stratum, self.design)]
        if sampled is not None:
            sentences.append(_drawn(row, sampled, stratum, self.design))
        else:
            sentences.append(self._not_drawn(school_id))
        return " ".join(sentences)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the sampling manager must see: single schools, empty strata, lacking replacements."""
        few = self.strata.filter(self.strata.get_column("n_drawn") < 2).get_column("stratum").to_list()
        found = []
        if few:
            found.append(
                f"{len(few)} strata have fewer than two drawn schools ({', '.join(few[:5])}); no sampling "
                "variance can be estimated inside them."
            )
        n_drawn = self.table.height
        for which, word in ((1, "first"), (2, "second")):
            if which > self.design.n_replacements or not n_drawn:
                continue
            lacking = self.table.get_column(f"replacement_{which}").null_count()
            if lacking > DENSE_SHARE * n_drawn:
                found.append(
                    f"{lacking} of {n_drawn} sampled schools have no {word} replacement: the frame has no "
                    "free neighbor for them."
                )
        return tuple(found)

    def _not_drawn(self, school_id: str) -> str:
        """Say whether an unsampled school stands by as a replacement."""
        for number, word in ((1, "first"), (2, "second")):
            original = _row(self.table, f"replacement_{number}", school_id)
            if original is not None:
                return (
                    f"It was not drawn; it is the {word} replacement of {original['school_id']} and would "
                    f"take that school's base weight {original['base_weight']:.6g}."
                )
        return "It was not drawn and replaces no school."


def _row(table: Table, column: str, value: str) -> dict[str, Any] | None:
    """Find the first row whose column has this value."""
    values = table.get_column(column).to_list()
    return table.row(values.index(value), named=True) if value in values else None


def _place(row: Mapping[str, Any], stratum: Mapping[str, Any]) -> str:
    """Say where the school stands."""
    return (
        f"School {row['school_id']} stands at place {row['frame_position']} of {stratum['n_frame']} in the "
        f"sorted list of stratum {row['stratum']!r}."
    )


def _size(row: Mapping[str, Any], design: Design) -> str:
    """Say what its measure of size is."""
    if row["measure_of_size"] != row["size"] and design.small_schools != "floor":
        rule = (
            "the average of the small schools of the stratum"
            if design.small_schools == "equal"
            else f"the size of its class for a target of {design.n_students} students"
        )
        return (
            f"Its {design.measure_of_size} is {row['size']:g}; as a small school it counts with "
            f"{row['measure_of_size']:g}, {rule}."
        )
    if row["measure_of_size"] > row["size"]:
        return (
            f"Its {design.measure_of_size} is {row['size']:g}, raised to the smallest measure of size, "
            f"{row['measure_of_size']:g}."
        )
    return f"Its measure of size ({design.measure_of_size}) is {row['size']:g}."


def _chance(row: Mapping[str, Any], stratum: Mapping[str, Any], design: Design) -> str:
    """Say how its probability follows."""
    asked = f"{stratum['n_schools']} schools were asked from a total size of {stratum['total_size']:g}"
    if row["is_certainty"]:
        how = (
            "its size was set to the interval"
            if design.certainty == "cap"
            else "it was taken before the others were drawn"
        )
        return f"{asked}; the school is as large as the sampling interval, so {how} and its probability is 1."
    removed = stratum["n_certainty"] if design.certainty == "recompute" else 0
    after = f" after {removed} schools with certainty were set apart" if removed else ""
    return (
        f"{asked}; the sampling interval{after} is {stratum['interval']:.10g}, so the probability is "
        f"{row['measure_of_size']:g} / {stratum['interval']:.10g} = {row['probability']:.6g}."
    )


def _control(row: Mapping[str, Any], stratum: Mapping[str, Any], design: Design) -> str:
    """Say how overlap control led to the draw; the weight stays that of the unconditional probability."""
    if isinstance(design.overlap, Keyfitz):
        before = "drew" if row["was_drawn"] else "did not draw"
        return (
            f"The earlier draw, in which its probability was {row['previous_probability']:.6g}, {before} it; to "
            f"{design.overlap.direction} the overlap its conditional probability was "
            f"{row['conditional_probability']:.6g}, and with the random start "
            f"{stratum['random_number']:.10g} it is in the sample"
        )
    return (
        f"Its permanent random number {row['permanent_random_number']:.10g}, shifted to "
        f"{row['shifted_random_number']:.10g}, gives the rank {row['pareto_rank']:.6g}, among the "
        f"{stratum['n_schools']} smallest of the stratum, so it is in the sample"
    )


def _drawn(
    row: Mapping[str, Any], sampled: Mapping[str, Any], stratum: Mapping[str, Any], design: Design
) -> str:
    """Say that it was drawn, with which number, weight and replacements."""
    names = [sampled[name] for name in ("replacement_1", "replacement_2") if sampled[name] is not None]
    behind = (
        f"Replacements: {', '.join(names)}." if names else "The list has no free neighbour to replace it."
    )
    if row["is_certainty"]:
        how = "It is in the sample"
    elif design.overlap is not None:
        how = _control(row, stratum, design)
    else:
        how = (
            f"The random start {stratum['random_number']:.10g} put a selection number on it "
            f"(cumulative size {row['cumulative_size']:g}), so it is in the sample"
        )
    return f"{how} with base weight 1 / {row['probability']:.6g} = {sampled['base_weight']:.6g}. {behind}"
