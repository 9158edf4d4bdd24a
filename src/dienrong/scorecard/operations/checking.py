"""Checks: of the whole nation in pieces, of some schools with their communes at once; findings are kept.

What a check writes is derived from the registry, whose changes are audited where they are made. A check of the
nation leaves one audit entry of its own. Every piece is one transaction and harmless when done twice.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.jobs.operations import enqueue
from dienrong.registry.models import AdministrativeUnit
from dienrong.scorecard import rule_set
from dienrong.scorecard.models import Check, Finding, SchoolState
from dienrong.scorecard.numeric.checking import Checked, Found, SchoolScore, check
from dienrong.scorecard.numeric.rules import DIMENSIONS, Rule
from dienrong.scorecard.operations.scoring import score_units
from dienrong.scorecard.queries.reading import NATION, Part, part_of_schools, register_rows

AT_ONCE = 200
MOST_BY_KEYS = 5000
PIECE = 2000
NATION_JOB = "scorecard.check_nation"
SCHOOLS_JOB = "scorecard.check_schools"
Progress = Callable[[str, float], None]
FindingKey = tuple[int | None, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NationCheck:
    """What a check read and changed."""

    n_schools: int = 0
    n_open: int = 0
    n_found: int = 0
    n_closed: int = 0


def check_nation(
    *, by: Any | None = None, day: datetime.date | None = None, progress: Progress | None = None
) -> NationCheck:
    """Check every school and province, piece by piece; the same registry twice changes nothing."""
    say = progress or (lambda _text, _share: None)
    started = clock.now()
    day = day or clock.today()
    rules = rule_set.rules_now()
    say(_("Reading the registry"), 0.02)
    rows = register_rows(NATION, day)
    say(_("Checking by the rules"), 0.3)
    checked = check(rows, rules.values())
    done = _keep(NATION, checked, [row[0] for row in rows.schools], rules, say)
    say(_("Scores of communes, provinces and the nation"), 0.95)
    with transaction.atomic():
        score_units(day=day)
        Check.objects.create(
            started_at=started,
            n_rules=len(rules),
            n_schools=done.n_schools,
            n_open=done.n_open,
            n_found=done.n_found,
            n_closed=done.n_closed,
            asked_by=by,
        )
        record(
            action="scorecard.nation_checked",
            actor=by,
            after={"n_schools": done.n_schools, "n_found": done.n_found, "n_closed": done.n_closed},
        )
    say(_("Done"), 1.0)
    return done


@transaction.atomic
def check_provinces(*, codes: Iterable[str], day: datetime.date | None = None) -> NationCheck:
    """Check whole provinces with their official totals."""
    found = AdministrativeUnit.objects.filter(
        level=AdministrativeUnit.Level.PROVINCE, code__in=list(codes), valid_to__isnull=True
    )
    return _check_part(Part(provinces=frozenset(found.values_list("pk", flat=True))), day or clock.today())


@transaction.atomic
def check_schools(*, school_keys: Iterable[int], day: datetime.date | None = None) -> NationCheck:
    """Check some schools together with their whole communes."""
    return _check_part(part_of_schools(school_keys), day or clock.today())


def _check_part(part: Part, day: datetime.date) -> NationCheck:
    """Check a part and bring the scores of its units up to date."""
    rules = rule_set.rules_now()
    rows = register_rows(part, day)
    checked = check(rows, rules.values())
    before = _units_of([row[0] for row in rows.schools])
    done = _keep(part, checked, [row[0] for row in rows.schools], rules, lambda _text, _share: None)
    after = {(one.province_code, one.commune_code) for one in checked.scores}
    units = before | after
    score_units(
        day=day,
        communes={commune for _province, commune in units},
        provinces={province for province, _c in units},
    )
    return done


def _units_of(school_keys: Sequence[int]) -> set[tuple[str, str]]:
    """The units in which schools lay when they were last scored."""
    rows = SchoolState.objects.filter(school_id__in=school_keys)
    return set(rows.values_list("province_code", "commune_code").distinct())


def _keep(part: Part, checked: Checked, school_keys: Sequence[int], rules: Any, say: Progress) -> NationCheck:
    """Keep findings and scores, a piece of schools at a time."""
    by_school: dict[int, list[Found]] = {}
    of_provinces: list[Found] = []
    for one in checked.findings:
        if one.school_key is None:
            of_provinces.append(one)
        else:
            by_school.setdefault(one.school_key, []).append(one)
    scores = {one.school_key: one for one in checked.scores}
    n_found = n_closed = 0
    for start in range(0, len(school_keys), PIECE):
        say(_("Keeping what was found"), 0.5 + 0.45 * start / max(len(school_keys), 1))
        keys = school_keys[start : start + PIECE]
        with transaction.atomic():
            found = [one for key in keys for one in by_school.get(key, ())]
            made, closed = _sync(Finding.objects.filter(school_id__in=keys), found, rules)
            _keep_scores(keys, scores)
        n_found, n_closed = n_found + made, n_closed + closed
    if part.is_nation or part.provinces:
        rows = Finding.objects.filter(school__isnull=True)
        if not part.is_nation:
            units = AdministrativeUnit.objects.filter(pk__in=part.provinces)
            rows = rows.filter(province_code__in=list(units.values_list("code", flat=True)))
        with transaction.atomic():
            made, closed = _sync(rows, of_provinces, rules)
        n_found, n_closed = n_found + made, n_closed + closed
    return NationCheck(
        n_schools=len(scores), n_open=len(checked.findings), n_found=n_found, n_closed=n_closed
    )


def _sync(rows: Any, found: Sequence[Found], rules: Any) -> tuple[int, int]:
    """Open what is new, close what is gone, bring values up to date; give how many were opened and closed."""
    now = clock.now()
    wanted: dict[FindingKey, Found] = {
        (one.school_key, one.province_code, one.rule, one.row): one for one in found
    }
    present = {
        (row.school_id, row.province_code if row.school_id is None else "", row.rule, row.row): row
        for row in rows.filter(is_open=True)
    }
    gone = [row.pk for key, row in present.items() if key not in wanted]
    changed = []
    for key, row in present.items():
        one = wanted.get(key)
        if one is not None and _refresh(row, one, rules[one.rule]):
            changed.append(row)
    new = [_finding(one, rules[one.rule], now) for key, one in wanted.items() if key not in present]
    for start in range(0, len(gone), PIECE):
        Finding.objects.filter(pk__in=gone[start : start + PIECE]).update(is_open=False, closed_at=now)
    if changed:
        Finding.objects.bulk_update(
            changed, ["value", "params", "severity", "dimension", "cell"], batch_size=100
        )
    Finding.objects.bulk_create(new, batch_size=PIECE, ignore_conflicts=True)
    return len(new), len(gone)


def _finding(one: Found, rule: Rule, now: datetime.datetime) -> Finding:
    """Make the row of a finding."""
    return Finding(
        school_id=one.school_key,
        province_code=one.province_code,
        rule=one.rule,
        dimension=rule.dimension,
        severity=rule.severity,
        row=one.row,
        cell=rule.cells[0],
        value=one.value,
        params=dict(one.params),
        found_at=now,
    )


def _refresh(row: Finding, one: Found, rule: Rule) -> bool:
    """Bring an open finding up to date; tell whether anything changed."""
    now = (one.value, dict(one.params), rule.severity, rule.dimension, rule.cells[0])
    if (row.value, row.params, row.severity, row.dimension, row.cell) == now:
        return False
    row.value, row.params, row.severity, row.dimension, row.cell = now
    return True


SCORE_FIELDS = (
    "province_code",
    "commune_code",
    "total",
    *DIMENSIONS,
    "n_errors",
    "n_warnings",
    "has_data",
    "is_confirmed",
)


def _keep_scores(keys: Sequence[int], scores: dict[int, SchoolScore]) -> None:
    """Write the scores that changed; a school that is no longer open has none."""
    present = {
        row[0]: row[1:]
        for row in SchoolState.objects.filter(school_id__in=keys).values_list("school_id", *SCORE_FIELDS)
    }
    now = clock.now()
    changed = []
    for key in keys:
        one = scores.get(key)
        if one is None:
            continue
        values = (
            one.province_code,
            one.commune_code,
            _rounded(one.total),
            *(_rounded(one.dimensions[name]) for name in DIMENSIONS),
            one.n_errors,
            one.n_warnings,
            one.has_data,
            one.is_confirmed,
        )
        if present.get(key) != values:
            fields = dict(zip(SCORE_FIELDS, values, strict=True))
            changed.append(SchoolState(school_id=key, scored_at=now, **fields))
    SchoolState.objects.filter(school_id__in=[key for key in present if key not in scores]).delete()
    SchoolState.objects.bulk_create(
        changed,
        batch_size=PIECE,
        update_conflicts=True,
        unique_fields=["school"],
        update_fields=[*SCORE_FIELDS, "scored_at"],
    )


def _rounded(value: float | None) -> float | None:
    """A score to four decimals, so that the order of a sum changes no row."""
    return None if value is None else round(value, 4)


class _Waiting:
    """The changed schools of one transaction: checked when it ends well, forgotten with it when it does not."""

    def __init__(self) -> None:
        self.keys: set[int] = set()
        self.is_done = False

    def __call__(self) -> None:
        """Check them: at once where they are few, else by a job."""
        self.is_done = True
        keys = sorted(self.keys)
        if not keys:
            return
        if len(keys) <= AT_ONCE:
            check_schools(school_keys=keys)
        elif len(keys) <= MOST_BY_KEYS:
            enqueue(SCHOOLS_JOB, {"school_keys": keys})
        else:
            enqueue(NATION_JOB, {})


def schools_were_changed(*, school_keys: Iterable[int]) -> None:
    """After the transaction ends well, check these schools together with its other changed ones."""
    registered = (entry[1] for entry in transaction.get_connection().run_on_commit)
    known = (work for work in registered if isinstance(work, _Waiting) and not work.is_done)
    waiting = next(known, None)
    if waiting is not None:
        waiting.keys.update(school_keys)
        return
    waiting = _Waiting()
    waiting.keys.update(school_keys)
    transaction.on_commit(waiting, robust=True)
