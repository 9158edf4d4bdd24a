"""The survey of a school: asked, answered, handed in, returned, accepted, decided; and who may not."""

from __future__ import annotations

import datetime

import pytest

from dienrong.audit.models import AuditEntry
from dienrong.core.refusals import NotAllowed, SignInFirst
from dienrong.readiness import operations, ports
from dienrong.readiness.form_file import form_of
from dienrong.readiness.models import Answer, Mode, Survey, SurveyRound
from dienrong.readiness.operations import NotNow, ReadinessRefusal
from dienrong.readiness.queries import access, state_of
from dienrong.registry.models import School
from small_readiness import (
    DUE,
    SOUTH,
    A,
    B,
    C,
    fill,
    group,
    hand_in,
    link_of,
    open_all,
    province,
    school,
    send,
    set_norm,
    survey_of,
)

pytestmark = pytest.mark.django_db


def actions() -> list[str]:
    return list(
        AuditEntry.objects.filter(action__startswith="readiness.")
        .order_by("id")
        .values_list("action", flat=True)
    )


def test_no_survey_without_a_norm(cycle, registry, officer) -> None:
    with pytest.raises(NotNow, match="định mức"):
        open_all(cycle, officer)


def test_a_round_asks_every_open_school_once(asked, officer) -> None:
    codes = set(Survey.objects.values_list("school__school_id", flat=True))
    assert codes == {A, B, C}
    open_all(asked, officer)
    assert Survey.objects.count() == 3
    assert SurveyRound.objects.get().due_on == DUE
    assert actions().count("readiness.round_opened") == 2


def test_a_round_of_the_sample_takes_its_schools_and_students(
    cycle, registry, ministry, officer, monkeypatch
) -> None:
    set_norm(cycle, ministry)
    facts = {"cycle": cycle, "province": province("01"), "reach": "sampled", "due_on": DUE, "by": officer}
    monkeypatch.setattr(ports, "_participants", [])
    with pytest.raises(NotNow, match="tham gia"):
        operations.open_round(**facts)
    monkeypatch.setattr(ports, "_participants", [lambda _cycle: {school(A).pk: 28, school(SOUTH).pk: 30}])
    operations.open_round(**facts)
    survey = Survey.objects.get()
    assert (survey.school.school_id, survey.n_students, survey.n_needed) == (A, 28, 31)


def test_asked_again_the_students_are_those_selected_by_now(asked, officer, monkeypatch) -> None:
    monkeypatch.setattr(ports, "_participants", [lambda _cycle: {school(A).pk: 60}])
    open_all(asked, officer)
    assert (survey_of(A).n_students, survey_of(A).n_needed) == (60, 66)
    assert survey_of(B).n_students == 35


def test_a_school_that_closed_needs_nothing_any_more(asked, coordinator, officer) -> None:
    hand_in(A, coordinator, n_machines=30)
    before = state_of(asked, province("01"), datetime.date(2026, 11, 22))
    School.objects.filter(school_id=A).update(is_open=False)
    after = state_of(asked, province("01"), datetime.date(2026, 11, 22))
    assert (before.n_asked, before.gap["lack_machines"]) == (3, 9)
    assert (after.n_asked, after.gap["lack_machines"]) == (2, 0)
    assert not access.surveys_of(officer, asked).filter(school__school_id=A).exists()


def test_a_day_in_the_past_and_a_stranger_are_refused(
    cycle, registry, ministry, officer, stranger, commune_officer
) -> None:
    set_norm(cycle, ministry)
    with pytest.raises(ReadinessRefusal, match="đã qua"):
        operations.open_round(
            cycle=cycle, province=province("01"), reach="all", due_on=datetime.date(2026, 11, 21), by=officer
        )
    for person in (stranger, commune_officer, None):
        with pytest.raises((NotAllowed, SignInFirst)):
            operations.open_round(cycle=cycle, province=province("01"), reach="all", due_on=DUE, by=person)
    assert not Survey.objects.exists()


def test_every_answer_is_kept_at_once_and_audited(asked, coordinator) -> None:
    survey = survey_of()
    assert operations.answer(survey=survey, question_code="n_seats", typed=" 35 ", by=coordinator) == "35"
    assert Answer.objects.get().value == "35"
    assert survey_of().state == Survey.State.DRAFT
    operations.answer(survey=survey, question_code="n_seats", typed="35", by=coordinator)
    assert actions().count("readiness.answered") == 1
    operations.answer(survey=survey, question_code="n_seats", typed="", by=coordinator)
    assert not Answer.objects.exists()


@pytest.mark.parametrize(
    ("code", "typed"),
    [
        ("n_seats", "501"),
        ("n_seats", "-1"),
        ("n_seats", "ba mươi"),
        ("n_seats", "3,5"),
        ("lan", "cáp"),
        ("backup_power", "có"),
        ("không-có", "1"),
        ("note", "x" * 601),
        ("machines", "5"),
    ],
)
def test_an_answer_that_cannot_be_is_refused(asked, coordinator, code, typed) -> None:
    with pytest.raises(ReadinessRefusal):
        operations.answer(survey=survey_of(), question_code=code, typed=typed, by=coordinator)
    assert not Answer.objects.exists()
    assert survey_of().state == Survey.State.EMPTY


def test_words_of_a_choice_are_understood(asked, coordinator) -> None:
    assert (
        operations.answer(survey=survey_of(), question_code="lan", typed="dây mạng", by=coordinator)
        == "wired"
    )
    assert (
        operations.answer(survey=survey_of(), question_code="may_install", typed="Không", by=coordinator)
        == "no"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"n_working": 0},
        {"memory_gb": 0},
        {"year_bought": 2027},
        {"year_bought": 1990},
        {"system": "dos"},
        {"browser_version": 1000},
    ],
)
def test_a_group_that_cannot_be_is_refused(asked, coordinator, changes) -> None:
    with pytest.raises(ReadinessRefusal):
        operations.add_group(survey=survey_of(), facts=group(**changes), by=coordinator)
    assert not survey_of().groups.exists()


def test_an_incomplete_survey_is_not_handed_in(asked, coordinator) -> None:
    survey = survey_of()
    with pytest.raises(ReadinessRefusal, match="Còn 15 câu"):
        operations.submit(survey=survey, by=coordinator)
    fill(survey, coordinator)
    operations.answer(survey=survey, question_code="n_headphones", typed="", by=coordinator)
    with pytest.raises(ReadinessRefusal, match="Còn 1 câu"):
        operations.submit(survey=survey, by=coordinator)
    assert survey_of().submitted_at is None


def test_the_whole_way_of_a_survey(asked, coordinator, commune_officer, officer) -> None:
    survey = hand_in(A, coordinator)
    assert survey.state == Survey.State.SUBMITTED
    assert (survey.n_needed, survey.n_machines, survey.n_usable) == (39, 40, 40)
    assert survey.suggested == Mode.UNKNOWN, "no machine has checked itself yet"
    with pytest.raises(NotNow):
        operations.answer(survey=survey, question_code="n_seats", typed="36", by=coordinator)
    operations.review(survey=survey, step="check", by=commune_officer)
    with pytest.raises(NotAllowed):
        operations.review(survey=survey, step="accept", by=commune_officer)
    with pytest.raises(ReadinessRefusal):
        operations.review(survey=survey, step="return", by=officer)
    operations.review(survey=survey, step="return", reason="Đếm lại tai nghe", by=officer)
    assert survey_of().return_reason == "Đếm lại tai nghe"
    assert survey_of().suggested == Mode.UNKNOWN
    operations.answer(survey=survey, question_code="n_headphones", typed="36", by=coordinator)
    operations.submit(survey=survey_of(), by=coordinator)
    operations.review(survey=survey_of(), step="accept", by=officer)
    with pytest.raises(NotAllowed):
        operations.review(survey=survey_of(), step="return", reason="x", by=commune_officer)
    done = survey_of()
    assert (done.state, done.return_reason) == (Survey.State.ACCEPTED, "")
    assert actions()[-1] == "readiness.accepted"
    assert "readiness.returned" in actions()


def test_machines_that_checked_themselves_make_a_school_ready(asked, coordinator) -> None:
    survey = hand_in(A, coordinator)
    link = link_of(survey, coordinator)
    for _number in range(11):
        send(link)
    assert survey_of().suggested == Mode.UNKNOWN
    send(link)
    assert (survey_of().n_passed, survey_of().suggested) == (12, Mode.COMPUTER)
    send(link, browser_version=80)
    send(link, browser_version=80)
    assert (survey_of().n_failed, survey_of().suggested, survey_of().lack_machines) == (2, Mode.MIXED, 1)


def test_a_decision_may_deviate_with_a_reason_alone(asked, coordinator, officer, colleague, stranger) -> None:
    survey = hand_in(A, coordinator, backup_power="none")
    assert survey.suggested == Mode.PAPER
    with pytest.raises(ReadinessRefusal, match="lý do"):
        operations.decide_mode(survey=survey, mode="computer", reason=" ", by=officer)
    with pytest.raises(ReadinessRefusal):
        operations.decide_mode(survey=survey, mode="unknown", reason="x", by=officer)
    for person in (stranger, coordinator):
        with pytest.raises(NotAllowed):
            operations.decide_mode(survey=survey, mode="paper", reason="", by=person)
    operations.decide_mode(survey=survey, mode="computer", reason="Xã cho mượn máy phát", by=officer)
    operations.decide_mode(survey=survey, mode="paper", reason="", by=colleague)
    assert survey_of().mode == Mode.PAPER
    assert [one.mode for one in survey.decisions.order_by("pk")] == ["computer", "paper"]
    assert actions().count("readiness.mode_decided") == 2


def test_strangers_and_neighbors_touch_nothing(asked, stranger, newcomer, coordinator, visitor) -> None:
    for person in (stranger, newcomer, None):
        with pytest.raises((NotAllowed, SignInFirst)):
            operations.answer(survey=survey_of(), question_code="n_seats", typed="1", by=person)
        with pytest.raises((NotAllowed, SignInFirst)):
            operations.submit(survey=survey_of(), by=person)
    with pytest.raises(NotAllowed):
        operations.answer(survey=survey_of(B), question_code="n_seats", typed="1", by=coordinator)
    assert not Answer.objects.exists()


def test_a_new_norm_judges_every_school_and_machine_again(asked, coordinator, ministry, officer) -> None:
    survey = hand_in(A, coordinator)
    link = link_of(survey, coordinator)
    for _number in range(12):
        send(link, browser_version=112)
    assert survey_of().suggested == Mode.COMPUTER
    with pytest.raises(NotAllowed):
        set_norm(asked, officer)
    rules = [one for one in operations.STANDARD_RULES if one.measure != "chromium"]
    rules.append(operations.STANDARD_RULES[0].__class__(measure="chromium", weight="must", bound=115))
    facts = operations.NormFacts(n_students=45, legal_basis="QĐ 2")
    norm = operations.set_norm(cycle=asked, facts=facts, rules=rules, by=ministry)
    again = survey_of()
    assert norm.version == 2
    assert (again.n_needed, again.n_passed, again.n_failed) == (50, 0, 12)
    assert again.suggested == Mode.MIXED  # 40 - 12 = 28 of 50, half of which are 25
    assert again.lack_machines == 22


@pytest.mark.parametrize(
    "changes", [{"n_students": 0}, {"mixed_percent": 101}, {"n_sittings": 0}, {"legal_basis": ""}]
)
def test_a_norm_that_cannot_be_is_refused(cycle, ministry, changes) -> None:
    with pytest.raises(ReadinessRefusal):
        set_norm(cycle, ministry, **changes)


def test_the_form_has_both_languages_and_known_kinds() -> None:
    form = form_of("facilities-1")
    codes = [one.code for one in form.questions]
    assert len(codes) == len(set(codes))
    for one in form.questions:
        assert all(one.text)
        assert all(one.hint)
        assert all(one.short)
        assert (one.kind == "choice") == bool(one.choices)
        assert not one.needs or one.needs in codes
