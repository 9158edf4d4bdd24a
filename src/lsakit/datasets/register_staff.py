"""Teachers and managers of a whole register."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lsakit.datasets.counter_random import subkeys, uniforms
from lsakit.datasets.person_names import draw_ethnicity, full_names
from lsakit.datasets.school_register import Floats, Ints
from lsakit.randomness import stable_seeds

MOST_IN_BLOCK = 400
N_BLOCKS = 5  # managers, then teachers of the four levels
TEACHERS_PER_CLASS = (2.0, 1.5, 1.9, 2.25)
WOMEN = (0.6, 0.99, 0.78, 0.68, 0.62)
OLDEST_BIRTH, YEARS_OF_BIRTH = 1968, 33
CODE_STEP, CODE_START = 48_271_907, 9_870_001
SUBJECTS = (
    (),
    ("Tiếng Anh", "Giáo dục thể chất", "Âm nhạc", "Mĩ thuật", "Tin học và Công nghệ"),
    (
        "Toán",
        "Ngữ văn",
        "Tiếng Anh",
        "Khoa học tự nhiên",
        "Lịch sử và Địa lí",
        "Giáo dục thể chất",
        "Tin học; Công nghệ",
        "Nghệ thuật",
        "Giáo dục công dân",
    ),
    (
        "Toán",
        "Ngữ văn",
        "Ngoại ngữ",
        "Vật lí",
        "Hóa học",
        "Sinh học",
        "Lịch sử",
        "Địa lí",
        "Tin học",
        "Giáo dục thể chất",
        "Giáo dục kinh tế và pháp luật",
    ),
)
GRADES = ((0,), (1, 2, 3, 4, 5), (6, 7, 8, 9), (10, 11, 12))
_FEMALE, _MINORITY, _NAME, _BIRTH, _DAY = 0, 1, 3, 6, 7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StaffPlan:
    """Hold from what lists of staff are made.

    Parameters
    ----------
    keys : ndarray of shape (n_schools,)
        Random key of each school's staff.
    first_year : int
        First year of ``numbers``.
    numbers : ndarray of shape (n_schools, n_years, 5)
        Managers, then teachers of the four levels.
    classes : ndarray of shape (n_schools, n_years, 4)
        Classes by level.
    offsets : ndarray of shape (n_schools, 5)
        Where serial numbers begin in the province.
    """

    keys: NDArray[np.uint64]
    first_year: int
    numbers: Ints
    classes: Ints
    offsets: Ints


def plan_staff(seed: int, schools: pl.DataFrame, counts: pl.DataFrame) -> StaffPlan:
    """Count managers and teachers by the classes of a school.

    Parameters
    ----------
    seed : int
        Seed of the register.
    schools : polars.DataFrame
        school_id, province_code.
    counts : polars.DataFrame
        school (position), first_year, grade, n_classes.

    Returns
    -------
    StaffPlan
        From what lists are made.
    """
    years = counts.get_column("first_year").to_numpy()
    first = int(years.min())
    n_years = int(years.max()) - first + 1
    level = np.searchsorted(np.array([1, 6, 10]), counts.get_column("grade").to_numpy(), side="right")
    classes = np.zeros((schools.height, n_years, 4), dtype=np.int64)
    place = (counts.get_column("school").to_numpy(), years - first, level)
    np.add.at(classes, place, counts.get_column("n_classes").to_numpy())
    teachers = np.ceil(classes * np.array(TEACHERS_PER_CLASS)).astype(np.int64)
    total = classes.sum(axis=2)
    managers = 2 + (total >= 28) + (total >= 45)
    numbers = np.concatenate([managers[:, :, None], np.minimum(teachers, MOST_IN_BLOCK)], axis=2)
    capacity = numbers.max(axis=1)
    offsets = np.zeros_like(capacity)
    provinces = schools.get_column("province_code").to_numpy()
    for code in np.unique(provinces):
        rows = np.flatnonzero(provinces == code)
        own = capacity[rows].ravel()
        offsets[rows] = (np.cumsum(own) - own).reshape(len(rows), N_BLOCKS)
    return StaffPlan(
        keys=stable_seeds(seed, "register.staff", schools.get_column("school_id").to_list()),
        first_year=first,
        numbers=numbers,
        classes=classes,
        offsets=offsets,
    )


def staff_table(
    plan: StaffPlan, chosen: Ints, year: int, province: pl.Series, minority_share: Floats
) -> pl.DataFrame:
    """Make the staff of some schools.

    Parameters
    ----------
    plan : StaffPlan
        From ``plan_staff``.
    chosen : ndarray of shape (n_chosen,)
        Positions of the schools.
    year : int
        Year in which the school year begins.
    province : polars.Series
        Code of the province of each school of the register.
    minority_share : ndarray of shape (n_schools,)
        Share of ethnic-minority pupils.

    Returns
    -------
    polars.DataFrame
        school (position), staff_code, personal_id, full_name, birth_date, sex, role, position, subjects,
        grades.
    """
    from lsakit.datasets.register_rosters import personal_ids

    at = year - plan.first_year
    numbers = plan.numbers[chosen, at]
    school = np.repeat(chosen, numbers.sum(axis=1))
    block = np.repeat(np.tile(np.arange(N_BLOCKS), len(chosen)), numbers.ravel())
    flat = numbers.ravel()
    number = np.arange(len(block)) - np.repeat(np.cumsum(flat) - flat, flat)
    counter = block * MOST_IN_BLOCK + number
    keys = subkeys(plan.keys[school], counter)
    women = uniforms(keys, _FEMALE) < np.array(WOMEN)[block]
    born = OLDEST_BIRTH + np.floor(uniforms(keys, _BIRTH) * YEARS_OF_BIRTH).astype(np.int64)
    born = np.where(block == 0, np.minimum(born, 1990), born)
    day = np.floor(uniforms(keys, _DAY) * 365).astype("timedelta64[D]")
    of_province = province.gather(school)
    ethnicity = draw_ethnicity(keys, of_province, 0.5 * minority_share[school], first_variable=_MINORITY)
    code = (school * (N_BLOCKS * MOST_IN_BLOCK) + counter) * CODE_STEP % 10**10
    subjects, grades = _duties(block, number, plan.classes[school, at])
    leads = block == 0
    position = np.where(number == 0, "Hiệu trưởng", "Phó hiệu trưởng")
    return pl.DataFrame(
        {
            "school": school,
            "staff_code": pl.Series((code + CODE_START) % 10**10).cast(pl.String).str.zfill(10),
            "personal_id": personal_ids(of_province, women, born, plan.offsets[school, block] + number),
            "full_name": full_names(keys, ethnicity, women, first_variable=_NAME),
            "birth_date": (born - 1970).astype("datetime64[Y]").astype("datetime64[D]") + day,
            "sex": np.where(women, "female", "male"),
            "role": np.where(leads, "manager", "teacher"),
            "position": np.where(leads, position, "Giáo viên"),
            "subjects": subjects,
            "grades": grades,
        },
        schema_overrides={"birth_date": pl.Date},
    )


def _duties(block: Ints, number: Ints, classes: Ints) -> tuple[list[str], list[str]]:
    """Give subjects and grades of each person: class teachers first in primary schools, then subject teachers."""
    subjects, grades = [], []
    for own, place, counts in zip(block.tolist(), number.tolist(), classes.tolist(), strict=True):
        level = own - 1
        if level < 0:
            subjects.append("")
            grades.append("")
            continue
        among = GRADES[level]
        if level == 0:
            subjects.append("")
            grades.append("0")
        elif level == 1 and place < counts[1]:
            subjects.append("Tiểu học")
            grades.append(str(among[place * len(among) // counts[1]]))
        else:
            own_subjects = SUBJECTS[level]
            subjects.append(own_subjects[place % len(own_subjects)])
            start = place % (len(among) - 1)
            grades.append(f"{among[start]}, {among[start + 1]}")
    return subjects, grades
