"""Official totals as a kind of row that can be imported; registered with the room of imports."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from dienrong.accounts.permissions import Scope
from dienrong.imports.columns import SCHOOL_YEAR, Choice, Column, Parameter, Target, Values, Words, register
from dienrong.imports.targets import lists
from dienrong.scorecard.operations.totals import undo_totals, write_totals
from dienrong.scorecard.queries.schools import totals_in
from dienrong.scorecard.queries.totals import compare_totals, total_values

LEVELS = tuple(choice for choice in lists.LEVELS if choice.code in ("MN", "TH", "THCS", "THPT", "GDTX"))
GRADES = tuple(choice for choice in lists.GRADE_WORDS if choice.code != "0")
# "1" is grade 1 here and the primary level in lists of schools; a level is written by its name.
PARTS = (
    *(
        Choice(
            code=level.code,
            label=level.label,
            others=tuple(word for word in level.others if not word[:1].isdigit()),
        )
        for level in LEVELS
    ),
    *GRADES,
)
SOURCE = Parameter(
    code="source",
    title=Words("Nguồn số liệu", "Source of the figures"),
    guide=Words("Ví dụ: Niên giám thống kê 2026, bảng 12.", "Such as Statistical Yearbook 2026, table 12."),
    kind="text",
)
COLUMNS = (
    Column(
        code="province_code",
        title=Words("Mã tỉnh/thành phố", "Province code"),
        guide=Words("Mã 2 chữ số", "Two digits"),
        aliases=("MA_TINH", "Mã tỉnh", "Mã tỉnh thành", "Mã TP"),
        is_required=True,
        kind="code",
        width=2,
        sample="01",
    ),
    Column(
        code="part",
        title=Words("Cấp học hoặc khối", "Level or grade"),
        guide=Words("Ví dụ Tiểu học, hoặc Khối 5", "Such as Primary, or Grade 5"),
        aliases=("CAP_HOC", "Cấp học", "Cấp", "Khối", "Khối lớp"),
        is_required=True,
        kind="choice",
        choices=PARTS,
        sample="Tiểu học",
    ),
    dataclasses.replace(
        lists.N_STUDENTS,
        is_required=True,
        high=100_000_000,
        guide=Words("Tổng số học sinh của tỉnh", "All pupils of the province"),
        sample="812345",
    ),
    Column(
        code="n_schools",
        title=Words("Số trường", "Schools"),
        guide=Words("Để trống nếu không biết", "Empty if not known"),
        aliases=("SO_TRUONG", "Tổng số trường", "Trường"),
        kind="integer",
        low=0,
        high=1_000_000,
        sample="742",
    ),
)


def compare(rows: Any, scope: Scope, params: Values) -> Any:
    """Compare rows with the official totals."""
    return compare_totals(rows, scope=scope, school_year=params["school_year"])


def write(changes: Any, by: Any, params: Values) -> Any:
    """Write official totals."""
    return write_totals(changes, by=by, school_year=params["school_year"], source=params["source"])


def undo(written: Any, by: Any, _params: Values) -> Any:
    """Take written totals back."""
    return undo_totals(written, by=by)


def export(scope: Scope, params: Values) -> Iterator[Mapping[str, Any]]:
    """Give the totals of a scope and year as rows of the template."""
    for total in totals_in(scope, school_year=params["school_year"]):
        yield total_values(total)


TOTALS = register(
    Target(
        code="so-chinh-thuc",
        title=Words("Số liệu chính thức của tỉnh", "Official totals of provinces"),
        lead=Words(
            "Số trường và học sinh theo thống kê chính thức, để đối chiếu với danh sách. Mỗi dòng một cấp học hoặc khối.",
            "Schools and pupils by official statistics, against which lists are held. A row for each level or grade.",
        ),
        columns=COLUMNS,
        key=("province_code", "part"),
        compare=compare,
        write=write,
        undo=undo,
        export=export,
        parameters=(SCHOOL_YEAR, SOURCE),
        permissions=("change_schools",),
        order=70,
    )
)
