"""What the scaling room shows in the demonstration: mathematics of grade 5 from the cycle's run, reviewed once and run again.

The second start finds its work done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TITLE = "Toán lớp 5, khảo sát chính thức (trình diễn)"
SUBJECT, GRADE = "maths", 5
REASON = (
    "Độ phân biệt thấp nhất trong bộ câu hỏi; đã xem lại đáp án và nội dung, câu hỏi không đo cùng năng lực. "
    "(Lý do minh họa của bản trình diễn.)"
)


def make_study(*, cycle: Any, run: Any, by: Any, say: Callable[[str, float], None]) -> Any:
    """Make the study with its data, a first run, one decision and the run that follows it; give the last run."""
    from dienrong.scaling import operations, pages, queries
    from dienrong.scaling.models import ScalingRun, ScalingStudy

    study = ScalingStudy.objects.filter(cycle=cycle, title=TITLE).first()
    if study is None:
        new = operations.NewStudy(title=TITLE, subject=SUBJECT, grade=GRADE)
        study = operations.create_study(cycle=cycle, new=new, by=by)
    if queries.data_of(study) is None:
        operations.freeze_data(data=operations.take_run(study=study, run=run, by=by), by=by)
    operations.end_open_runs(study=study, by=by)
    last = queries.last_done(study)
    if last is None:
        data = queries.data_of(study)
        options = {**pages.first_options(study, data), "group": None, "reported": ["gender"], "until": "fit"}
        last = _run(study, options, by, say)
    if last.state == ScalingRun.State.DONE and not study.decisions.exists():
        _decide(study, last, by)
        last = _run(study, {**last.options, "until": "values"}, by, say)
    return last


def _run(study: Any, options: dict[str, Any], by: Any, say: Callable[[str, float], None]) -> Any:
    """Run the study in this process."""
    from dienrong.scaling import operations

    run = operations.request_run(study=study, options=options, by=by, in_background=False)
    operations.execute_run(
        run, progress=lambda text, share: say(f"Định cỡ · Scaling: {text.partition(' · ')[0]}", share)
    )
    return run


def _decide(study: Any, run: Any, by: Any) -> None:
    """Leave out the item that discriminates least."""
    from dienrong.scaling import operations, pages

    rows = [row for row in pages.board_rows(run) if row.discrimination is not None]
    worst = min(rows, key=lambda row: row.discrimination)
    new = operations.NewDecision(item=worst.item, kind="drop", reason=REASON)
    known = operations.KnownItem(item=worst.item, max_score=worst.max_score)
    operations.take_decision(study=study, new=new, known=known, run=run, by=by)
