"""The purposes that an installation begins with; their legal basis and periods are data, changed on a page."""

from __future__ import annotations

from typing import Any

from dienrong.rosters.models import PersonKind, Purpose

PURPOSES: dict[str, dict[str, Any]] = {
    PersonKind.STUDENT: {
        "code": "student-lists",
        "name_vi": "Lập danh sách học sinh để chọn mẫu và tổ chức khảo sát",
        "name_en": "Lists of pupils for drawing samples and running surveys",
        "basis": Purpose.Basis.STATUTORY_TASK,
        "basis_text": "Căn cứ Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15; Nghị định số 88/2026/NĐ-CP; "
        "Thông tư số 08/2026/TT-BGDĐT.",
        "data_categories": "Họ và tên; ngày sinh; giới tính; mã học sinh; số định danh cá nhân; dân tộc; "
        "trường, khối, lớp; nhu cầu hỗ trợ đặc biệt.",
        "retention_months": 24,
    },
    PersonKind.STAFF: {
        "code": "staff-lists",
        "name_vi": "Lập danh sách giáo viên, cán bộ quản lý để trả lời phiếu hỏi",
        "name_en": "Lists of teachers and managers who answer questionnaires",
        "basis": Purpose.Basis.STATUTORY_TASK,
        "basis_text": "Căn cứ Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15; Nghị định số 88/2026/NĐ-CP; "
        "Thông tư số 08/2026/TT-BGDĐT.",
        "data_categories": "Họ và tên; ngày sinh; giới tính; mã giáo viên; số định danh cá nhân; "
        "trường, chức vụ, môn dạy, khối dạy.",
        "retention_months": 24,
    },
}


def purpose_of_lists(kind: str) -> Purpose:
    """Give the purpose under which lists of a kind are kept; made where the installation has none yet."""
    found = PURPOSES[kind]
    rest = {name: value for name, value in found.items() if name != "code"}
    return Purpose.objects.get_or_create(code=found["code"], defaults={**rest, "kind": kind})[0]
