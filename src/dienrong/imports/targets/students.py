"""Students: the class list of a school year, with the screen fields of the sector database."""

from __future__ import annotations

from typing import Any

from dienrong.accounts.permissions import Scope
from dienrong.imports.columns import SCHOOL_YEAR, Column, Target, Values, Words, register
from dienrong.imports.targets import lists
from dienrong.imports.targets.enrolments import with_grade_as_number
from dienrong.rosters import operations, queries
from dienrong.rosters.models import PersonKind

PERSONAL_ID = Column(
    code="personal_id",
    title=Words("Số định danh cá nhân", "Personal number"),
    guide=Words("12 chữ số; để trống nếu chưa có", "Twelve digits; leave empty if there is none"),
    aliases=(
        "SO_DINH_DANH",
        "SO_DDCN",
        "Số định danh",
        "Số ĐDCN",
        "CCCD",
        "Số CCCD",
        "Mã định danh công dân",
    ),
    kind="code",
    width=12,
    sample="001215000123",
)
FULL_NAME = Column(
    code="full_name",
    title=Words("Họ và tên", "Full name"),
    guide=Words("Như trên giấy khai sinh", "As on the birth certificate"),
    aliases=("HO_TEN", "HO_VA_TEN", "Họ tên", "Họ tên học sinh", "Tên học sinh", "Họ và tên học sinh"),
    is_required=True,
    max_length=150,
    sample="Nguyễn Thị Ví Dụ",
)
BIRTH_DATE = Column(
    code="birth_date",
    title=Words("Ngày sinh", "Date of birth"),
    guide=Words("ngày/tháng/năm", "day/month/year"),
    aliases=("NGAY_SINH", "Ngày tháng năm sinh", "Sinh ngày", "NTNS"),
    is_required=True,
    kind="date",
    sample="05/09/2015",
)
SEX = Column(
    code="sex",
    title=Words("Giới tính", "Sex"),
    guide=Words("Nam hoặc Nữ", "Male or female"),
    aliases=("GIOI_TINH", "Giới", "Nam/Nữ", "Phái"),
    is_required=True,
    kind="choice",
    choices=lists.SEXES,
    sample="Nữ",
)
COLUMNS = (
    lists.SCHOOL_ID,
    Column(
        code="student_code",
        title=Words("Mã học sinh", "Pupil code"),
        guide=Words("10 chữ số của CSDL ngành", "Ten digits of the sector database"),
        aliases=("MA_HOC_SINH", "MA_HS", "Mã HS", "Mã định danh", "Mã định danh học sinh", "MA_DINH_DANH"),
        is_required=True,
        kind="code",
        width=10,
        sample="0100000001",
    ),
    PERSONAL_ID,
    FULL_NAME,
    BIRTH_DATE,
    SEX,
    Column(
        code="ethnicity",
        title=Words("Dân tộc", "Ethnicity"),
        guide=Words("Chọn trong danh sách 54 dân tộc", "Choose from the list of 54 peoples"),
        aliases=("DAN_TOC", "MA_DAN_TOC", "Thành phần dân tộc"),
        kind="choice",
        choices=lists.ETHNICITIES,
        sample="Kinh",
    ),
    lists.GRADE,
    Column(
        code="class_name",
        title=Words("Lớp", "Class"),
        guide=Words("Ví dụ 5A1", "Such as 5A1"),
        aliases=("LOP", "TEN_LOP", "Tên lớp", "Lớp học"),
        is_required=True,
        max_length=30,
        sample="5A",
    ),
    Column(
        code="status",
        title=Words("Trạng thái", "Status"),
        guide=Words("Đang học, Chuyển đi, Bỏ học", "Studying, moved, dropped out"),
        aliases=("TRANG_THAI", "Trạng thái học sinh", "Tình trạng"),
        kind="choice",
        choices=lists.STATUSES,
        sample="Đang học",
    ),
    Column(
        code="has_special_needs",
        title=Words("Khuyết tật", "Special needs"),
        guide=Words("Có hoặc Không", "Yes or no"),
        aliases=("KHUYET_TAT", "Học sinh khuyết tật", "Hòa nhập"),
        kind="yes_no",
        sample="Không",
    ),
)


def compare(rows: Any, scope: Scope, params: Values, *, seen: dict[str, int] | None = None) -> Any:
    """Compare rows with the rosters."""
    return queries.compare_students(rows, scope=scope, school_year=params["school_year"], seen=seen)


def write(changes: Any, by: Any, params: Values) -> Any:
    """Write students."""
    return operations.write_students(changes, by=by, school_year=params["school_year"])


def undo(written: Any, by: Any, _params: Values) -> Any:
    """Take written students back."""
    return operations.undo_students(written, by=by)


def export_people(by: Any, asked: Values) -> Any:
    """Give the pupils of a year as rows of the template."""
    return operations.export_roster(kind=PersonKind.STUDENT, by=by, **asked)


STUDENTS = register(
    Target(
        code="hoc-sinh",
        title=Words("Học sinh", "Students"),
        lead=Words(
            "Danh sách học sinh theo lớp của một năm học. Tệp và dữ liệu cá nhân được niêm phong.",
            "The class lists of a school year. File and personal data are sealed.",
        ),
        columns=COLUMNS,
        key=("student_code",),
        compare=compare,
        write=write,
        undo=undo,
        export_people=export_people,
        remembers=True,
        spread=with_grade_as_number,
        parameters=(SCHOOL_YEAR,),
        permissions=("change_rosters",),
        is_personal=True,
        order=40,
    )
)
