"""The wide tables over which rules are written: their columns, types and meaning, and one good row of each.

``columns_page`` writes docs/modules/scorecard/columns.md from here; a test keeps both equal.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import polars as pl

TYPES: dict[str, Any] = {
    "text": pl.String,
    "whole": pl.Int64,
    "number": pl.Float64,
    "share": pl.Float64,
    "date": pl.Date,
    "yes_no": pl.Boolean,
}
DAY = datetime.date(2026, 11, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: name, type, meaning, and its value in a row without fault."""

    name: str
    kind: str
    meaning: str
    good: Any = None


def _columns(text: str, good: dict[str, Any]) -> tuple[Column, ...]:
    """Read lines of ``name | type | meaning``."""
    rows = [[part.strip() for part in line.split("|")] for line in text.strip().splitlines()]
    return tuple(
        Column(name=name, kind=kind, meaning=meaning, good=good.get(name)) for name, kind, meaning in rows
    )


SCHOOL = _columns(
    """
    school_id | text | code of the school
    name | text | name as it is kept
    kind | text | kind of institution (general, kindergarten, continuing, …)
    levels | text | levels, joined by a hyphen: MN, TH, THCS, THPT, GDTX
    unknown_levels | text | parts of levels that are no level; empty where all are known
    commune_code | text | code of the commune
    commune_name | text | full name of the commune
    commune_kind | text | commune, ward, special_zone
    commune_in_force | yes_no | the commune is in force on the day
    commune_successors | text | present names of what became of a commune that has ended
    province_code | text | code of the province
    province_name | text | name of the province
    province_in_force | yes_no | the province is in force on the day
    commune_province_code | text | code of the province to which the commune belongs on the day
    commune_province_name | text | its name
    area | text | urban, rural
    sector | text | public, private, people_founded
    managed_by | text | ministry, province, commune
    is_disadvantaged | yes_no | disadvantaged area
    is_border | yes_no | border area
    boarding | text | none, semi_boarding, boarding
    minority_share | share | share of pupils of ethnic minorities
    n_satellite_sites | whole | satellite sites as the school states
    n_listed_satellites | whole | satellite sites that are listed and open
    n_listed_sites | whole | all sites that are listed and open
    address | text | address; empty text counts as missing
    phone | text | telephone
    email | text | e-mail
    latitude | number | degrees north
    longitude | number | degrees east
    km_from_siblings | number | kilometres to the median place of the commune's schools; missing where fewer than four have a place
    founded_date | date | day of founding
    opened_date | date | day since which it is in the registry
    data_date | date | day to which its newest data belong
    confirmed_date | date | day of its last confirmation
    day | date | day of the check
    year_start | date | first day of the expected school year
    days_into_year | whole | days since then
    days_since_data | whole | days since data_date
    school_year | text | school year that is checked
    has_counts | yes_no | has counts of that year
    n_students | whole | pupils of that year, all grades
    n_classes | whole | classes of that year, all grades
    n_students_previous | whole | pupils of the year before, all grades
    change_share | share | relative change of the pupils since the year before
    same_name_school | text | code of another open school of the commune with the very same name
    near_name_school | text | code of another open school of the commune whose name is nearly the same
    near_name | text | that name
    same_code_school | text | code of another school that carried the same code at the same time
    old_commune_name | text | the commune that has ended, where its last version before lay in one
    old_province_name | text | the province of that commune
    old_leads_here | yes_no | the present commune is among the successors of the old one
    old_province_leads_here | yes_no | the present province is among the successors of the old one
    n_listed_students | whole | pupils on the class lists of that year
    lists_complete | yes_no | there are class lists for every grade that has counts
    """,
    {
        "school_id": "01000001",
        "name": "Trường TH Hòa Bình",
        "kind": "general",
        "levels": "TH",
        "unknown_levels": "",
        "commune_code": "00004",
        "commune_name": "Phường Ba Đình",
        "commune_kind": "ward",
        "commune_in_force": True,
        "commune_successors": "",
        "province_code": "01",
        "province_name": "Hà Nội",
        "province_in_force": True,
        "commune_province_code": "01",
        "commune_province_name": "Hà Nội",
        "area": "urban",
        "sector": "public",
        "managed_by": "commune",
        "is_disadvantaged": False,
        "is_border": False,
        "boarding": "none",
        "minority_share": 0.125,
        "n_satellite_sites": 0,
        "n_listed_satellites": 0,
        "n_listed_sites": 0,
        "address": "Số 1, phố Hòa Bình",
        "phone": "02412345678",
        "email": "th-hoabinh@vidu.edu.vn",
        "latitude": 21.03,
        "longitude": 105.83,
        "km_from_siblings": 1.5,
        "founded_date": datetime.date(1990, 9, 5),
        "opened_date": datetime.date(2020, 9, 5),
        "data_date": datetime.date(2026, 10, 1),
        "confirmed_date": datetime.date(2026, 10, 10),
        "day": DAY,
        "year_start": datetime.date(2026, 9, 5),
        "days_into_year": 58,
        "days_since_data": 32,
        "school_year": "2026-2027",
        "has_counts": True,
        "n_students": 600,
        "n_classes": 20,
        "n_students_previous": 590,
        "change_share": 0.0169,
        "old_commune_name": "Phường Trúc Bạch",
        "old_province_name": "Hà Nội",
        "old_leads_here": True,
        "old_province_leads_here": True,
        "n_listed_students": 598,
        "lists_complete": True,
    },
)
CLOSED = _columns(
    """
    school_id | text | code of the school
    name | text | its name
    closed_date | date | day of closing
    school_year | text | expected school year
    counted_date | date | day of its newest count of that year or a later one
    n_students | whole | pupils of these counts
    """,
    {
        "school_id": "01000001",
        "name": "Trường TH Hòa Bình",
        "closed_date": datetime.date(2026, 12, 31),
        "school_year": "2026-2027",
        "counted_date": datetime.date(2026, 10, 1),
        "n_students": 120,
    },
)
ENROLMENT = _columns(
    """
    school_id | text | code of the school
    grade | whole | 1 to 12; 0 is nursery and kindergarten
    is_expected | yes_no | the grade belongs to the school's levels
    is_allowed | yes_no | the grade may be taught at one of the school's levels
    has_counts | yes_no | the school has some count of that year
    is_reported | yes_no | there is a count of this grade
    is_collected | yes_no | somebody reports this grade in that year
    levels | text | levels of the school
    kind | text | kind of institution
    school_year | text | school year that is checked
    n_students | whole | pupils
    n_classes | whole | classes
    class_size | number | pupils per class
    counted_date | date | day of the count
    day | date | day of the check
    n_students_previous | whole | pupils of the same grade in the year before
    change | whole | difference of the two
    change_share | share | relative difference of the two
    """,
    {
        "school_id": "01000001",
        "grade": 5,
        "is_expected": True,
        "is_allowed": True,
        "has_counts": True,
        "is_reported": True,
        "is_collected": True,
        "levels": "TH",
        "kind": "general",
        "school_year": "2026-2027",
        "n_students": 120,
        "n_classes": 4,
        "class_size": 30.0,
        "counted_date": datetime.date(2026, 10, 1),
        "day": DAY,
        "n_students_previous": 118,
        "change": 2,
        "change_share": 0.0169,
    },
)
SITE = _columns(
    """
    school_id | text | code of the school
    site_code | text | code of the site
    site_name | text | name of the site
    is_main | yes_no | the main site
    commune_code | text | code of the site's commune
    commune_in_force | yes_no | that commune is in force on the day
    same_province | yes_no | it belongs to the province of the school
    address | text | address of the site
    latitude | number | degrees north
    longitude | number | degrees east
    km_from_school | number | kilometres to the place of the school
    n_students | whole | pupils at the site
    n_classes | whole | classes at the site
    class_size | number | pupils per class
    n_students_school | whole | pupils of the school
    n_students_sites | whole | pupils of all its sites
    n_sites_counted | whole | sites of the school that state their pupils
    n_sites | whole | sites of the school that are open
    listed_as_school | text | code of an open school of the same commune with this code or name
    """,
    {
        "school_id": "01000001",
        "site_code": "01",
        "site_name": "Điểm trường Bản Lao",
        "is_main": False,
        "commune_code": "00004",
        "commune_in_force": True,
        "same_province": True,
        "address": "Bản Lao",
        "latitude": 21.04,
        "longitude": 105.84,
        "km_from_school": 1.6,
        "n_students": 60,
        "n_classes": 3,
        "class_size": 20.0,
        "n_students_school": 600,
        "n_students_sites": 600,
        "n_sites_counted": 2,
        "n_sites": 2,
    },
)
ROSTER = _columns(
    """
    school_id | text | code of the school
    grade | whole | grade
    school_year | text | school year that is checked
    n_listed | whole | pupils on the class lists who study there
    n_listed_classes | whole | classes on the lists
    largest_class | whole | pupils of the largest class on the lists
    smallest_class | whole | pupils of the smallest class on the lists
    n_students | whole | pupils by the count
    n_classes | whole | classes by the count
    difference | whole | n_listed − n_students
    """,
    {
        "school_id": "01000001",
        "grade": 5,
        "school_year": "2026-2027",
        "n_listed": 119,
        "n_listed_classes": 4,
        "largest_class": 31,
        "smallest_class": 28,
        "n_students": 120,
        "n_classes": 4,
        "difference": -1,
    },
)
PROVINCE = _columns(
    """
    province_code | text | code of the province
    province_name | text | name of the province
    school_year | text | school year of the official total
    part | text | level (MN, TH, THCS, THPT, GDTX) or grade (1 to 12) of the total
    source | text | where the official total comes from
    n_schools | whole | open schools of the registry that teach the part
    n_students | whole | pupils of the part in the registry
    official_schools | whole | schools by the official total
    official_students | whole | pupils by the official total
    students_share | share | (n_students − official_students) / official_students
    schools_share | share | (n_schools − official_schools) / official_schools
    """,
    {
        "province_code": "01",
        "province_name": "Hà Nội",
        "school_year": "2026-2027",
        "part": "TH",
        "source": "Thống kê đầu năm học",
        "n_schools": 801,
        "n_students": 700_100,
        "official_schools": 801,
        "official_students": 700_000,
        "students_share": 0.0001,
        "schools_share": 0.0,
    },
)
STRATUM = _columns(
    """
    province_code | text | code of the province
    province_name | text | name of the province
    area | text | urban, rural
    sector | text | public, private, people_founded
    n_schools | whole | open schools of the stratum
    n_students | whole | their pupils
    """,
    {
        "province_code": "01",
        "province_name": "Hà Nội",
        "area": "rural",
        "sector": "public",
        "n_schools": 400,
        "n_students": 240_000,
    },
)
TABLES: dict[str, tuple[Column, ...]] = {
    "school": SCHOOL,
    "closed": CLOSED,
    "enrolment": ENROLMENT,
    "site": SITE,
    "roster": ROSTER,
    "province": PROVINCE,
    "stratum": STRATUM,
}
ROW_KEYS = {
    "school": (),
    "closed": (),
    "enrolment": ("grade",),
    "site": ("site_code",),
    "roster": ("grade",),
    "province": ("part", "school_year"),
    "stratum": ("area", "sector"),
}
"""The columns that name a row within its school or province."""
SCORED = ("school", "enrolment", "site", "roster")
"""The tables whose rules enter the score of a school."""
OF_A_SCHOOL = (*SCORED, "closed")


def schema(entity: str) -> dict[str, Any]:
    """Give the polars types of a wide table."""
    return {column.name: TYPES[column.kind] for column in TABLES[entity]}


def kinds(entity: str) -> dict[str, str]:
    """Give the type words of a wide table by column."""
    return {column.name: column.kind for column in TABLES[entity]}


def good_row(entity: str, **changes: Any) -> dict[str, Any]:
    """Give a row without fault, with changes."""
    unknown = sorted(set(changes) - {column.name for column in TABLES[entity]})
    if unknown:
        raise KeyError(unknown[0])
    return {column.name: column.good for column in TABLES[entity]} | changes


def frame_of(entity: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Make a wide table of whole rows."""
    return pl.DataFrame(rows, schema=schema(entity), strict=False)


TITLES = {
    "school": "one row per open school",
    "closed": "one row per closed school that has counts of the expected school year",
    "enrolment": "one row per open school and grade that its levels ask for or that it reports",
    "site": "one row per open site of an open school",
    "roster": "one row per open school and grade that has class lists in the checked year",
    "province": "one row per official total of a province",
    "stratum": "one row per province, area and sector that has open schools",
}


def columns_page() -> str:
    """Write the page of the wide tables."""
    lines = [
        "# The wide tables of the rules",
        "",
        "Written from `src/dienrong/scorecard/numeric/tables.py`; a test keeps both equal. `where` and `applies` of a rule are SQL",
        "expressions over the columns of its entity. Types: text, whole (number), number, share (1 is 100 %), date, yes_no. A cell that",
        "is not known is NULL; text that was left empty is NULL too.",
    ]
    for entity, columns in TABLES.items():
        key = ", ".join(f"`{name}`" for name in ROW_KEYS[entity])
        within = "school" if entity in OF_A_SCHOOL else "province"
        lines += ["", f"## {entity}", "", TITLES[entity][0].upper() + TITLES[entity][1:] + "."]
        if key:
            lines[-1] += f" Within its {within} a row is named by {key}."
        lines += ["", "| column | type | meaning |", "|---|---|---|"]
        lines += [f"| `{column.name}` | {column.kind} | {column.meaning} |" for column in columns]
    return "\n".join(lines) + "\n"
