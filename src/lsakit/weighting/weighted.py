"""The weights of a sample and, in words, how one student's weight came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lsakit.errors import DesignError
from lsakit.io.frames import Table
from lsakit.weighting.profiles import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalWeights:
    """Hold the final weights and what replicates need.

    Parameters
    ----------
    table : polars.DataFrame
        One row per respondent, in the row order of the students table: student_id, school_id (that took
        part), sampled_school_id, stratum, base_weight (school by student), school_base_weight,
        school_trimming_factor, school_nonresponse_factor, student_base_weight,
        student_nonresponse_factor, nonresponse_factor (product of the non-response factors),
        student_trimming_factor, final_weight; where classes are drawn also class_id, class_base_weight,
        class_nonresponse_factor. Weights count students; factors are dimensionless.
    schools : polars.DataFrame
        One row per sampled school in frame order: outcome, cell, weights, counts of students.
    students : polars.DataFrame
        One row per eligible student of the schools that count, respondents and others: cell, base weight.
    cells : polars.DataFrame
        Non-response cells of both stages with counts, factor and whether they keep the limits.
    rules : Rules
        The rules used.
    collapsed : polars.DataFrame or None
        Log of the non-response cells that were joined: stage, stratum, cell, joined_with, n_responding,
        factor (infinite without respondents), reason; None where the weights were put together from files.
    schema : str
        Name and version of this result's form.
    """

    table: Table
    schools: Table
    students: Table
    cells: Table
    rules: Rules
    collapsed: Table | None = None
    schema: str = "lsakit.final_weights/1"

    def explain(self, student_id: str) -> str:
        """Tell in words how a student's weight came about.

        Parameters
        ----------
        student_id : str
            A respondent, or an eligible student who did not respond.

        Returns
        -------
        str
            One sentence per step, with the numbers that were multiplied.

        Raises
        ------
        DesignError
            If no eligible student of a school that counts has this identifier.
        """
        student = _row(self.students, "student_id", student_id)
        if student is None:
            raise DesignError(
                f"No eligible sampled student has the identifier {student_id!r}.",
                hint="Excluded and ineligible students, and schools that do not count, have no weight.",
                param="student_id",
                got=student_id,
            )
        school = _row(self.schools, "school_id", student["sampled_school_id"])
        assert school is not None
        sentences = [
            _school_sentence(school),
            self._cell_sentence("school", school["cell"], "schools"),
            *self._within(school, student),
            self._cell_sentence("student", student["cell"], "students"),
        ]
        weight = _row(self.table, "student_id", student_id)
        if weight is None:
            sentences.append(
                f"Student {student_id} did not respond: the final weight is 0, and those who did carry it."
            )
        else:
            sentences.append(_product(weight))
        return " ".join(sentences)

    def _within(self, school: Mapping[str, Any], student: Mapping[str, Any]) -> list[str]:
        """Say how the student was drawn inside the school."""
        if "class_id" in student:
            return [
                f"Class {student['class_id']} of the school was drawn: class weight "
                f"{student['class_base_weight']:.6g}; a student of it has the weight "
                f"{student['student_base_weight']:.6g} within the class.",
                self._cell_sentence("class", student["class_cell"], "classes"),
            ]
        return [
            f"In the school {school['n_sampled']} of {school['n_listed']} listed students were drawn: "
            f"within-school weight {student['student_base_weight']:.6g}."
        ]

    def _cell_sentence(self, stage: str, number: int, units: str) -> str:
        """Say what a non-response cell did."""
        stages = self.cells.get_column("stage").to_list()
        numbers = self.cells.get_column("cell").to_list()
        places = (at for at, key in enumerate(zip(stages, numbers, strict=True)) if key == (stage, number))
        cell = self.cells.row(next(places), named=True)
        small = "" if cell["is_within_limits"] else " (a small cell that has no neighbour to join)"
        return (
            f"In the {stage} cell {cell['label']!r} {cell['n_responding']} of {cell['n_eligible']} {units} "
            f"took part: non-response factor {cell['factor']:.6g}{small}."
        )


def _row(table: Table, column: str, value: object) -> dict[str, Any] | None:
    """Find the first row whose column has this value."""
    values = table.get_column(column).to_list()
    return table.row(values.index(value), named=True) if value in values else None


def _school_sentence(school: Mapping[str, Any]) -> str:
    """Say which school took part with which base weight."""
    itself = school["participant_id"] == school["school_id"]
    who = (
        f"School {school['school_id']} of stratum {school['stratum']!r} took part"
        if itself
        else f"School {school['participant_id']} took part for {school['school_id']} of stratum "
        f"{school['stratum']!r} and takes its weight"
    )
    trim = school["trimming_factor"]
    cut = f", trimmed by {trim:.6g} because it is much larger than the frame said" if trim < 1 else ""
    return f"{who}: school base weight {school['base_weight']:.6g}{cut}."


def _product(weight: Mapping[str, Any]) -> str:
    """Write the product of all factors."""
    names = (
        "school_base_weight",
        "school_trimming_factor",
        "school_nonresponse_factor",
        "class_base_weight",
        "class_nonresponse_factor",
        "student_base_weight",
        "student_nonresponse_factor",
        "student_trimming_factor",
    )
    product = " × ".join(f"{weight[name]:.6g}" for name in names if name in weight)
    return f"Final weight of student {weight['student_id']}: {product} = {weight['final_weight']:.6g}."
