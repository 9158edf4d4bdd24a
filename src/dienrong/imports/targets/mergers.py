"""Lines of a batch of mergers: what is taken is a draft, which its own page previews and applies."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from dienrong.accounts.permissions import Scope, scope_of
from dienrong.core import clock
from dienrong.core.refusals import Refusal
from dienrong.core.row_changes import CellProblem, RowChange, Written
from dienrong.imports.columns import Choice, Column, Parameter, Target, Values, Words, register
from dienrong.imports.targets import lists
from dienrong.imports.targets.schools import as_date
from dienrong.registry import operations, queries
from dienrong.registry.models import AdministrativeUnit

KINDS = (
    Choice(code="merge", label=Words("Sáp nhập", "Merge"), others=("Hợp nhất", "Nhập", "SN")),
    Choice(code="split", label=Words("Chia tách", "Split"), others=("Tách", "Chia")),
    Choice(code="open", label=Words("Thành lập", "Open"), others=("Thành lập mới", "Mở mới", "TL")),
    Choice(code="close", label=Words("Giải thể", "Close"), others=("Đóng", "GT")),
    Choice(code="rename", label=Words("Đổi tên", "Rename")),
    Choice(code="recode", label=Words("Đổi mã", "New code")),
)
COLUMNS = (
    Column(
        code="line_number",
        title=Words("STT", "Line"),
        guide=Words("Số thứ tự, mỗi dòng một số", "A number of its own for each line"),
        aliases=("Số thứ tự", "TT", "Dòng"),
        is_required=True,
        kind="integer",
        low=1,
        high=9_999,
        sample="1",
    ),
    Column(
        code="kind",
        title=Words("Việc", "What happens"),
        guide=Words(
            "Sáp nhập, Thành lập, Giải thể, Đổi tên, Đổi mã; chia tách ghi trên trang Sáp nhập",
            "Merge, open, close, rename, new code; splits are written on the page of mergers",
        ),
        aliases=("Hình thức", "Loại", "Phương án"),
        is_required=True,
        kind="choice",
        choices=KINDS,
        sample="Sáp nhập",
    ),
    Column(
        code="predecessor_codes",
        title=Words("Mã các trường trước", "Codes before"),
        guide=Words(
            "Cách nhau bằng dấu phẩy; thành lập thì để trống", "Separated by commas; empty for an opening"
        ),
        aliases=("Mã trường cũ", "Trường trước sáp nhập", "Mã các trường sáp nhập"),
        sample="01000001, 01000002",
    ),
    Column(
        code="successor_code",
        title=Words("Mã trường sau", "Code afterwards"),
        guide=Words("Mã của trường còn lại hoặc mã mới", "Code of the school that stays, or a new one"),
        aliases=("Mã trường mới", "Mã trường sau sáp nhập"),
        kind="code",
        width=8,
        is_opaque=True,
        max_length=20,
        sample="01000001",
    ),
    Column(
        code="successor_name",
        title=Words("Tên trường sau", "Name afterwards"),
        guide=Words("Bắt buộc với trường mới và khi đổi tên", "Needed of new schools and renamings"),
        aliases=("Tên trường mới", "Tên trường sau sáp nhập"),
        max_length=200,
        sample="Trường TH và THCS Hòa Bình",
    ),
    dataclasses.replace(
        lists.COMMUNE,
        guide=Words(
            "Để trống: theo trường thứ nhất; bắt buộc khi thành lập",
            "Empty: that of the first school; needed of an opening",
        ),
    ),
    Column(
        code="levels",
        title=Words("Cấp học", "Levels"),
        guide=Words("Chỉ ghi khi thành lập: MN, TH, THCS, THPT, GDTX", "For openings alone"),
        aliases=("CAP_HOC", "NHOM_CAP_HOC", "Cấp", "Bậc học"),
        kind="choices",
        choices=lists.LEVELS,
        sample="Tiểu học",
    ),
)


class ProvinceUnknown(Refusal):
    """The batch's province is not known or not the person's."""

    code = "imports.province_unknown"


def parameter(code: str, vi: str, en: str, kind: Any = "text", guide: Words | None = None) -> Parameter:
    """Make a parameter of a batch."""
    return Parameter(code=code, title=Words(vi, en), guide=guide or Words("", ""), kind=kind)


PARAMETERS = (
    parameter("title", "Tên đợt", "Title of the batch"),
    parameter("decision_number", "Số quyết định", "Number of the decision"),
    parameter("decision_date", "Ngày quyết định", "Date of the decision", "date"),
    parameter("effective_date", "Có hiệu lực từ", "In force from", "date"),
    parameter(
        "province_code", "Mã tỉnh/thành phố", "Province code", guide=Words("Mã 2 chữ số", "Two digits")
    ),
)


def compare(rows: Any, scope: Scope, params: Values) -> list[RowChange]:
    """Say of every line whether it can be applied; every sound line is new."""
    day = as_date(params["effective_date"])
    plan = queries.preview_lines(
        _province(scope, params), [_line(values) for _number, values in rows], on_date=day
    )
    problems: dict[int, list[CellProblem]] = {}
    for found in plan.problems:
        problems.setdefault(found.line_number, []).append(
            CellProblem(column="", value="", sentence=found.sentence, hint=found.hint)
        )
    return [
        RowChange(
            number=number,
            key=str(values["line_number"]),
            verdict="refused" if values["line_number"] in problems else "new",
            values=values,
            changes={}
            if values["line_number"] in problems
            else {name: (None, cell) for name, cell in values.items()},
            problems=tuple(problems.get(values["line_number"], ())),
        )
        for number, values in rows
    ]


def write(changes: Any, by: Any, params: Values) -> list[Written]:
    """Write the lines down as a draft."""
    province = _province(scope_of(by), params)
    batch = operations.plan_batch(
        province,
        [_line(change.values) for change in changes],
        title=params["title"],
        decision_number=params["decision_number"],
        decision_date=as_date(params["decision_date"]),
        effective_date=as_date(params["effective_date"]),
        by=by,
    )
    return [
        Written(number=change.number, key=change.key, before=None, after={"batch": batch.pk})
        for change in changes
    ]


def undo(written: Any, by: Any, params: Values) -> None:
    """Throw the draft away; one that was applied is taken back on its own page first."""
    for key in sorted({row.after["batch"] for row in written}):
        batch = queries.batch_by_key(key)
        if batch is not None:
            operations.remove_batch(batch=batch, by=by)


def _line(values: Mapping[str, Any]) -> queries.Line:
    """Make a line of a row."""
    codes = str(values.get("predecessor_codes") or "").replace(";", ",").split(",")
    return queries.Line(
        line_number=int(values["line_number"]),
        kind=values["kind"],
        predecessor_codes=tuple(code.strip() for code in codes if code.strip()),
        successor_code=values.get("successor_code") or "",
        successor_name=values.get("successor_name") or "",
        commune_code=values.get("commune_code") or "",
        levels=values.get("levels") or "",
    )


def _province(scope: Scope, params: Values) -> AdministrativeUnit:
    """Find the province of a batch among those of the person."""
    code = str(params["province_code"]).zfill(2)
    found = next((unit for unit in queries.provinces_in(scope, clock.today()) if unit.code == code), None)
    if found is None:
        raise ProvinceUnknown(
            _("No province in your charge has code %(code)s.") % {"code": code},
            hint=_("Please send the file in again with the code of your province."),
        )
    return found


MERGERS = register(
    Target(
        code="sap-nhap",
        title=Words("Đợt sáp nhập trường", "Batch of school mergers"),
        lead=Words(
            "Các dòng sáp nhập, thành lập, giải thể, đổi tên của một quyết định. Ghi nhận thành bản nháp; áp dụng ở trang Sáp nhập.",
            "Mergers, openings, closures and renamings of one decision. Taken as a draft; applied on the page of mergers.",
        ),
        columns=COLUMNS,
        key=("line_number",),
        compare=compare,
        write=write,
        undo=undo,
        parameters=PARAMETERS,
        permissions=("apply_mergers",),
        order=60,
    )
)
