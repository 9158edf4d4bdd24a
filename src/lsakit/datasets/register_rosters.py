"""The people of a whole register, made when they are asked for: pupils and staff of schools in one school year.

The i-th pupil of a cohort of a school is the same child in every year, so that lists of two years agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lsakit.datasets.counter_random import subkeys, uniforms
from lsakit.datasets.person_names import draw_ethnicity, full_names
from lsakit.datasets.register_staff import StaffPlan, plan_staff, staff_table
from lsakit.datasets.school_register import Floats, Ints
from lsakit.errors import DesignError
from lsakit.randomness import stable_seeds

N_ZONES, ZONE = 3, 333_333  # levels three apart never meet in one year of birth
MOST_IN_COHORT = 1000
N_COHORTS = 32
CODE_STEP, CODE_START = 7_654_321_987, 1_234_567_891  # the step has no factor 2 or 5: no code is given twice
NUMBER_STEP = 381_997  # likewise for the six last digits of personal numbers
GIRLS = 0.48
SPECIAL_NEEDS = 0.006
LEAVES = ("Lá", "Chồi", "Mầm")  # five, four and three years old
STUDENT_COLUMNS = {
    "school_id": pl.String,
    "student_code": pl.String,
    "personal_id": pl.String,
    "full_name": pl.String,
    "birth_date": pl.Date,
    "sex": pl.String,
    "ethnicity": pl.String,
    "grade": pl.Int64,
    "class_name": pl.String,
    "status": pl.String,
    "has_special_needs": pl.Boolean,
}
_FEMALE, _MINORITY, _NAME, _DAY, _NEEDS = 0, 1, 3, 6, 7


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """Hold one value per pupil of a part."""

    school: Ints
    grade: Ints
    age_group: Ints
    number: Ints
    of_class: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RosterPlan:
    """Hold from what lists of people are made.

    Parameters
    ----------
    school_ids : polars.Series
        Codes of the schools.
    place : dict of str to int
        Position of each school.
    province : polars.Series
        Code of each school's province.
    minority_share : ndarray of shape (n_schools,)
        Share of ethnic-minority pupils.
    is_inclusion : ndarray of shape (n_schools,)
        Whether the school is a centre of inclusive education.
    keys : ndarray of shape (n_schools,)
        Random key of each school's pupils.
    offsets : ndarray of shape (n_schools, 4)
        Where the serial numbers of a school's pupils begin in its province, by level.
    counts : polars.DataFrame
        school (position), first_year, grade, n_students, n_classes.
    staff_plan : StaffPlan
        From what lists of staff are made.
    """

    school_ids: pl.Series
    place: dict[str, int]
    province: pl.Series
    minority_share: Floats
    is_inclusion: NDArray[np.bool_]
    keys: NDArray[np.uint64]
    offsets: Ints
    counts: pl.DataFrame
    staff_plan: StaffPlan

    def positions(self, school_ids: Sequence[str]) -> Ints:
        """Find schools by their codes.

        Parameters
        ----------
        school_ids : Sequence of str of shape (n_schools,)
            Codes.

        Returns
        -------
        ndarray of shape (n_schools,)
            Positions.

        Raises
        ------
        DesignError
            If a code is not of this register, or stands twice.
        """
        unknown = [code for code in school_ids if code not in self.place]
        if unknown:
            raise DesignError(
                f"{len(unknown)} of {len(school_ids)} schools are not in the register.",
                where=unknown,
                hint="Take codes of register.schools of the same seed and size.",
                param="school_ids",
                got=unknown[0],
            )
        if len(set(school_ids)) < len(school_ids):
            raise DesignError("A school stands twice in 'school_ids'.", param="school_ids")
        return np.array([self.place[code] for code in school_ids], dtype=np.int64)

    def year_of(self, school_year: str) -> int:
        """Find a school year.

        Parameters
        ----------
        school_year : str
            Such as "2025-2026".

        Returns
        -------
        int
            Year in which it begins.

        Raises
        ------
        DesignError
            If the register has no such school year.
        """
        years = self.counts.get_column("first_year").unique().sort().to_list()
        if school_year not in {f"{year}-{year + 1}" for year in years}:
            raise DesignError(
                f"The 'school_year' must lie between {years[0]}-{years[0] + 1} and {years[-1]}-{years[-1] + 1}. "
                f"Got {school_year!r}.",
                param="school_year",
                got=school_year,
                hint="Ask for one of register.school_years.",
            )
        return int(school_year[:4])

    def no_students(self) -> pl.DataFrame:
        """Give an empty list of pupils.

        Returns
        -------
        polars.DataFrame
            No row, all columns.
        """
        return pl.DataFrame(schema=STUDENT_COLUMNS)

    def student_blocks(
        self, school_ids: Sequence[str], school_year: str, n_rows: int
    ) -> Iterator[pl.DataFrame]:
        """List pupils part by part, whole schools.

        Parameters
        ----------
        school_ids : Sequence of str of shape (n_schools,)
            Codes.
        school_year : str
            Such as "2025-2026".
        n_rows : int
            A part ends with the school that reaches it.

        Returns
        -------
        Iterator of polars.DataFrame
            The parts.

        Raises
        ------
        DesignError
            If a school or the year is not of this register, or ``n_rows`` is not positive.
        """
        if n_rows < 1:
            raise DesignError(f"The 'n_rows' must be positive. Got {n_rows}.", param="n_rows", got=n_rows)
        return self._blocks(self.positions(school_ids), self.year_of(school_year), n_rows)

    def _blocks(self, chosen: Ints, year: int, n_rows: int) -> Iterator[pl.DataFrame]:
        """Cut the schools into parts and make each."""
        counts = self.counts.filter(pl.col("first_year") == year)
        total = counts.group_by("school", maintain_order=True).agg(pl.col("n_students").sum())
        size = np.zeros(len(self.school_ids), dtype=np.int64)
        size[total.get_column("school").to_numpy()] = total.get_column("n_students").to_numpy()
        start, n = 0, 0
        for place, school in enumerate(chosen.tolist(), start=1):
            n += int(size[school])
            if n >= n_rows or place == len(chosen):
                yield self._students(chosen[start:place], year, counts)
                start, n = place, 0

    def _students(self, chosen: Ints, year: int, counts: pl.DataFrame) -> pl.DataFrame:
        """Make the pupils of some schools."""
        rows = _spread(chosen, counts)
        level = _level_of(rows.grade)
        cohort = year - 5 - rows.grade + rows.age_group
        counter = (level * N_COHORTS + cohort % N_COHORTS) * MOST_IN_COHORT + rows.number
        keys = subkeys(self.keys[rows.school], counter)
        girls = uniforms(keys, _FEMALE) < GIRLS
        late = np.where(rows.number % 16 == 7, 1, np.where(rows.number % 64 == 15, 2, 0)) * (level > 0)
        birth_year = cohort - late
        zone = level % N_ZONES
        serial = zone * ZONE + self.offsets[rows.school, level] + rows.number
        province = self.province.gather(rows.school)
        ethnicity = draw_ethnicity(keys, province, self.minority_share[rows.school], first_variable=_MINORITY)
        day = np.floor(uniforms(keys, _DAY) * 365).astype("timedelta64[D]")
        needs = self.is_inclusion[rows.school] | (uniforms(keys, _NEEDS) < SPECIAL_NEEDS)
        own = (rows.school * N_ZONES + zone) * N_COHORTS + cohort % N_COHORTS
        code = scramble(own * MOST_IN_COHORT + rows.number)
        return pl.DataFrame(
            {
                "school_id": self.school_ids.gather(rows.school),
                "student_code": pl.Series(code).cast(pl.String).str.zfill(10),
                "personal_id": personal_ids(province, girls, birth_year, serial),
                "full_name": full_names(keys, ethnicity, girls, first_variable=_NAME),
                "birth_date": (birth_year - 1970).astype("datetime64[Y]").astype("datetime64[D]") + day,
                "sex": np.where(girls, "female", "male"),
                "ethnicity": ethnicity,
                "grade": rows.grade,
                "class_name": _class_names(rows),
                "status": pl.repeat("studying", len(keys), eager=True),
                "has_special_needs": needs,
            },
            schema_overrides={"birth_date": pl.Date},
        )

    def staff(self, school_ids: Sequence[str], school_year: str) -> pl.DataFrame:
        """List teachers and managers of some schools.

        Parameters
        ----------
        school_ids : Sequence of str of shape (n_schools,)
            Codes.
        school_year : str
            Such as "2025-2026".

        Returns
        -------
        polars.DataFrame
            One row per person.

        Raises
        ------
        DesignError
            If a school or the year is not of this register.
        """
        chosen, year = self.positions(school_ids), self.year_of(school_year)
        table = staff_table(self.staff_plan, chosen, year, self.province, self.minority_share)
        ids = self.school_ids.gather(table.get_column("school"))
        return table.with_columns(ids.alias("school_id")).select(
            "school_id", pl.exclude("school", "school_id")
        )


def plan_rosters(seed: int, schools: pl.DataFrame, counts: pl.DataFrame) -> RosterPlan:
    """Prepare the lists of people.

    Parameters
    ----------
    seed : int
        Seed of the register.
    schools : polars.DataFrame
        school_id, province_code, minority_share, kind.
    counts : polars.DataFrame
        school (position), first_year, grade, n_students, n_classes; by school, year and grade.

    Returns
    -------
    RosterPlan
        From what lists are made.

    Raises
    ------
    DesignError
        If a province has more pupils than personal numbers hold.
    """
    ids = schools.get_column("school_id")
    province = schools.get_column("province_code")
    offsets = _offsets(province, _capacities(len(ids), counts))
    return RosterPlan(
        school_ids=ids,
        place={code: place for place, code in enumerate(ids.to_list())},
        province=province,
        minority_share=schools.get_column("minority_share").to_numpy(),
        is_inclusion=(schools.get_column("kind") == "inclusion").to_numpy(),
        keys=stable_seeds(seed, "register.students", ids.to_list()),
        offsets=offsets,
        counts=counts.select("school", "first_year", "grade", "n_students", "n_classes"),
        staff_plan=plan_staff(seed, schools, counts),
    )


def _level_of(grade: Ints) -> Ints:
    """Give the level of a grade: 0 kindergarten, 1 primary, 2 lower secondary, 3 upper secondary."""
    return np.asarray(np.searchsorted(np.array([1, 6, 10]), grade, side="right"))


def scramble(number: Ints) -> Ints:
    """Map numbers below 10**10 onto each other, without two alike and without order.

    Parameters
    ----------
    number : ndarray of shape (n,)
        Whole numbers from 0 to 10**10 - 1.

    Returns
    -------
    ndarray of shape (n,)
        Whole numbers from 0 to 10**10 - 1; different ones for different ones.

    Examples
    --------
    >>> scramble(np.array([0, 1, 2])).tolist()
    [1234567891, 8888889878, 6543211865]
    """
    # the product exceeds 64 bits: multiply the two halves of the number one after the other
    high, low = np.divmod(number, 100_000)
    step_high, step_low = divmod(CODE_STEP, 100_000)
    crossed = (high * step_low + low * step_high) % 100_000
    return np.asarray((crossed * 100_000 + low * step_low + CODE_START) % 10**10)


def _group_starts(students: Ints, classes: Ints) -> tuple[Ints, Ints]:
    """Give where the four-year-olds and the three-year-olds of a kindergarten begin in its list."""
    shown = np.maximum(classes, 3)

    def first(group: int) -> Ints:
        of_class = -(-group * shown // 3)
        return np.asarray(np.minimum(-(-of_class * students // classes), students))

    return first(1), first(2)


def _capacities(n_schools: int, counts: pl.DataFrame) -> Ints:
    """Give the largest number of pupils of one age that a school has at each level."""
    grade = counts.get_column("grade").to_numpy()
    students, classes = counts.get_column("n_students").to_numpy(), counts.get_column("n_classes").to_numpy()
    second, third = _group_starts(students, classes)
    largest = np.maximum(np.maximum(second, third - second), students - third)
    size = np.where(grade == 0, largest, students)
    capacity = np.zeros((n_schools, 4), dtype=np.int64)
    np.maximum.at(capacity, (counts.get_column("school").to_numpy(), _level_of(grade)), size)
    return capacity


def _offsets(province: pl.Series, capacity: Ints) -> Ints:
    """Number the pupils of a province through, level by level."""
    codes = province.to_numpy()
    offsets = np.zeros_like(capacity)
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        until = np.cumsum(capacity[rows], axis=0)
        if until.max() > ZONE:
            raise DesignError(
                f"Province {code} has {int(until.max())} pupils of one age; personal numbers hold {ZONE}.",
                param="n_schools",
                hint="Ask for fewer schools.",
            )
        offsets[rows] = until - capacity[rows]
    return offsets


def _spread(chosen: Ints, counts: pl.DataFrame) -> _Rows:
    """Write one row per pupil of the chosen schools, in their order."""
    schools = counts.get_column("school").to_numpy()
    low, high = np.searchsorted(schools, chosen), np.searchsorted(schools, chosen, side="right")
    n = high - low
    row = np.repeat(low - (np.cumsum(n) - n), n) + np.arange(int(n.sum()))
    students = counts.get_column("n_students").to_numpy()[row]
    classes = counts.get_column("n_classes").to_numpy()[row]
    grade = counts.get_column("grade").to_numpy()[row]
    at = np.repeat(np.arange(len(row)), students)
    place = np.arange(len(at)) - np.repeat(np.cumsum(students) - students, students)
    of_class = place * classes[at] // students[at]
    second, third = (start[at] for start in _group_starts(students, classes))
    young = grade[at] == 0
    group = np.where(young, (place >= second).astype(np.int64) + (place >= third), 0)
    before = np.where(group == 2, third, np.where(group == 1, second, 0))
    first_class = -(-group * np.maximum(classes[at], 3) // 3)
    return _Rows(
        school=schools[row][at],
        grade=grade[at],
        age_group=group,
        number=place - before,
        of_class=of_class - first_class,
    )


def _class_names(rows: _Rows) -> pl.Series:
    """Name classes: "5A1", in kindergartens "Lá 1"."""
    table = pl.DataFrame({"grade": rows.grade, "group": rows.age_group, "number": rows.of_class + 1})
    young = pl.format("{} {}", pl.Series(LEAVES).gather(rows.age_group).alias("leaf"), "number")
    school = pl.format("{}A{}", "grade", "number")
    return table.select(name=pl.when(pl.col("grade") == 0).then(young).otherwise(school)).to_series()


def personal_ids(province: pl.Series, female: NDArray[np.bool_], birth_year: Ints, serial: Ints) -> pl.Series:
    """Compose personal numbers: province, century and sex, year of birth, six digits.

    Parameters
    ----------
    province : polars.Series
        Two-digit code of the province of birth registration.
    female : ndarray of shape (n_people,)
        Whether each is a woman or girl.
    birth_year : ndarray of shape (n_people,)
        Year of birth.
    serial : ndarray of shape (n_people,)
        Number below 1,000,000, unique among people of the province born in the year.

    Returns
    -------
    polars.Series
        Texts of twelve digits.
    """
    century = 2 * (birth_year >= 2000) + female
    digits = (serial * NUMBER_STEP + birth_year * 7919) % 10**6
    number = province.cast(pl.Int64).to_numpy() * 10**9
    number = number + century * 10**8 + birth_year % 100 * 10**6 + digits
    return pl.Series("personal_id", number).cast(pl.String).str.zfill(12)
