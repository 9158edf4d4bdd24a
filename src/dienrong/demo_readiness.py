"""What the readiness room shows in the demonstration: a province surveyed, machines that reported, modes, two estimates.

Everything goes through the operations of the room. The second start finds its work done. Schools, machines and prices
are made up by rule, from the place of a school in the list.
"""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction

from dienrong.core import clock

MOST_SURVEYED = 24
BASIS = "Mức minh họa cho bản trình diễn; thay bằng báo giá, văn bản của địa phương"
PRICES = {
    "machine": 13_500_000,
    "headphones": 180_000,
    "power": 9_800_000,
    "server": 17_900_000,
    "network": 3_600_000,
    "learner_day": 150_000,
    "trainer_day": 1_600_000,
    "materials": 60_000,
    "hall_day": 2_500_000,
}
DAY = datetime.timedelta(days=1)


@transaction.atomic
def fill_readiness(*, cycle: Any, by: Any, person: Callable[[str], Any]) -> int:
    """Fill the room, whole or not at all; give how many schools handed their survey in."""
    from dienrong.accounts.permissions import scope_of
    from dienrong.readiness import operations
    from dienrong.readiness.models import NormSet, Survey, SurveyRound
    from dienrong.registry.models import AdministrativeUnit, School

    if NormSet.objects.filter(cycle=cycle).exists():
        return int(Survey.objects.filter(submitted_at__isnull=False).count())
    facts = operations.NormFacts(legal_basis=BASIS, headphones_percent=100)
    operations.set_norm(cycle=cycle, facts=facts, rules=operations.STANDARD_RULES, by=by)
    officer = person("so")
    province = AdministrativeUnit.objects.get(
        level="province", code__in=scope_of(officer).provinces, valid_to__isnull=True
    )
    due_on = clock.today() + 10 * DAY
    n_schools = School.objects.filter(is_open=True, province=province).count()
    reach = SurveyRound.Reach.ALL if n_schools <= 200 else SurveyRound.Reach.SAMPLED
    operations.open_round(cycle=cycle, province=province, reach=reach, due_on=due_on, by=officer)
    own = scope_of(person("truong")).schools
    asked = Survey.objects.filter(cycle=cycle).exclude(school__school_id__in=own)
    surveys = list(
        asked.select_related("school__commune", "school__province", "cycle").order_by("school__school_id")[
            :MOST_SURVEYED
        ]
    )
    _answers(surveys, officer)
    _reports(surveys[:6], officer)
    _reviews(surveys, officer)
    _money(cycle, province, officer, by)
    return len(surveys)


def _rows(survey: Any, place: int) -> dict[str, Any]:
    """Make the answers of a school up: every third lacks something."""
    return {
        "school_id": survey.school.school_id,
        "n_computer_rooms": 1 + place % 2,
        "n_seats": 24 + 4 * (place % 5),
        "n_paper_rooms": 6 + place % 7,
        "n_broken": place % 5,
        "may_install": place % 6 != 0,
        "has_server": place % 5 != 3,
        "lan": ("wired", "wifi", "both")[place % 3],
        "network_type": ("fiber", "fiber", "mobile", "copper")[place % 4],
        "network_mbps": (80, 150, 20, 12)[place % 4],
        "network_stable": ("never", "few", "many")[place % 3],
        "power_cuts": ("never", "few")[place % 2],
        "backup_power": ("generator", "ups", "both", "none")[place % 4],
        "n_headphones": (20, 36, 0, 30)[place % 4],
        "n_it_staff": 1 + place % 2,
        "hand_in": place % 8 != 7,
    }


def _groups(survey: Any, place: int) -> list[dict[str, Any]]:
    """Make the machines of a school up: newer ones, and in every second school old ones."""
    head = {
        "school_id": survey.school.school_id,
        "kind": "desktop",
        "screen_width": 1366,
        "screen_height": 768,
        "browser": "chromium",
    }
    newer = head | {
        "position": 1,
        "n_working": (40, 22, 30, 42)[place % 4],
        "year_bought": 2020 + place % 4,
        "memory_gb": 8,
        "system": "windows_10",
        "browser_version": 120 + place,
    }
    older = head | {
        "position": 2,
        "n_working": 6 + place % 9,
        "year_bought": 2012,
        "memory_gb": 2 if place % 4 else 1,
        "system": "windows_7",
        "browser_version": 109,
    }
    return [newer] if place % 2 == 0 else [newer, older]


def _answers(surveys: Sequence[Any], officer: Any) -> None:
    """Take the answers of schools in as the rows of two files."""
    from dienrong.accounts.permissions import scope_of
    from dienrong.readiness import operations
    from dienrong.readiness.queries.comparing import plan_groups, plan_surveys

    scope = scope_of(officer)
    rows = [row for place, one in enumerate(surveys) for row in _groups(one, place)]
    groups = [one.change() for one in plan_groups(list(enumerate(rows, start=2)), scope=scope)]
    operations.write_groups(groups, by=officer)
    rows = [_rows(one, place) for place, one in enumerate(surveys)]
    answers = [one.change() for one in plan_surveys(list(enumerate(rows, start=2)), scope=scope)]
    operations.write_surveys(answers, by=officer)


def _reports(surveys: Sequence[Any], officer: Any) -> None:
    """Let machines of a few schools report, some of them with a fault."""
    from dienrong.readiness import operations

    for place, survey in enumerate(surveys):
        until = clock.today() + 60 * DAY
        link = operations.make_link(survey=survey, closes_on=until, server_address="", by=officer)
        for number in range(1, 14 if place % 2 == 0 else 5):
            report = _report(place, number) | {"ticket": operations.ticket_of(link)}
            operations.receive_report(link=link, body=json.dumps(report).encode())


def _report(place: int, number: int) -> dict[str, Any]:
    """Make up what a machine measured; every seventh has an old browser, every fifth no sound."""
    is_old = (place + number) % 7 == 0
    names = ("report", "machine")
    keys = {
        f"{name}_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"demo {name} {place} {number}")) for name in names
    }
    return keys | {
        "label": f"Máy {number:02d}",
        "measured_at": clock.now().isoformat(),
        "engine": "chromium",
        "browser_version": 103 if is_old else 130 + number % 9,
        "system": "Windows 7" if is_old else "Windows 10, 11",
        "screen_width": 1366,
        "screen_height": 768,
        "memory_gb": 2 if is_old else 8,
        "storage_mb": 12_000 + 900 * number,
        "storage_works": True,
        "clock_skew_s": 2 * number,
        "typing": "composed",
        "sound_works": (place + number) % 5 != 0,
        "autosave_works": True,
        "latency_ms": 40 + 7 * number,
        "down_kbps": 9_000 + 350 * number,
        "up_kbps": 2_100 + 120 * number,
        "loss_percent": 0,
    }


def _reviews(surveys: Sequence[Any], officer: Any) -> None:
    """Accept some surveys, return one, decide the mode of two schools: one as suggested, one with a reason."""
    from dienrong.readiness import operations
    from dienrong.readiness.models import Mode, Survey

    handed_in = [one for one in surveys if not Survey.objects.get(pk=one.pk).is_open]
    for place, survey in enumerate(handed_in[:14]):
        if place == 5:
            why = "Số tai nghe và số máy không khớp với sổ thiết bị, đề nghị nhà trường đếm lại."
            operations.review(survey=survey, step="return", reason=why, by=officer)
        else:
            operations.review(survey=survey, step="accept", by=officer)
    for survey, mode in zip(handed_in[:2], (None, Mode.PAPER), strict=False):
        survey.refresh_from_db()
        suggested = survey.suggested if survey.suggested != Mode.UNKNOWN else Mode.MIXED
        reason = "" if mode is None and suggested == survey.suggested else "Phòng máy sửa chữa đến hết tháng."
        operations.decide_mode(survey=survey, mode=mode or suggested, reason=reason, by=officer)


def _money(cycle: Any, province: Any, officer: Any, by: Any) -> None:
    """Set prices; draw both estimates: one on its way to approval, one being drawn up."""
    from dienrong.readiness import operations
    from dienrong.readiness.models import BudgetStep, Stream

    since = datetime.date(clock.today().year, 1, 1)
    for item, amount in PRICES.items():
        operations.set_price(
            item=item, province=None, amount=amount, legal_basis=BASIS, from_day=since, by=by
        )
    for stream in (Stream.FINANCE, Stream.TRAINING):
        budget = operations.begin_budget(
            cycle=cycle, province=province, year=clock.today().year + 1, stream=stream, by=officer
        )
        operations.fill_budget(budget=budget, by=officer)
        if stream == Stream.FINANCE and budget.lines.exists():
            steps = ((BudgetStep.Action.SUBMIT, ""), (BudgetStep.Action.APPRAISE, "45/BC-STC, 12/11/2026"))
            for action, document in steps:
                operations.move_budget(budget=budget, action=action, document=document, note="", by=officer)
