"""Several studies in one school: one larger sample of students, dealt out so that no child serves two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from lsakit.design.drawn import DrawnSchools
from lsakit.design.random_starts import START_DENOMINATOR, seed_of, start_numerators
from lsakit.design.school_lists import line_sentence, read_lists, row_of
from lsakit.design.within_school import SORT_COLUMNS, systematic_lines
from lsakit.design.words import Language, say
from lsakit.errors import DesignError
from lsakit.io.frames import Table, make_table


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedForStudies:
    """Hold the students of several studies in the same schools.

    Parameters
    ----------
    table : polars.DataFrame
        One row per student: school_id, student_id, study, probability (to be in that study, within the
        school), booklet (from 1, of that study), line_number.
    schools : polars.DataFrame
        One row per school and study: school_id, study, n_listed, n_selected (in all studies together),
        n_in_study, random_number, rotation (places by which the dealing was turned).
    studies : dict of str to int
        Students asked for each study.
    not_listed : tuple of str
        Sampled schools for which no list came.
    seed : int
        Seed of the draw.
    schema : str
        Name and version of this result's form.
    """

    table: Table
    schools: Table
    studies: Mapping[str, int]
    not_listed: tuple[str, ...]
    seed: int
    schema: str = "lsakit.selected_for_studies/1"

    def of(self, study: str) -> Table:
        """Give the students of one study.

        Parameters
        ----------
        study : str
            Name of the study.

        Returns
        -------
        polars.DataFrame
            Its rows.

        Raises
        ------
        DesignError
            If there is no such study.
        """
        if study not in self.studies:
            raise DesignError(
                f"There is no study {study!r}. There are: {', '.join(self.studies)}.",
                param="study",
                got=study,
            )
        return self.table.filter(self.table.get_column("study") == study)

    def explain(self, student_id: str, *, language: Language = "en") -> str:
        """Tell in words how a student came to a study.

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
        mine = self.schools.filter(self.schools.get_column("school_id") == row["school_id"])
        school = row_of(mine, "study", row["study"], what="study")
        chosen = line_sentence(
            school["n_listed"],
            school["n_selected"],
            row["line_number"],
            school["random_number"],
            language=language,
        )
        sentences = (
            say(
                language,
                "student.place",
                student=student_id,
                line=row["line_number"],
                n_listed=school["n_listed"],
                school=row["school_id"],
            ),
            say(language, "study.together", sentence=chosen),
            say(
                language,
                "study.dealt",
                n_selected=school["n_selected"],
                n_in_study=school["n_in_study"],
                study=row["study"],
                n_listed=school["n_listed"],
                probability=row["probability"],
            ),
        )
        return " ".join(sentences)


def dealing_pattern(counts: Mapping[str, int]) -> list[str]:
    """Spread studies evenly over the places of a list.

    Parameters
    ----------
    counts : Mapping of str to int
        Places of each study.

    Returns
    -------
    list of str
        Study of each place; the ``j``-th place of a study with ``m`` stands near ``(j - 1/2) / m`` of the
        list, ties in the order of ``counts``.

    Examples
    --------
    >>> dealing_pattern({"national": 4, "pilot": 2})
    ['national', 'pilot', 'national', 'national', 'pilot', 'national']
    """
    places = [
        (Fraction(2 * turn + 1, 2 * count), order, study)
        for order, (study, count) in enumerate(counts.items())
        for turn in range(count)
    ]
    return [study for _, _, study in sorted(places)]


def select_for_studies(
    lists: Any,
    drawn: DrawnSchools | Any,
    *,
    rng: np.random.Generator | int,
    studies: Mapping[str, int],
    n_booklets: Mapping[str, int] | None = None,
    sort_by: Sequence[str] | None = None,
) -> SelectedForStudies:
    """Draw disjoint samples of students for several studies in the same schools.

    Parameters
    ----------
    lists : polars.DataFrame or pandas.DataFrame or Mapping
        One row per student of the target grade: school_id, student_id and the sort columns.
    drawn : DrawnSchools or table
        The school sample, or its table.
    rng : numpy.random.Generator or int
        Source of the random starts, or the seed itself.
    studies : Mapping of str to int
        Students wanted for each study in a school.
    n_booklets : Mapping of str to int, optional
        Booklets of each study; 1 for a study not named.
    sort_by : Sequence of str, optional
        Columns that sort a school's list; by default those of grade, gender and birth_date that it has.

    Returns
    -------
    SelectedForStudies
        Every student is in one study at most.

    Raises
    ------
    TableError
        If a column is absent, or a student stands twice.
    DesignError
        If a listed school is neither sampled nor a replacement, a number is not positive, or a school has
        fewer students than there are studies.

    Notes
    -----
    One systematic sample for all studies is drawn and dealt out by a fixed even pattern, turned by a random
    number of places in each school, so that every selected student has the same chance of each study. A
    school with fewer students than wanted is taken whole and shared in the same proportions.

    References
    ----------
    .. [1] ``docs/algorithms/student_sampling.md``.
    """
    _refuse_studies(studies, n_booklets or {})
    listed = read_lists(lists, drawn, person="student_id", usual=SORT_COLUMNS, sort_by=sort_by)
    few = [
        one
        for one, n in zip(listed.schools, listed.counts.tolist(), strict=True)
        if min(_shares(studies, n).values()) < 1
    ]
    if few:
        raise DesignError(
            f"{len(few)} schools list too few students to give one to each of {len(studies)} studies.",
            where=few,
            why="A study without a student in a sampled school does not cover it.",
            hint="Run one study alone in those schools.",
            param="studies",
            got=few[0],
        )
    seed = seed_of(rng)
    starts = start_numerators(seed, "select_for_studies", listed.schools)
    turns = start_numerators(seed, "deal_studies", listed.schools)
    ids = listed.ids()[listed.order]
    rows: dict[str, list[Any]] = {name: [] for name in STUDENT_COLUMNS}
    summary: dict[str, list[Any]] = {name: [] for name in SCHOOL_COLUMNS}
    for number, school in enumerate(listed.schools):
        n, begin = int(listed.counts[number]), int(listed.offsets[number])
        lines = systematic_lines(n, sum(studies.values()), starts[number])
        counts = _shares(studies, n)
        pattern = dealing_pattern(counts)
        turn = turns[number] % len(lines)
        dealt = [pattern[(place + turn) % len(lines)] for place in range(len(lines))]
        given = dict.fromkeys(studies, 0)
        for line, study in zip(lines, dealt, strict=True):
            of_study = (n_booklets or {}).get(study, 1)
            booklet = (turns[number] + given[study]) % of_study + 1
            given[study] += 1
            row = (school, ids[begin + line - 1], study, counts[study] / n, booklet, line)
            for name, value in zip(rows, row, strict=True):
                rows[name].append(value)
        for study in studies:
            line_of = (school, study, n, len(lines), counts[study], starts[number] / START_DENOMINATOR, turn)
            for name, value in zip(summary, line_of, strict=True):
                summary[name].append(value)
    return SelectedForStudies(
        table=make_table(rows),
        schools=make_table(summary),
        studies=dict(studies),
        not_listed=listed.not_listed,
        seed=seed,
    )


STUDENT_COLUMNS = ("school_id", "student_id", "study", "probability", "booklet", "line_number")
SCHOOL_COLUMNS = (
    "school_id",
    "study",
    "n_listed",
    "n_selected",
    "n_in_study",
    "random_number",
    "rotation",
)


def _shares(studies: Mapping[str, int], n_listed: int) -> dict[str, int]:
    """Share out a list that is too short in proportion, by the largest remainder; ties to the first study."""
    total = sum(studies.values())
    if n_listed >= total:
        return dict(studies)
    exact = {study: Fraction(count * n_listed, total) for study, count in studies.items()}
    whole = {study: value.numerator // value.denominator for study, value in exact.items()}
    names = list(studies)
    order = sorted(names, key=lambda study: (whole[study] - exact[study], names.index(study)))
    for study in order[: n_listed - sum(whole.values())]:
        whole[study] += 1
    return whole


def _refuse_studies(studies: Mapping[str, int], n_booklets: Mapping[str, int]) -> None:
    """Refuse studies without students, and booklets of a study that is not there."""
    bad = [study for study, count in studies.items() if count < 1]
    bad += [study for study, count in n_booklets.items() if count < 1 or study not in studies]
    if bad or not studies:
        raise DesignError(
            "Every study needs a number of students, and of booklets where given, of 1 or more.",
            where=bad,
            hint="Write studies={'national': 30, 'pilot': 10}.",
            param="studies",
        )
