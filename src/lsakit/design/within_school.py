"""The student draw inside each school, and the booklet that each student receives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.design.drawn import DrawnSchools
from lsakit.design.random_starts import START_DENOMINATOR, seed_of, start_numerators
from lsakit.design.school_lists import line_sentence, read_lists, row_of
from lsakit.design.words import Language, say
from lsakit.errors import DesignError
from lsakit.io.frames import Table, make_table

SORT_COLUMNS = ("grade", "gender", "birth_date")


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedStudents:
    """Hold the students drawn in each listed school.

    Parameters
    ----------
    table : polars.DataFrame
        One row per student, by school_id and line: school_id, student_id, probability (within the
        school), booklet (from 1), line_number (from 1, in the school's sorted list).
    schools : polars.DataFrame
        One row per listed school: school_id, n_listed, n_selected, random_number, first_booklet.
    not_listed : tuple of str
        Sampled schools for which no list came.
    seed : int
        Seed of the draw.
    schema : str
        Name and version of this result's form.
    """

    table: Table
    schools: Table
    not_listed: tuple[str, ...]
    seed: int
    schema: str = "lsakit.selected_students/1"

    def explain(self, student_id: str, *, language: Language = "en") -> str:
        """Tell in words how a student's probability and booklet came about.

        Parameters
        ----------
        student_id : str
            A selected student.
        language : {"en", "vi"}, default "en"
            Language of the sentences.

        Returns
        -------
        str
            A few sentences with the numbers that were used.

        Raises
        ------
        DesignError
            If the student was not selected.
        """
        row = row_of(self.table, "student_id", student_id, what="student")
        school = row_of(self.schools, "school_id", row["school_id"], what="school")
        line = int(row["line_number"])
        mine = self.table.filter(self.table.get_column("school_id") == row["school_id"])
        place = mine.get_column("student_id").to_list().index(student_id) + 1
        sentences = (
            say(
                language,
                "student.place",
                student=student_id,
                line=line,
                n_listed=school["n_listed"],
                school=row["school_id"],
            ),
            line_sentence(
                school["n_listed"], school["n_selected"], line, school["random_number"], language=language
            ),
            say(
                language,
                "student.booklet",
                first=school["first_booklet"],
                place=place,
                booklet=row["booklet"],
            ),
        )
        return " ".join(sentences)


def systematic_lines(n_listed: int, n_students: int, start: int) -> list[int]:
    """Give the lines of a list that a systematic draw with equal probabilities takes.

    Parameters
    ----------
    n_listed : int
        Students in the list.
    n_students : int
        Students to draw; all where the list is not longer.
    start : int
        Random start as the numerator over ``2**53``, from 1 to ``2**53``.

    Returns
    -------
    list of int
        Line numbers from 1, ascending, all different.

    Notes
    -----
    Lines ``ceil((start + t) * n_listed / n_students)``, in exact whole numbers.

    References
    ----------
    .. [1] ``docs/algorithms/student_sampling.md``.

    Examples
    --------
    >>> systematic_lines(97, 42, round(0.3019 * 2**53))[:5]
    [1, 4, 6, 8, 10]
    """
    if n_listed <= n_students:
        return list(range(1, n_listed + 1))
    under = n_students * START_DENOMINATOR
    step = n_listed * START_DENOMINATOR
    return [-(-(start * n_listed + turn * step) // under) for turn in range(n_students)]


def spiral_booklets(n_students: int, first: int, n_booklets: int) -> NDArray[np.int64]:
    """Deal booklets in turn down a list.

    Parameters
    ----------
    n_students : int
        Students in the list.
    first : int
        Booklet of the first student, from 1.
    n_booklets : int
        Booklets in the design.

    Returns
    -------
    ndarray of shape (n_students,)
        Booklet numbers from 1.

    Examples
    --------
    >>> spiral_booklets(4, 12, 13).tolist()
    [12, 13, 1, 2]
    """
    return (np.arange(n_students) + first - 1) % n_booklets + 1


def select_students(
    lists: Any,
    drawn: DrawnSchools | Any,
    *,
    rng: np.random.Generator | int,
    n_students: int | None = None,
    n_booklets: int = 13,
    sort_by: Sequence[str] | None = None,
) -> SelectedStudents:
    """Draw students with equal probability in every listed school and deal the booklets.

    Parameters
    ----------
    lists : polars.DataFrame or pandas.DataFrame or Mapping
        One row per student of the target grade: school_id, student_id and the sort columns. Schools may be
        sampled ones and their replacements; the draw is made for each.
    drawn : DrawnSchools or table
        The school sample, or its table.
    rng : numpy.random.Generator or int
        Source of the random starts, or the seed itself.
    n_students : int, optional
        Students to draw in each school; by default the number of the design.
    n_booklets : int, default 13
        Booklets in the design.
    sort_by : Sequence of str, optional
        Columns that sort a school's list before the draw; by default those of grade, gender and
        birth_date that the list has. A missing value sorts first.

    Returns
    -------
    SelectedStudents
        Students with probability, booklet and line number.

    Raises
    ------
    TableError
        If a column is absent, or a student stands twice.
    DesignError
        If a listed school is neither sampled nor a replacement, or a number is not positive.

    Notes
    -----
    A school's random start and first booklet come from the seed and the school_id alone, so its selection
    does not depend on which other schools are in the lists, nor on the order of rows.

    References
    ----------
    .. [1] ``docs/algorithms/student_sampling.md``.
    """
    size = _target(drawn, n_students, n_booklets)
    listed = read_lists(lists, drawn, person="student_id", usual=SORT_COLUMNS, sort_by=sort_by)
    schools, counts, offsets = listed.schools, listed.counts, listed.offsets
    seed = seed_of(rng)
    starts = start_numerators(seed, "select_students", schools)
    firsts = [number % n_booklets + 1 for number in start_numerators(seed, "first_booklet", schools)]
    lines = [systematic_lines(n, size, start) for n, start in zip(counts.tolist(), starts, strict=True)]
    taken = np.asarray([len(one) for one in lines])
    places = [offset + np.asarray(one) - 1 for offset, one in zip(offsets[:-1].tolist(), lines, strict=True)]
    rows = listed.order[np.concatenate(places)]
    booklets = [
        spiral_booklets(n, first, n_booklets) for n, first in zip(taken.tolist(), firsts, strict=True)
    ]
    selected = make_table(
        {
            "school_id": np.repeat(np.asarray(schools, dtype=object), taken),
            "student_id": listed.ids()[rows],
            "probability": np.repeat(taken / counts, taken),
            "booklet": np.concatenate(booklets),
            "line_number": np.concatenate([np.asarray(one) for one in lines]),
        }
    )
    summary = {"school_id": schools, "n_listed": counts, "n_selected": taken}
    starts_as_numbers = [start / START_DENOMINATOR for start in starts]
    by_school = make_table({**summary, "random_number": starts_as_numbers, "first_booklet": firsts})
    return SelectedStudents(table=selected, schools=by_school, not_listed=listed.not_listed, seed=seed)


def _target(drawn: DrawnSchools | Any, n_students: int | None, n_booklets: int) -> int:
    """Take the target cluster size from the call or the design."""
    size = n_students
    if size is None and isinstance(drawn, DrawnSchools):
        size = drawn.design.n_students
    if size is None or size < 1 or n_booklets < 1:
        raise DesignError(
            f"The draw of students needs a number of students and of booklets of 1 or more. "
            f"Got n_students={size!r}, n_booklets={n_booklets!r}.",
            hint="Pass n_students, or the result of draw_schools, whose design names it.",
            param="n_students",
            got=size,
        )
    return int(size)
