"""What the room of data files shows in the demonstration: public files, a request that waits, one that is granted.

The second start finds its work done. The people who ask are made up.
"""

from __future__ import annotations

from typing import Any

REVIEWER = ("bo-xem-xet", "Đinh Thị Lan Anh")
PURPOSES = (
    (
        "Hồ Thị Ngọc Ánh",
        "anh@nghien-cuu.example",
        "Trường Đại học Giáo dục",
        "Tìm hiểu quan hệ giữa điều kiện gia đình và kết quả đọc của học sinh lớp 5 bằng mô hình hai cấp; cần tỉnh "
        "của trường để so sánh giữa các tỉnh.",
    ),
    (
        "Sùng A Lử",
        "lu@nghien-cuu.example",
        "Viện Nghiên cứu Giáo dục vùng cao",
        "So sánh kết quả Toán của học sinh dân tộc thiểu số giữa các tỉnh miền núi; cần loại hình và số học sinh của "
        "trường, tệp công khai đã ẩn các giá trị này.",
    ),
)


def fill_datasets(*, run: Any, by: Any, password: str, say: Any) -> int:
    """Publish public and restricted files of the first grade, and bring two requests on; give how many are published."""
    from dienrong.datasets import queries

    if not queries.releases().exists():
        from dienrong.datasets import operations

        grade = min(run.cycle.grades.values_list("grade", flat=True))
        freeze = operations.freeze_run(run=run, grade=grade, by=by)
        reviewer = _reviewer(password, by)
        _release(freeze, "public", by, reviewer, say)
        restricted = _release(freeze, "restricted", by, reviewer, say)
        _requests(restricted, by)
    return int(queries.published().count())


def _reviewer(password: str, by: Any) -> Any:
    """Make the second expert, without whom nothing is published."""
    from dienrong.accounts import operations

    username, name = REVIEWER
    person = operations.create_person(
        username=username, full_name=name, password=password, is_demo=True, by=None
    )
    operations.assign_role(user=person, role="ministry_expert", unit_code="", unit_name="", by=None)
    return person


def _release(freeze: Any, kind: str, by: Any, reviewer: Any, say: Any) -> Any:
    """Make, build, approve and publish files; a sample too small for the plan gets the plan of small samples."""
    from dienrong.datasets import numeric, operations

    cycle, grade = freeze.run.cycle, freeze.grade
    facts = operations.ReleaseFacts(
        kind=kind,
        version="1.0",
        title_vi=f"{cycle.name_vi}, lớp {grade}: tệp dữ liệu {'công khai' if kind == 'public' else 'hạn chế'}",
        title_en=f"{cycle.name_en}, grade {grade}: {kind}-use data files",
        formats=("sav",),
        with_responses=False,
    )
    release = operations.make_release(freeze=freeze, facts=facts, by=by, in_background=False)
    release = operations.build_release(
        release=release, progress=lambda _stage, share: say("Tệp dữ liệu · Data files", share)
    )
    if release.refusal:
        release = operations.rebuild_release(
            release=release, plan_text=numeric.shipped_plan("public_small"), by=by
        )
        release = operations.build_release(
            release=release, progress=lambda _stage, share: say("Tệp dữ liệu · Data files", share)
        )
    operations.review_release(release=release, is_approved=True, note="Đã đọc báo cáo nguy cơ.", by=reviewer)
    return operations.publish_release(release=release, by=by)


def _requests(release: Any, by: Any) -> None:
    """Write two requests, and grant the second."""
    from dienrong.datasets import operations

    made = [
        operations.ask_for_data(
            release=release,
            facts=operations.RequestFacts(
                full_name=name, email=email, institution=place, purpose=purpose, is_undertaken=True
            ),
            address="demo",
            by=None,
        )
        for name, email, place, purpose in PURPOSES
    ]
    operations.decide_grant(request=made[1], n_days=90, most_downloads=3, note="", by=by)
