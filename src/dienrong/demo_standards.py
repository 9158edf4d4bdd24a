"""What the standards room shows in the demonstration: one session adopted, one in its second round.

The second start finds its work done. Names and judgments are made up by rule, from the place of a panelist in the list.
"""

from __future__ import annotations

import datetime
import math
from typing import Any

from dienrong.core import clock

PEOPLE = (
    ("Nguyễn Thị Thu Hà", "Giáo viên lớp 5", "Trường TH Hòa Bình"),
    ("Trần Quốc Việt", "Tổ trưởng chuyên môn", "Trường TH Nguyễn Trãi"),
    ("Lò Văn Sơn", "Giáo viên lớp 5", "Trường PTDTBT TH Nậm Pồ"),
    ("H'Lan Êban", "Giáo viên lớp 5", "Trường TH Lý Tự Trọng"),
    ("Đặng Thị Mến", "Phó hiệu trưởng", "Trường TH Kim Đồng"),
    ("Phạm Minh Tuấn", "Chuyên viên", "Phòng Văn hóa - Xã hội phường Ba Đình"),
    ("Sơn Thị Ngọc", "Giáo viên lớp 5", "Trường TH Trà Cú A"),
    ("Vũ Đình Long", "Giảng viên", "Trường Đại học Sư phạm"),
    ("Hoàng Thị Tâm", "Giáo viên lớp 5", "Trường TH Bắc Sơn"),
    ("Giàng A Chu", "Giáo viên lớp 5", "Trường PTDTBT TH Sín Chéng"),
    ("Lê Thị Bích Ngọc", "Chuyên viên", "Viện Khoa học Giáo dục Việt Nam"),
    ("Nguyễn Hữu Phước", "Tổ trưởng chuyên môn", "Trường TH Trần Phú"),
)
LEVELS = (
    ("Cơ bản", "Basic", "Làm được việc quen thuộc, một bước, có hình hoặc mẫu để dựa vào."),
    (
        "Đạt",
        "Proficient",
        "Tự chọn được cách làm trong tình huống quen thuộc, gồm hai bước, và giải thích được kết quả.",
    ),
    ("Nâng cao", "Advanced", "Kết hợp nhiều thông tin trong tình huống mới và tự kiểm tra lời giải."),
)
LEVELS_EN = (
    "Does familiar one-step work with a picture or a model to lean on.",
    "Chooses a way in familiar situations of two steps and explains the result.",
    "Brings several pieces of information together in a new situation and checks the own solution.",
)
THETA = (-0.9, 0.0, 1.0)
"""Where the panelists of the demonstration see the levels begin, logits."""


def fill_standards(*, cycle: Any, by: Any) -> int:
    """Open two sessions on the finished run and bring them on; give how many there are."""
    from dienrong.standards import sources
    from dienrong.standards.models import StandardSetting

    if not StandardSetting.objects.filter(cycle=cycle).exists():
        offered = {(one.subject, one.grade): one.key for one in reversed(sources.choices(cycle, by))}
        if ("maths", 5) in offered and ("reading", 5) in offered:
            _adopted(cycle, offered["maths", 5], by)
            _under_way(cycle, offered["reading", 5], by)
    return int(StandardSetting.objects.filter(cycle=cycle).count())


def _open(cycle: Any, choice: str, by: Any, *, title: str, method: str, n_panels: int) -> Any:
    """Open a session with its panel."""
    from dienrong.standards import operations

    levels = tuple(
        operations.LevelText(name_vi=vi, name_en=en, description_vi=text, description_en=english)
        for (vi, en, text), english in zip(LEVELS, LEVELS_EN, strict=True)
    )
    new = operations.NewSession(
        title=title,
        choice=choice,
        method=method,
        levels=levels,
        links_end_on=clock.today() + datetime.timedelta(days=30),
        n_panels=n_panels,
    )
    setting = operations.open_session(cycle=cycle, new=new, by=by)
    people = [
        operations.Person(full_name=name, position=position, unit=unit, panel=1 + place % n_panels)
        for place, (name, position, unit) in enumerate(PEOPLE)
    ]
    operations.add_panelists(setting=setting, people=people, by=by)
    return setting


def _adopted(cycle: Any, choice: str, by: Any) -> None:
    """Bring a Bookmark session of two panels through two rounds to adopted cuts."""
    from dienrong.standards import operations

    setting = _open(cycle, choice, by, title="Toán lớp 5: ba mức năng lực", method="bookmark", n_panels=2)
    for spread in (0.5, 0.2):
        operations.open_round(setting=setting, by=by)
        for panelist in setting.panelists.all():
            _judge(setting, panelist, spread)
        operations.close_round(setting=setting, leave_out=False, by=by)
    operations.compute_cuts(setting=setting, by=by)
    operations.adopt_cuts(
        setting=setting, reason="Hội đồng chuyên môn thống nhất sau hai vòng (bản trình diễn).", by=by
    )


def _under_way(cycle: Any, choice: str, by: Any) -> None:
    """Leave an Angoff session in its second round, half of its forms submitted."""
    from dienrong.standards import operations

    setting = _open(cycle, choice, by, title="Tiếng Việt lớp 5: ba mức năng lực", method="angoff", n_panels=1)
    operations.open_round(setting=setting, by=by)
    people = list(setting.panelists.all())
    for panelist in people:
        _judge(setting, panelist, 0.6)
    operations.close_round(setting=setting, leave_out=False, by=by)
    operations.open_round(setting=setting, by=by)
    for panelist in people[: len(people) // 2]:
        _judge(setting, panelist, 0.3)


def _judge(setting: Any, panelist: Any, spread: float) -> None:
    """Give a panelist's form of the open round: the levels, moved up or down by the panelist's place in the list."""
    from dienrong.standards import operations, queries

    moved = spread * ((panelist.number * 5) % 12 - 5.5) / 5.5
    pages = queries.booklet_of(setting)
    typed: dict[tuple[str, str], str] = {}
    if setting.is_bookmark:
        before = 0
        for level, theta in zip(queries.levels_of(setting), THETA, strict=True):
            below = sum(page.location <= theta + moved for page in pages)
            before = min(max(below, before + 1), len(pages))
            typed[level.code, ""] = str(before)
    else:
        for level, theta in zip(queries.levels_of(setting), THETA, strict=True):
            for page in pages:
                # A page stands where two thirds master it, so ln 2 brings its location back to one half.
                chance = 1.0 / (1.0 + math.exp(-(theta + moved - page.location + math.log(2.0))))
                known = float(typed.get((level.code, page.item), 0.0))
                typed[level.code, page.item] = f"{known + chance:.2f}"
    operations.save_judgments(panelist=panelist, typed=typed, by=None)
    operations.submit_entry(panelist=panelist, by=None)
