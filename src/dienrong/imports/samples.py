"""Sample files of the demonstration, made from the schools at hand, a few mistakes planted among them."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings

from dienrong.accounts.permissions import Scope, scope_of
from dienrong.imports import files, queries
from dienrong.imports.columns import Target, Words, target_of
from dienrong.registry import queries as registry

N_SCHOOLS = 12
N_STUDENTS = 60
Row = dict[str, Any]

TITLES = {
    "mau-truong": ("truong", Words("Tệp mẫu: trường học", "Sample: schools")),
    "mau-quy-mo": ("quy-mo", Words("Tệp mẫu: quy mô học sinh, lớp", "Sample: enrolments")),
    "mau-hoc-sinh": ("hoc-sinh", Words("Tệp mẫu: học sinh", "Sample: students")),
}
FAMILIES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Đặng", "Bùi", "Giàng", "Lò", "Hồ")
MIDDLES = {"male": ("Văn", "Minh", "Quốc", "Đức"), "female": ("Thị", "Ngọc", "Thu", "Khánh")}
GIVENS = {
    "male": ("An", "Bình", "Cường", "Dũng", "Huy", "Khoa", "Nam", "Páo", "Quân", "Sơn"),
    "female": ("Anh", "Chi", "Dung", "Hà", "Hòa", "Lan", "Mai", "Ngân", "Thủy", "Yến"),
}


def offered(user: Any, target: Target | None = None) -> list[dict[str, str]]:
    """List the sample files that a person may download; none outside a demonstration."""
    if not settings.OPTIONS.demo:
        return []
    codes = {found.code for found in queries.targets_for(user)}
    return [
        {"name": name, "title": str(title), "code": code}
        for name, (code, title) in TITLES.items()
        if code in codes and (target is None or target.code == code)
    ]


def sample_file(user: Any, name: str) -> bytes | None:
    """Make one sample file for the schools of a person; None where there is none."""
    if name not in {sample["name"] for sample in offered(user)}:
        return None
    return made(name, scope_of(user))


def made(name: str, scope: Scope) -> bytes:
    """Make a sample file from the schools of a scope."""
    code, _title = TITLES[name]
    schools = list(registry.schools_in(scope).order_by("school_id")[:N_SCHOOLS])
    return files.table_of(target_of(code), MAKERS[name](schools))


def _schools(schools: list[Any]) -> list[Row]:
    """Change a few telephones, and plant mistakes."""
    rows: list[Row] = []
    for place, school in enumerate(schools):
        rows.append(
            {
                "school_id": school.school_id,
                "name": school.name,
                "levels": school.levels,
                "commune_code": school.commune.code,
                "sector": school.sector,
                "phone": f"02{40_000_000 + 137 * place:08d}",
                "address": f"Số {place + 3}, {school.commune.full_name}",
            }
        )
    for place, (column, mistake) in enumerate(
        [("commune_code", "99999"), ("sector", "Bán công"), ("founded_date", "31/02/1990")], start=1
    ):
        if place < len(rows):
            rows[place][column] = mistake
    for row in rows[5:8]:  # what is put right by itself
        row["commune_code"] = row["commune_code"].lstrip("0")
        row["name"] = unicodedata.normalize("NFD", row["name"]).replace(" ", "\u00a0", 1)
    return rows


def _enrolments(schools: list[Any]) -> list[Row]:
    """Give the counts at hand with a pupil more here and there, and plant mistakes."""
    rows: list[Row] = []
    for school in schools:
        rows += [
            {
                "school_id": school.school_id,
                "grade": str(row.grade),
                "n_students": row.n_students + (2 if len(rows) % 3 == 0 else 0),
                "n_classes": row.n_classes,
            }
            for row in _newest_year(school)
        ]
    if len(rows) > 4:
        rows[1]["n_students"] = "một trăm"
        rows[2]["school_id"] = "99999999"
        rows.append(dict(rows[0]))
    return rows


def _newest_year(school: Any) -> list[Any]:
    """Give the counts of the newest school year of a school, by grade."""
    counts = list(school.enrolments.all())
    newest = max((row.school_year for row in counts), default="")
    return [row for row in counts if row.school_year == newest]


def _students(schools: list[Any]) -> list[Row]:
    """Invent pupils of the first schools, and plant mistakes."""
    rows: list[Row] = []
    grades = [(school, row.grade) for school in schools[:4] for row in _newest_year(school) if row.n_students]
    for place in range(N_STUDENTS if grades else 0):
        school, grade = grades[place % len(grades)]
        sex = "female" if place % 2 else "male"
        name = (FAMILIES[place % 12], MIDDLES[sex][place % 4], GIVENS[sex][(place * 7) % 10])
        rows.append(
            {
                "school_id": school.school_id,
                "student_code": f"{9_100_000_000 + place:010d}",
                "full_name": " ".join(name),
                "birth_date": dt.date(2021 - int(grade), 1 + place % 12, 1 + place % 28).isoformat(),
                "sex": sex,
                "ethnicity": "01" if place % 5 else "08",
                "grade": str(grade),
                "class_name": f"{grade}A{1 + place % 2}",
                "status": "studying",
            }
        )
    if len(rows) > 12:
        rows[3]["birth_date"] = "31/02/2015"
        rows[5]["student_code"] = "12345"
        rows[7]["sex"] = "Khác"
        rows[11]["birth_date"] = "5/9/15"
        rows[12]["full_name"] = f" {rows[12]['full_name']}  "
        rows[9] = dict(rows[8])
    return rows


MAKERS: Mapping[str, Callable[[list[Any]], list[Row]]] = {
    "mau-truong": _schools,
    "mau-quy-mo": _enrolments,
    "mau-hoc-sinh": _students,
}
