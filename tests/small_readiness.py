"""A small survey of facilities for the tests, made by the operations themselves."""

from __future__ import annotations

import dataclasses
import datetime
import json
import uuid
from typing import Any

from dienrong.readiness import operations
from dienrong.readiness.models import CheckLink, MachineReport, NormSet, Survey, SurveyRound
from dienrong.readiness.operations import GroupFacts, NormFacts
from dienrong.registry.models import AdministrativeUnit, School

A, B, C, SOUTH = "01000001", "01000002", "01000003", "79000001"
DUE = datetime.date(2026, 12, 10)
ANSWERS = {
    "n_computer_rooms": "1",
    "n_seats": "35",
    "n_paper_rooms": "8",
    "n_broken": "2",
    "may_install": "yes",
    "has_server": "yes",
    "lan": "wired",
    "network_type": "fiber",
    "network_mbps": "100",
    "network_stable": "few",
    "power_cuts": "never",
    "backup_power": "generator",
    "n_headphones": "20",
    "n_it_staff": "1",
}


def school(code: str) -> School:
    return School.objects.select_related("commune", "province").get(school_id=code)


def province(code: str) -> AdministrativeUnit:
    return AdministrativeUnit.objects.get(level="province", code=code, valid_to__isnull=True)


def set_norm(cycle: Any, by: Any, **changes: Any) -> NormSet:
    """The norm of the documents: 35 students, one sitting, a tenth to spare, thus 39 machines."""
    facts = NormFacts(**({"legal_basis": "QĐ 1/QĐ-BGDĐT"} | changes))
    return operations.set_norm(cycle=cycle, facts=facts, rules=operations.STANDARD_RULES, by=by)


def open_all(cycle: Any, by: Any, code: str = "01", due_on: datetime.date = DUE) -> SurveyRound:
    return operations.open_round(
        cycle=cycle, province=province(code), reach=SurveyRound.Reach.ALL, due_on=due_on, by=by
    )


def survey_of(code: str = A) -> Survey:
    return Survey.objects.select_related("school__commune", "school__province", "cycle").get(
        school__school_id=code
    )


def group(n: int = 40, **changes: Any) -> GroupFacts:
    facts = GroupFacts(
        kind="desktop",
        n_working=n,
        year_bought=2021,
        memory_gb=4,
        screen_width=1366,
        screen_height=768,
        system="windows_10",
        browser="chromium",
        browser_version=120,
    )
    return dataclasses.replace(facts, **changes)


def fill(survey: Survey, by: Any, *, n_machines: int = 40, **changes: str) -> Survey:
    """Answer everything and name one group of machines."""
    for code, value in (ANSWERS | changes).items():
        operations.answer(survey=survey, question_code=code, typed=value, by=by)
    if n_machines:
        operations.add_group(survey=survey, facts=group(n_machines), by=by)
    else:
        operations.answer(survey=survey, question_code="machines", typed="0", by=by)
    return survey_of(survey.school.school_id)


def hand_in(code: str, by: Any, **changes: Any) -> Survey:
    operations.submit(survey=fill(survey_of(code), by, **changes), by=by)
    return survey_of(code)


def link_of(survey: Survey, by: Any, **changes: Any) -> CheckLink:
    facts = {"closes_on": DUE, "server_address": ""} | changes
    return operations.make_link(survey=survey, by=by, **facts)


def report(link: CheckLink, **changes: Any) -> dict[str, Any]:
    """What a good machine reports."""
    content = {
        "ticket": operations.ticket_of(link),
        "report_id": str(uuid.uuid4()),
        "machine_id": str(uuid.uuid4()),
        "label": "Máy 05",
        "measured_at": "2026-11-22T04:00:00+00:00",
        "engine": "chromium",
        "browser_version": 109,
        "system": "Windows 7",
        "screen_width": 1366,
        "screen_height": 768,
        "memory_gb": 4,
        "storage_mb": 900,
        "storage_works": True,
        "clock_skew_s": -3,
        "typing": "composed",
        "sound_works": True,
        "autosave_works": True,
        "latency_ms": 40,
        "down_kbps": 9000,
        "up_kbps": 2000,
        "loss_percent": 0,
        "server_works": None,
    }
    return content | changes


def send(link: CheckLink, **changes: Any) -> MachineReport:
    return operations.receive_report(link=link, body=json.dumps(report(link, **changes)).encode())
