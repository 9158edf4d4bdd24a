"""The school sample, with its frame, and how each school's probability came about in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lsakit.design.options import Design
from lsakit.design.overlap import Keyfitz, PermanentNumbers
from lsakit.design.words import Language, digits, say
from lsakit.errors import DesignError
from lsakit.io.frames import Table

DENSE_SHARE = 0.2  # of sampled schools without a replacement, above which a warning is due
PARETO_SCHOOLS = (
    50  # below as many schools in a stratum Pareto probabilities may be off by up to 0.002 or more
)


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

    def explain(self, school_id: str, *, language: Language = "en") -> str:
        """Tell in words how a school's probability and weight came about.

        Parameters
        ----------
        school_id : str
            A school of the frame, sampled or not.
        language : {"en", "vi"}, default "en"
            Language of the sentences.

        Returns
        -------
        str
            A few sentences with the numbers that were used.

        Raises
        ------
        DesignError
            If the frame has no such school.
        LsakitError
            If the language is neither.
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
        values = _values(row, stratum, self.design, language)
        keys = ["place", _size_key(row, self.design), _chance_key(row, values, self.design)]
        if sampled is not None:
            names = [
                sampled[name] for name in ("replacement_1", "replacement_2") if sampled[name] is not None
            ]
            values |= {"weight": sampled["base_weight"], "names": ", ".join(names)}
            keys += [_drawn_key(row, self.design), "behind" if names else "behind_none"]
        else:
            key, more = self._not_drawn(school_id)
            keys, values = [*keys, key], {**values, **more}
        return " ".join(say(language, f"school.{key}", **values) for key in keys)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the sampling manager must see: single schools, approximate probabilities, lacking replacements."""
        return self.warnings_in("en")

    def warnings_in(self, language: Language) -> tuple[str, ...]:
        """Give the warnings in a language.

        Parameters
        ----------
        language : {"en", "vi"}
            Language of the sentences.

        Returns
        -------
        tuple of str
            One sentence for each thing that the sampling manager must see.
        """
        few = self.strata.filter(self.strata.get_column("n_drawn") < 2).get_column("stratum").to_list()
        found = []
        if few:
            found.append(say(language, "warning.few", n=len(few), names=", ".join(few[:5])))
        if isinstance(self.design.overlap, PermanentNumbers):
            free = self.strata.get_column("n_frame") > self.strata.get_column("n_schools")
            small = self.strata.filter(free & (self.strata.get_column("n_frame") < PARETO_SCHOOLS))
            names = small.get_column("stratum").to_list()
            if names:
                found.append(say(language, "warning.pareto", n=len(names), names=", ".join(names[:5])))
        n_drawn = self.table.height
        for which in range(1, self.design.n_replacements + 1):
            lacking = self.table.get_column(f"replacement_{which}").null_count()
            if lacking > DENSE_SHARE * n_drawn:
                found.append(say(language, f"warning.lacking_{which}", n=lacking, n_drawn=n_drawn))
        return tuple(found)

    def _not_drawn(self, school_id: str) -> tuple[str, dict[str, Any]]:
        """Say whether an unsampled school stands by as a replacement."""
        for name in ("replacement_1", "replacement_2"):
            original = _row(self.table, name, school_id)
            if original is not None:
                return name, {"original": original["school_id"], "weight": original["base_weight"]}
        return "not_drawn", {}


def _row(table: Table, column: str, value: str) -> dict[str, Any] | None:
    """Find the first row whose column has this value."""
    values = table.get_column(column).to_list()
    return table.row(values.index(value), named=True) if value in values else None


def _values(
    row: Mapping[str, Any], stratum: Mapping[str, Any], design: Design, language: Language
) -> dict[str, Any]:
    """Gather the numbers of the sentences; those that repeat the draw have ten digits."""
    values: dict[str, Any] = {
        "school": row["school_id"],
        "place": row["frame_position"],
        "n_frame": stratum["n_frame"],
        "stratum": row["stratum"],
        "column": design.measure_of_size,
        "size": row["size"],
        "measure": row["measure_of_size"],
        "n_students": design.n_students,
        "n_schools": stratum["n_schools"],
        "total": stratum["total_size"],
        "removed": stratum["n_certainty"] if design.certainty == "recompute" else 0,
        "probability": row["probability"],
        "cumulative": row["cumulative_size"],
    }
    exact = {"interval": stratum["interval"], "start": stratum["random_number"]}
    if isinstance(design.overlap, Keyfitz):
        values["previous"], values["conditional"] = (
            row["previous_probability"],
            row["conditional_probability"],
        )
        values["direction"] = say(language, f"school.{design.overlap.direction}")
    elif design.overlap is not None:
        values["rank"] = row["pareto_rank"]
        exact |= {"number": row["permanent_random_number"], "shifted": row["shifted_random_number"]}
    return values | {
        name: None if value is None else digits(value, 10, language) for name, value in exact.items()
    }


def _size_key(row: Mapping[str, Any], design: Design) -> str:
    """Choose the sentence about the measure of size."""
    if row["measure_of_size"] != row["size"] and design.small_schools != "floor":
        return f"size_{design.small_schools}"
    return "size_raised" if row["measure_of_size"] > row["size"] else "size"


def _chance_key(row: Mapping[str, Any], values: Mapping[str, Any], design: Design) -> str:
    """Choose the sentence about the probability."""
    if row["is_certainty"]:
        return f"certain_{design.certainty}"
    return "chance_after" if values["removed"] else "chance"


def _drawn_key(row: Mapping[str, Any], design: Design) -> str:
    """Choose the sentence about the selection; the weight stays that of the unconditional probability."""
    if row["is_certainty"]:
        return "drawn_certain"
    if isinstance(design.overlap, Keyfitz):
        return "drawn_keyfitz_before" if row["was_drawn"] else "drawn_keyfitz_new"
    return "drawn_systematic" if design.overlap is None else "drawn_permanent"
