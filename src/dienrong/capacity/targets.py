"""What comes in as Excel: people of the register, marks of a training. They register themselves with the imports."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from dienrong.accounts.permissions import Scope
from dienrong.capacity import operations
from dienrong.capacity.models import Level, Posting
from dienrong.capacity.queries import comparing, places
from dienrong.core import clock
from dienrong.imports.columns import ON_DATE, Choice, Column, Parameter, Target, Values, Words, register
from dienrong.imports.targets import lists
from dienrong.registry.queries import in_force

KINDS = (
    Choice(code="core_expert", label=Words("Cán bộ cốt cán", "Core expert"), others=("Cốt cán", "CBCC")),
    Choice(
        code="testing_staff",
        label=Words("Cán bộ khảo thí", "Testing staff"),
        others=("Khảo thí", "Chuyên viên khảo thí", "Cán bộ quản lý chất lượng"),
    ),
    Choice(
        code="manager",
        label=Words("Cán bộ quản lý giáo dục", "Education manager"),
        others=("CBQL", "Cán bộ quản lý", "Hiệu trưởng", "Phó hiệu trưởng"),
    ),
    Choice(code="teacher", label=Words("Giáo viên", "Teacher"), others=("GV", "Nhà giáo")),
    Choice(code="coder", label=Words("Cán bộ mã hóa", "Coder"), others=("Chấm, mã hóa", "Giám khảo")),
    Choice(
        code="test_administrator",
        label=Words("Cán bộ coi khảo sát", "Test administrator"),
        others=("Coi khảo sát", "Giám thị"),
    ),
    Choice(
        code="monitor",
        label=Words("Giám sát chất lượng", "Quality monitor"),
        others=("Giám sát", "Cán bộ giám sát"),
    ),
    Choice(code="data_entry", label=Words("Cán bộ nhập liệu", "Data entry staff"), others=("Nhập liệu",)),
    Choice(
        code="it_staff", label=Words("Cán bộ công nghệ thông tin", "IT staff"), others=("CNTT", "Kỹ thuật")
    ),
    Choice(
        code="external_assessor",
        label=Words("Chuyên gia đánh giá ngoài", "External assessor"),
        others=("Đánh giá ngoài",),
    ),
)
STAFF_CODE = Column(
    code="staff_code",
    title=Words("Mã cán bộ", "Staff code"),
    guide=Words("Mã trong CSDL ngành, dạng văn bản", "Code of the sector database, as text"),
    aliases=("MA_CAN_BO", "Mã giáo viên", "MA_GIAO_VIEN", "Mã định danh", "Mã CB"),
    is_required=True,
    kind="code",
    max_length=30,
    sample="9600000001",
)
FULL_NAME = Column(
    code="full_name",
    title=Words("Họ và tên", "Full name"),
    guide=Words("Có dấu, đủ họ và tên", "With marks, family and given name"),
    aliases=("HO_TEN", "Họ tên", "Họ và tên cán bộ"),
    is_required=True,
    max_length=120,
    sample="Nguyễn Thị An",
)
PEOPLE_COLUMNS = (
    STAFF_CODE,
    FULL_NAME,
    Column(
        code="birth_date",
        title=Words("Ngày sinh", "Day of birth"),
        guide=Words(
            "Chỉ cần khi in trên giấy chứng nhận; được niêm phong", "Needed on certificates alone; sealed"
        ),
        aliases=("NGAY_SINH", "Năm sinh"),
        kind="date",
        sample="05/09/1985",
    ),
    Column(
        code="kind",
        title=Words("Vị trí", "Post"),
        guide=Words("Chọn trong danh sách", "Choose from the list"),
        aliases=("VI_TRI", "Đội ngũ", "Vai trò", "Nhóm"),
        is_required=True,
        kind="choice",
        choices=KINDS,
        sample="Cán bộ cốt cán",
    ),
    Column(
        code="province_code",
        title=Words("Mã tỉnh", "Province code"),
        guide=Words("Khi làm việc tại Sở", "For posts at the provincial department"),
        aliases=("MA_TINH", "Mã tỉnh/thành phố"),
        kind="code",
        width=2,
        sample="96",
    ),
    dataclasses.replace(
        lists.COMMUNE,
        guide=Words("Khi làm việc tại UBND cấp xã", "For posts at the commune"),
        is_required=False,
        sample="",
    ),
    dataclasses.replace(
        lists.SCHOOL_ID,
        guide=Words(
            "Khi làm việc tại trường; ba cột để trống là Bộ",
            "For posts at a school; all three empty is the ministry",
        ),
        is_required=False,
        sample="",
    ),
    Column(
        code="title",
        title=Words("Chức vụ", "Position"),
        guide=Words("Ví dụ Chuyên viên phòng QLCL", "Such as specialist"),
        aliases=("CHUC_VU", "Chức danh"),
        max_length=100,
        sample="Chuyên viên",
    ),
    Column(
        code="decision",
        title=Words("Quyết định", "Decision"),
        guide=Words("Số, ngày quyết định cử hoặc bổ nhiệm", "Number and day of the decision"),
        aliases=("QUYET_DINH", "Số quyết định"),
        max_length=120,
        sample="12/QĐ-SGDĐT ngày 05/9/2026",
    ),
    Column(
        code="email",
        title=Words("Thư điện tử", "E-mail"),
        guide=Words("Có thể để trống", "May be empty"),
        aliases=("EMAIL", "Email"),
        max_length=120,
        sample="an.nt@example.vn",
    ),
    Column(
        code="phone",
        title=Words("Điện thoại", "Telephone"),
        guide=Words("Có thể để trống", "May be empty"),
        aliases=("DIEN_THOAI", "SĐT", "Số điện thoại"),
        kind="code",
        pads=False,
        max_length=30,
        sample="0912345678",
    ),
)


def compare_people(rows: Any, scope: Scope, params: Values, *, seen: dict[str, int] | None = None) -> Any:
    """Compare rows with the register."""
    return comparing.compare_people(rows, scope=scope, on_date=params["on_date"], seen=seen)


def write_people(changes: Any, by: Any, params: Values) -> Any:
    """Write people."""
    return operations.write_people(changes, by=by, on_date=params["on_date"])


def undo_people(written: Any, by: Any, _params: Values) -> Any:
    """Take written people back."""
    return operations.undo_people(written, by=by)


def export_people(scope: Scope, _params: Values) -> Iterator[Mapping[str, Any]]:
    """Give the people of a scope with their posts of today; days of birth stay sealed."""
    today = clock.today()
    posts = Posting.objects.filter(in_force(today)).filter(places.within(scope, today))
    ordered = posts.select_related("person", "unit", "school").order_by(
        "person__sort_key", "person__staff_code", "kind"
    )
    for post in ordered.iterator(chunk_size=2000):
        yield {
            "staff_code": post.person.staff_code,
            "full_name": post.person.full_name,
            "kind": post.kind,
            "province_code": post.unit.code if post.unit and post.level == Level.PROVINCE else "",
            "commune_code": post.unit.code if post.unit and post.level == Level.COMMUNE else "",
            "school_id": post.school.school_id if post.school else "",
            "title": post.title,
            "decision": post.decision,
            "email": post.person.email,
            "phone": post.person.phone,
        }


PEOPLE = register(
    Target(
        code="doi-ngu",
        title=Words("Đội ngũ làm công tác đánh giá", "People who carry assessments"),
        lead=Words(
            "Cán bộ cốt cán, khảo thí, quản lý, giáo viên, mã hóa, coi khảo sát, giám sát. Mỗi vị trí một dòng.",
            "Core experts, testing staff, managers, teachers, coders, administrators, monitors. A row for each post.",
        ),
        columns=PEOPLE_COLUMNS,
        key=("staff_code", "kind"),
        compare=compare_people,
        write=write_people,
        undo=undo_people,
        export=export_people,
        remembers=True,
        parameters=(ON_DATE,),
        permissions=("change_people",),
        is_personal=True,
        order=62,
    )
)
TRAINING = Parameter(
    code="training",
    title=Words("Mã đợt bồi dưỡng", "Code of the training"),
    guide=Words(
        "Ví dụ: BD-2026-01, xem trên trang của đợt.", "Such as BD-2026-01, on the page of the training."
    ),
    kind="text",
)


def compare_scores(rows: Any, scope: Scope, params: Values, *, seen: dict[str, int] | None = None) -> Any:
    """Compare marks with what is kept."""
    return comparing.compare_scores(rows, scope=scope, training_code=params["training"], seen=seen)


def write_scores(changes: Any, by: Any, params: Values) -> Any:
    """Write marks."""
    return operations.write_scores(changes, by=by, training_code=params["training"])


def undo_scores(written: Any, by: Any, params: Values) -> Any:
    """Take marks back."""
    return operations.undo_scores(written, by=by, training_code=params["training"])


SCORES = register(
    Target(
        code="ket-qua-boi-duong",
        title=Words("Kết quả kiểm tra của đợt bồi dưỡng", "Marks of a training"),
        lead=Words(
            "Điểm kiểm tra (thang 10) theo mã học viên. Tải danh sách có sẵn mã trên trang của đợt.",
            "Marks of ten by learner code. Download the list with the codes on the page of the training.",
        ),
        columns=(
            Column(
                code="learner_code",
                title=Words("Mã học viên", "Learner code"),
                guide=Words("Sáu ký tự trên danh sách của đợt", "Six characters on the list of the training"),
                aliases=("MA_HOC_VIEN", "Mã HV"),
                is_required=True,
                kind="text",
                max_length=12,
                sample="A2B3C4",
            ),
            dataclasses.replace(
                FULL_NAME, is_required=False, aliases=("HO_TEN", "Họ tên", "Họ và tên học viên")
            ),
            Column(
                code="score",
                title=Words("Điểm", "Mark"),
                guide=Words("Từ 0 đến 10, ví dụ 7,5", "From 0 to 10, such as 7.5"),
                aliases=("DIEM", "Điểm kiểm tra", "Kết quả"),
                is_required=True,
                kind="decimal",
                low=0,
                high=10,
                sample="7,5",
            ),
        ),
        key=("learner_code",),
        compare=compare_scores,
        write=write_scores,
        undo=undo_scores,
        remembers=True,
        parameters=(TRAINING,),
        permissions=("change_training",),
        is_personal=True,
        order=63,
    )
)
