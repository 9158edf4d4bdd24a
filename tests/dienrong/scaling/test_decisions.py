"""Decisions of items: with a reason, without contradiction, withdrawn and never changed."""

from __future__ import annotations

import pytest

from dienrong.audit.models import AuditEntry
from dienrong.core.refusals import Conflict, NotAllowed
from dienrong.scaling import operations, queries
from dienrong.scaling.models import ItemDecision

pytestmark = pytest.mark.django_db
GROUPS = ("north", "south", "east")
REASON = "Đáp án có thể bị nhầm."


def take(study, by, *, item="M1", kind="drop", reason=REASON, max_score=2, **more) -> ItemDecision:
    new = operations.NewDecision(item=item, kind=kind, reason=reason, **more)
    known = operations.KnownItem(item=item, max_score=max_score, groups=GROUPS)
    return operations.take_decision(study=study, new=new, known=known, run=None, by=by)


@pytest.mark.parametrize(
    ("more", "details"),
    [
        ({"kind": "drop"}, {}),
        ({"kind": "keep"}, {}),
        ({"kind": "collapse", "scores": {0: 0, 1: 0, 2: 1}}, {"scores": {"0": 0, "1": 0, "2": 1}}),
        ({"kind": "collapse", "scores": {0: 0, 1: 1, 2: 1}}, {"scores": {"0": 0, "1": 1, "2": 1}}),
        ({"kind": "free", "groups": ["south", "east", "south"]}, {"groups": ["east", "south"]}),
    ],
)
def test_each_kind_is_kept_with_its_details_and_its_author(study, ministry, more, details) -> None:
    found = take(study, ministry, **more)
    assert found.details == details
    assert (found.reason, found.taken_by) == (REASON, ministry)
    assert AuditEntry.objects.filter(action="scaling.decision_taken", actor=ministry).count() == 1


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"reason": "   "}, "cần có lý do"),
        ({"kind": "erase"}, "Không có loại quyết định"),
        ({"kind": "free", "groups": []}, "chọn nhóm"),
        ({"kind": "free", "groups": ["west"]}, "không có nhóm “west”"),
        ({"kind": "free", "groups": list(GROUPS)}, "Không thể cho mọi nhóm"),
        ({"kind": "collapse", "scores": {}}, "liền kề"),
        ({"kind": "collapse", "scores": {0: 0, 1: 1, 2: 2}}, "liền kề"),
        ({"kind": "collapse", "scores": {0: 1, 1: 1, 2: 1}}, "liền kề"),
        ({"kind": "collapse", "scores": {0: 0, 1: 0, 2: 0}}, "liền kề"),
        ({"kind": "collapse", "scores": {0: 0, 1: 1, 2: 0}}, "liền kề"),
        ({"kind": "collapse", "scores": {0: 0, 1: 1, 2: 1, 3: 1}}, "liền kề"),
        ({"kind": "collapse", "scores": {0: 0, 1: 0}, "max_score": 1}, "liền kề"),
    ],
)
def test_what_decides_nothing_is_refused(study, ministry, more, words) -> None:
    with pytest.raises(operations.DecisionRefused, match=words):
        take(study, ministry, **more)
    assert not ItemDecision.objects.exists()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("drop", "drop"),
        ("drop", "keep"),
        ("keep", "drop"),
        ("drop", "free"),
        ("free", "drop"),
        ("free", "keep"),
    ],
)
def test_contradictions_are_refused_until_the_first_is_withdrawn(study, ministry, first, second) -> None:
    def groups(kind: str) -> tuple[str, ...]:
        return ("south",) if kind == "free" else ()

    one = take(study, ministry, kind=first, groups=groups(first))
    with pytest.raises(Conflict, match="đã có quyết định"):
        take(study, ministry, kind=second, groups=groups(second))
    operations.withdraw_decision(decision=one, by=ministry)
    take(study, ministry, kind=second, groups=groups(second))
    assert [row.kind for row in queries.holding(study)] == [second]
    assert queries.decisions_of(study, "M1").count() == 2


def test_joining_and_freeing_go_together(study, ministry) -> None:
    take(study, ministry, kind="collapse", scores={0: 0, 1: 1, 2: 1})
    take(study, ministry, kind="free", groups=["south"])
    assert queries.holding(study).count() == 2


def test_two_sets_of_groups_share_none_and_leave_one_common(study, ministry) -> None:
    take(study, ministry, kind="free", groups=["south"])
    for groups in (["south"], ["south", "east"], ["north", "east"]):
        with pytest.raises(Conflict, match="đã có quyết định"):
            take(study, ministry, kind="free", groups=groups)
    take(study, ministry, kind="free", groups=["east"])
    assert sorted(one.details["groups"][0] for one in queries.holding(study)) == ["east", "south"]


def test_a_decision_is_withdrawn_once(study, ministry) -> None:
    one = take(study, ministry)
    operations.withdraw_decision(decision=one, by=ministry)
    with pytest.raises(Conflict, match="đã được rút"):
        operations.withdraw_decision(decision=one, by=ministry)
    one.refresh_from_db()
    assert one.withdrawn_by == ministry
    assert AuditEntry.objects.filter(action="scaling.decision_withdrawn").count() == 1


@pytest.mark.parametrize("who", ["officer", "coordinator", "researcher", "newcomer", "stranger"])
def test_strangers_decide_nothing(request, study, ministry, who) -> None:
    person = request.getfixturevalue(who)
    one = take(study, ministry)
    with pytest.raises(NotAllowed):
        take(study, person, item="M2")
    with pytest.raises(NotAllowed):
        operations.withdraw_decision(decision=one, by=person)
    assert ItemDecision.objects.get().withdrawn_at is None


def test_the_release_rule_is_taken_as_decisions(make_scaling, study, ministry, officer) -> None:
    run = make_scaling(until="fit", rmsd_threshold=0.05)
    with pytest.raises(operations.DecisionRefused, match="cần có lý do"):
        operations.take_proposals(study=study, run=run, reason=" ", by=ministry)
    assert not ItemDecision.objects.exists()
    with pytest.raises(NotAllowed):
        operations.take_proposals(study=study, run=run, reason=REASON, by=officer)
    n = operations.take_proposals(study=study, run=run, reason=REASON, by=ministry)
    freed = {one.item: one.details["groups"] for one in queries.holding(study)}
    assert queries.holding(study).count() == n >= 1
    assert "T03" in freed
    again = make_scaling(until="calibration")
    assert again.state == "done", again.refusal
    with pytest.raises(operations.DecisionRefused, match="không đề xuất gì"):
        operations.take_proposals(study=study, run=run, reason=REASON, by=ministry)
