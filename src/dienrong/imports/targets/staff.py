"""Teachers and managers of schools."""

from __future__ import annotations

import dataclasses
from typing import Any

from dienrong.accounts.permissions import Scope
from dienrong.imports.columns import SCHOOL_YEAR, Choice, Column, Target, Values, Words, register
from dienrong.imports.targets import lists
from dienrong.imports.targets.students import BIRTH_DATE, FULL_NAME, PERSONAL_ID, SEX
from dienrong.rosters import operations, queries
from dienrong.rosters.models import PersonKind

ROLES = (
    Choice(code="teacher", label=Words("Giáo viên", "Teacher"), others=("GV", "Nhà giáo")),
    Choice(
        code="manager",
        label=Words("Cán bộ quản lý", "Manager"),
        others=("CBQL", "Hiệu trưởng", "Phó hiệu trưởng", "Quản lý"),
    ),
)
COLUMNS = (
    lists.SCHOOL_ID,
    Column(
        code="staff_code",
        title=Words("Mã giáo viên", "Staff code"),
        guide=Words("Mã trong CSDL ngành", "Code of the sector database"),
        aliases=("MA_GIAO_VIEN", "MA_GV", "Mã GV", "Mã định danh", "Mã cán bộ", "MA_CAN_BO"),
        is_required=True,
        kind="code",
        max_length=30,
        sample="0100000001",
    ),
    PERSONAL_ID,
    dataclasses.replace(FULL_NAME, aliases=("HO_TEN", "Họ tên", "Họ và tên giáo viên", "Tên giáo viên")),
    BIRTH_DATE,
    SEX,
    Column(
        code="role",
        title=Words("Nhóm", "Role"),
        guide=Words("Giáo viên hoặc Cán bộ quản lý", "Teacher or manager"),
        aliases=("VAI_TRO", "Loại cán bộ", "Nhóm cán bộ", "Vị trí"),
        is_required=True,
        kind="choice",
        choices=ROLES,
        sample="Giáo viên",
    ),
    Column(
        code="position",
        title=Words("Chức vụ", "Position"),
        guide=Words("Ví dụ Hiệu trưởng, Tổ trưởng", "Such as principal"),
        aliases=("CHUC_VU", "Chức danh"),
        max_length=100,
        sample="Tổ trưởng chuyên môn",
    ),
    Column(
        code="subjects",
        title=Words("Môn dạy", "Subjects"),
        guide=Words("Cách nhau bằng dấu phẩy", "Separated by commas"),
        aliases=("MON_DAY", "Môn", "Môn giảng dạy"),
        max_length=200,
        sample="Toán",
    ),
    Column(
        code="grades",
        title=Words("Khối dạy", "Grades"),
        guide=Words("Cách nhau bằng dấu phẩy, ví dụ 4, 5", "Separated by commas, such as 4, 5"),
        aliases=("KHOI_DAY", "Dạy khối"),
        max_length=60,
        sample="4, 5",
    ),
)


def compare(rows: Any, scope: Scope, params: Values, *, seen: dict[str, int] | None = None) -> Any:
    """Compare rows with the rosters."""
    return queries.compare_staff(rows, scope=scope, school_year=params["school_year"], seen=seen)


def write(changes: Any, by: Any, params: Values) -> Any:
    """Write teachers and managers."""
    return operations.write_staff(changes, by=by, school_year=params["school_year"])


def undo(written: Any, by: Any, _params: Values) -> Any:
    """Take written teachers and managers back."""
    return operations.undo_staff(written, by=by)


def export_people(by: Any, asked: Values) -> Any:
    """Give the teachers and managers of a year as rows of the template."""
    return operations.export_roster(kind=PersonKind.STAFF, by=by, **asked)


STAFF = register(
    Target(
        code="giao-vien",
        title=Words("Giáo viên, cán bộ quản lý", "Teachers and managers"),
        lead=Words(
            "Giáo viên và cán bộ quản lý của trường trong một năm học. Dữ liệu cá nhân được niêm phong.",
            "Teachers and managers of a school year. Personal data are sealed.",
        ),
        columns=COLUMNS,
        key=("staff_code",),
        compare=compare,
        write=write,
        undo=undo,
        export_people=export_people,
        remembers=True,
        parameters=(SCHOOL_YEAR,),
        permissions=("change_rosters",),
        is_personal=True,
        order=50,
    )
)
