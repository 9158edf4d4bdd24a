"""What the reporting room shows in the demonstration: a province's report being written, a press note released.

The words are made up and say so; the figures that they quote are those of the run.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

SHORTCOMINGS = "Lời minh họa: một số kết quả của tỉnh chưa như mong muốn, cụ thể như sau."
CAUSES = "Lời minh họa: Sở cùng các trường tìm hiểu nguyên nhân trước khi kết luận; riêng số liệu chưa đủ để kết luận."
FOLLOWS = (
    "Lời minh họa: Bộ Giáo dục và Đào tạo gửi kết quả đến các địa phương để các Sở phân tích nguyên nhân, đề xuất "
    "giải pháp phù hợp với điều kiện của địa phương."
)
MOST_QUOTED = 2


@transaction.atomic
def write_reports(*, run: Any, officer: Any, by: Any) -> bool:
    """Write half of a province's report and the ministry's part of the press note; tell whether it was new."""
    from dienrong.reporting import numeric, operations, queries
    from dienrong.reporting.queries import press, writing

    note = press.press_note_of(run.cycle)
    if note is None:
        operations.save_press_note(cycle=run.cycle, body=FOLLOWS, edition=0, by=by)
        operations.release_press_note(run=run, by=by)
    report = queries.readable_report(by, run.cycle)
    mine = sorted(writing.provinces_written_by(officer)) if officer is not None else []
    province = mine[0] if mine else ""
    if report is None or province not in numeric.provinces(report.source):
        return False
    if writing.text_of(run.cycle, province) is not None:
        return False
    _write(report, province, officer)
    return True


def _write(report: Any, province: str, officer: Any) -> None:
    """Write shortcomings with quoted figures, causes, and one row of work."""
    from dienrong.reporting import operations, quoting
    from dienrong.reporting.queries import evidence

    text = operations.begin_text(cycle=report.cycle, province=province, by=officer)
    offered = evidence.offered(report, province, "vi")
    below = [one for one in offered if one.standing == "below"] or [one for one in offered if one.figure_id]
    lines = [SHORTCOMINGS]
    for one in below[:MOST_QUOTED]:
        citation = operations.cite(text=text, offered=one, language="vi", run=report.run, by=officer)
        lines.append(quoting.quotation(citation.mark, citation.sentence))
    bodies = {"shortcomings": "\n".join(lines), "causes": CAUSES}
    for key, body in bodies.items():
        operations.save_section(text=text, key=key, body=body, edition=0, by=officer)
    facts = operations.MeasureFacts(
        finding="Kết quả nêu ở phần tồn tại, hạn chế (minh họa)",
        cause="Đang tìm hiểu (minh họa)",
        solution="Sinh hoạt chuyên môn theo cụm trường (minh họa)",
        owner="Phòng Giáo dục phổ thông",
        follow_up="Kết quả của kỳ đánh giá sau",
    )
    operations.save_measure(text=text, facts=facts, by=officer)
