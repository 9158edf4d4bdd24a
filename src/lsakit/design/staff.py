"""Teachers and managers as populations of their own: a probability sample of them in every sampled school."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lsakit.design.drawn import DrawnSchools
from lsakit.design.random_starts import START_DENOMINATOR, seed_of, start_numerators
from lsakit.design.school_lists import line_sentence, read_lists, row_of
from lsakit.design.within_school import systematic_lines
from lsakit.design.words import Language, say
from lsakit.errors import DesignError
from lsakit.io.frames import Table, make_table

Population = Literal["teachers", "managers"]
USUAL_NUMBER = {"teachers": 20, "managers": None}  # TALIS draws 20 teachers; managers are few: all of them
SORT_COLUMNS = ("position", "subject", "gender", "birth_date")


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedStaff:
    """Hold the teachers or managers drawn in each listed school.

    Parameters
    ----------
    table : polars.DataFrame
        One row per person: school_id, staff_id, probability (within the school), base_weight (its
        inverse; times the school's weight it is the person's), line_number.
    schools : polars.DataFrame
        One row per listed school: school_id, n_listed, n_selected, random_number.
    population : str
        ``"teachers"`` or ``"managers"``.
    not_listed : tuple of str
        Sampled schools for which no list came.
    seed : int
        Seed of the draw.
    schema : str
        Name and version of this result's form.
    """

    table: Table
    schools: Table
    population: str
    not_listed: tuple[str, ...]
    seed: int
    schema: str = "lsakit.selected_staff/1"

    def explain(self, staff_id: str, *, language: Language = "en") -> str:
        """Tell in words how a person's probability came about.

        Parameters
        ----------
        staff_id : str
            A selected person.
        language : {"en", "vi"}, default "en"
            Language of the sentences.

        Returns
        -------
        str
            A few sentences with the numbers that were used.

        Raises
        ------
        DesignError
            If the person was not selected.
        """
        row = row_of(self.table, "staff_id", staff_id, what="person")
        school = row_of(self.schools, "school_id", row["school_id"], what="school")
        line = int(row["line_number"])
        place = say(
            language,
            f"staff.{self.population}",
            person=staff_id,
            line=line,
            n_listed=school["n_listed"],
            school=row["school_id"],
        )
        inside = line_sentence(
            school["n_listed"], school["n_selected"], line, school["random_number"], language=language
        )
        return f"{place} {inside}"


def select_staff(
    lists: Any,
    drawn: DrawnSchools | Any,
    *,
    rng: np.random.Generator | int,
    population: Population = "teachers",
    n_staff: int | None = None,
    sort_by: Sequence[str] | None = None,
) -> SelectedStaff:
    """Draw teachers or managers with equal probability in every listed school.

    Parameters
    ----------
    lists : polars.DataFrame or pandas.DataFrame or Mapping
        One row per person of the population: school_id, staff_id and the sort columns.
    drawn : DrawnSchools or table
        The school sample, or its table.
    rng : numpy.random.Generator or int
        Source of the random starts, or the seed itself.
    population : {"teachers", "managers"}, default "teachers"
        Who is drawn. The two never share random numbers.
    n_staff : int, optional
        People to draw in each school; by default 20 teachers, or all managers.
    sort_by : Sequence of str, optional
        Sort columns; by default those of position, subject, gender and birth_date that the list has.

    Returns
    -------
    SelectedStaff
        People with their probability and weight within the school.

    Raises
    ------
    TableError
        If a column is absent, or a person stands twice.
    DesignError
        If a listed school is neither sampled nor a replacement, or a number is not positive.

    References
    ----------
    .. [1] ``docs/algorithms/staff_sampling.md``.
    """
    if population not in USUAL_NUMBER or (n_staff is not None and n_staff < 1):
        raise DesignError(
            f"A draw of staff needs a population 'teachers' or 'managers' and a number of 1 or more. Got "
            f"population={population!r}, n_staff={n_staff!r}.",
            param="n_staff",
            got=n_staff,
        )
    listed = read_lists(lists, drawn, person="staff_id", usual=SORT_COLUMNS, sort_by=sort_by)
    size = USUAL_NUMBER[population] if n_staff is None else n_staff
    seed = seed_of(rng)
    starts = start_numerators(seed, f"select_{population}", listed.schools)
    counts = listed.counts.tolist()
    lines = [
        np.asarray(systematic_lines(n, n if size is None else size, start))
        for n, start in zip(counts, starts, strict=True)
    ]
    taken = np.asarray([len(one) for one in lines])
    rows = listed.order[
        np.concatenate(
            [begin + one - 1 for begin, one in zip(listed.offsets[:-1].tolist(), lines, strict=True)]
        )
    ]
    table = {
        "school_id": np.repeat(np.asarray(listed.schools, dtype=object), taken),
        "staff_id": listed.ids()[rows],
        "probability": np.repeat(taken / listed.counts, taken),
        "base_weight": np.repeat(listed.counts / taken, taken),
        "line_number": np.concatenate(lines),
    }
    schools = {
        "school_id": listed.schools,
        "n_listed": listed.counts,
        "n_selected": taken,
        "random_number": [start / START_DENOMINATOR for start in starts],
    }
    return SelectedStaff(
        table=make_table(table),
        schools=make_table(schools),
        population=population,
        not_listed=listed.not_listed,
        seed=seed,
    )
