"""What comes in as Excel: answers of schools, groups of machines. They register themselves with the imports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from dienrong.accounts.permissions import Scope
from dienrong.cycles.queries import current_cycle
from dienrong.imports.columns import Choice, Column, Target, Values, Words, register
from dienrong.imports.numeric.cells import Kind
from dienrong.imports.targets import lists
from dienrong.readiness import operations
from dienrong.readiness.form_file import Question
from dienrong.readiness.models import Answer, MachineGroup, Survey
from dienrong.readiness.operations.surveys import BOUNDS
from dienrong.readiness.queries import comparing
from dienrong.registry.queries import within

KINDS: dict[str, Kind] = {"integer": "integer", "choice": "choice", "yes_no": "yes_no", "text": "text"}
SCHOOL_NAME = Column(
    code="school_name",
    title=Words("Tên trường", "Name of the school"),
    guide=Words("Để dễ nhận ra, không nhập vào hệ thống", "To know the row by; not taken in"),
    aliases=("TEN_TRUONG",),
    sample="Trường TH Hòa Bình",
)


def _column(question: Question) -> Column:
    """Make the column of a question."""
    samples = {"integer": "1", "yes_no": "Có", "text": ""}
    return Column(
        code=question.code,
        title=Words(*question.short),
        guide=Words(*question.text),
        aliases=question.aliases,
        kind=KINDS[question.kind],
        low=question.low,
        high=question.high,
        max_length=600,
        choices=tuple(Choice(code=code, label=Words(vi, en)) for code, vi, en in question.choices),
        sample=samples.get(question.kind) or (question.choices[0][1] if question.choices else ""),
    )


def compare_surveys(rows: Any, scope: Scope, _params: Values, *, seen: dict[str, int] | None = None) -> Any:
    """Compare rows with the surveys of the current cycle."""
    return [one.change() for one in comparing.plan_surveys(rows, scope=scope, seen=seen)]


def compare_groups(rows: Any, scope: Scope, _params: Values, *, seen: dict[str, int] | None = None) -> Any:
    """Compare rows with the groups of machines of the current cycle."""
    return [one.change() for one in comparing.plan_groups(rows, scope=scope, seen=seen)]


def _open_surveys(scope: Scope) -> list[Survey]:
    """List the surveys of the current cycle in a scope, by name of the school."""
    found = Survey.objects.filter(within(scope, "school__"), cycle=current_cycle())
    return list(found.select_related("school").order_by("school__sort_key", "school__school_id"))


def export_surveys(scope: Scope, _params: Values) -> Iterator[Mapping[str, Any]]:
    """Give every school that is asked with its answers so far: the file to be filled in without a network."""
    surveys = _open_surveys(scope)
    kept: dict[int, dict[str, str]] = defaultdict(dict)
    rows = Answer.objects.filter(survey__cycle=current_cycle()).values_list("survey_id", "question", "value")
    for key, question, value in rows.iterator(chunk_size=5000):
        kept[key][question] = value
    for survey in surveys:
        yield {
            "school_id": survey.school.school_id,
            "school_name": survey.school.name,
            **{one.code: _cell(one, kept[survey.pk].get(one.code, "")) for one in comparing.QUESTIONS},
            "hand_in": None,
        }


def _cell(question: Question, value: str) -> Any:
    """Give an answer as a cell."""
    if question.kind == "integer":
        return int(value) if value else None
    if question.kind == "yes_no":
        return {"yes": True, "no": False}.get(value)
    return value


def export_groups(scope: Scope, _params: Values) -> Iterator[Mapping[str, Any]]:
    """Give the groups of machines; a school that has none yet gets an empty first row."""
    groups: dict[int, list[MachineGroup]] = defaultdict(list)
    for group in MachineGroup.objects.filter(survey__cycle=current_cycle()).order_by("position"):
        groups[group.survey_id].append(group)
    for survey in _open_surveys(scope):
        head = {"school_id": survey.school.school_id, "school_name": survey.school.name}
        for group in groups[survey.pk]:
            yield head | {
                name: value for name, value in comparing.group_values(group).items() if name != "survey"
            }
        if not groups[survey.pk]:
            yield head | {"position": 1}


SURVEYS = register(
    Target(
        code="khao-sat-phong-may",
        title=Words("Khảo sát phòng máy, thiết bị", "Survey of facilities"),
        lead=Words(
            "Câu trả lời của các trường trong kỳ hiện tại, mỗi trường một dòng. Ô trống không thay đổi gì.",
            "Answers of the schools in the current cycle, a row each. An empty cell changes nothing.",
        ),
        columns=(
            lists.SCHOOL_ID,
            SCHOOL_NAME,
            *(_column(one) for one in comparing.QUESTIONS),
            Column(
                code="hand_in",
                title=Words("Nộp phiếu", "Hand in"),
                guide=Words("Ghi Có khi phiếu đã đủ", "Write Yes when the survey is complete"),
                aliases=("NOP_PHIEU",),
                kind="yes_no",
                sample="Có",
            ),
        ),
        key=("school_id",),
        compare=compare_surveys,
        write=lambda changes, by, _params: operations.write_surveys(changes, by=by),
        undo=lambda written, by, _params: operations.undo_surveys(written, by=by),
        export=export_surveys,
        remembers=True,
        permissions=("answer_readiness",),
        order=64,
    )
)


def _choices(known: Any, others: Mapping[str, tuple[str, str]]) -> tuple[Choice, ...]:
    """Make the code list of a column of groups."""
    return tuple(
        Choice(code=code, label=Words(*others.get(code, (str(label), str(label)))))
        for code, label in known.choices
    )


def _number(name: str, title: Words, guide: Words, aliases: tuple[str, ...], sample: str) -> Column:
    """Make a column of a number of a group."""
    low, high = BOUNDS[name]
    return Column(
        code=name, title=title, guide=guide, aliases=aliases, is_needed_when_new=True, kind="integer",
        low=low, high=high, sample=sample,
    )  # fmt: skip


GROUPS = register(
    Target(
        code="nhom-may",
        title=Words("Nhóm máy tính của trường", "Groups of machines"),
        lead=Words(
            "Các máy giống nhau của một trường ghi một dòng; số thứ tự nhóm phân biệt các dòng của trường.",
            "Machines of a school that are alike are a row; the number of the group tells its rows apart.",
        ),
        columns=(
            lists.SCHOOL_ID,
            SCHOOL_NAME,
            Column(
                code="position",
                title=Words("Nhóm số", "Group number"),
                guide=Words("1, 2, 3… trong từng trường", "1, 2, 3… within a school"),
                aliases=("NHOM_SO", "Nhóm"),
                is_required=True,
                kind="integer",
                low=1,
                high=30,
                sample="1",
            ),
            Column(
                code="kind",
                title=Words("Loại máy", "Which machines"),
                guide=Words("Chọn trong danh sách", "Choose from the list"),
                aliases=("LOAI_MAY",),
                is_needed_when_new=True,
                kind="choice",
                choices=_choices(
                    MachineGroup.Kind,
                    {
                        "desktop": ("Máy tính để bàn", "Desktop computers"),
                        "laptop": ("Máy tính xách tay", "Laptops"),
                        "tablet": ("Máy tính bảng", "Tablets"),
                    },
                ),
                sample="Máy tính để bàn",
            ),
            _number(
                "n_working", Words("Số máy dùng được", "Machines that work"),
                Words("Máy bật lên và dùng được", "Machines that start and work"), ("SO_MAY",), "20",
            ),
            _number(
                "year_bought", Words("Năm mua", "Year bought"), Words("Năm đưa vào dùng", "Year of first use"),
                ("NAM_MUA",), "2019",
            ),
            _number(
                "memory_gb", Words("RAM, GB", "Memory, GB"), Words("Số nguyên", "A whole number"), ("RAM",), "4",
            ),
            _number(
                "screen_width", Words("Màn hình rộng", "Screen width"), Words("Điểm ảnh, ví dụ 1366", "Points, such as 1366"),
                ("MAN_HINH_RONG",), "1366",
            ),
            _number(
                "screen_height", Words("Màn hình cao", "Screen height"), Words("Điểm ảnh, ví dụ 768", "Points, such as 768"),
                ("MAN_HINH_CAO",), "768",
            ),
            Column(
                code="system",
                title=Words("Hệ điều hành", "System"),
                guide=Words("Chọn trong danh sách", "Choose from the list"),
                aliases=("HE_DIEU_HANH",),
                is_needed_when_new=True,
                kind="choice",
                choices=_choices(MachineGroup.System, {"other": ("Hệ điều hành khác", "Another system")}),
                sample="Windows 10",
            ),
            Column(
                code="browser",
                title=Words("Trình duyệt", "Browser"),
                guide=Words("Chọn trong danh sách", "Choose from the list"),
                aliases=("TRINH_DUYET",),
                is_needed_when_new=True,
                kind="choice",
                choices=_choices(MachineGroup.Browser, {"other": ("Trình duyệt khác", "Another browser")}),
                sample="Chrome, Edge, Cốc Cốc",
            ),
            _number(
                "browser_version", Words("Phiên bản trình duyệt", "Version of the browser"),
                Words("Số chính, ví dụ 109", "The main number, such as 109"), ("PHIEN_BAN",), "109",
            ),
        ),
        key=("school_id", "position"),
        compare=compare_groups,
        write=lambda changes, by, _params: operations.write_groups(changes, by=by),
        undo=lambda written, by, _params: operations.undo_groups(written, by=by),
        export=export_groups,
        remembers=True,
        permissions=("answer_readiness",),
        order=65,
    )
)  # fmt: skip
