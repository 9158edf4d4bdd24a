"""The rules of readiness as plain functions: a machine, a school, its gap. No database; docs/algorithms/readiness.md."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

AT_MOST = frozenset({"clock_skew_s", "latency_ms", "loss_percent"})
YES_OR_NO = frozenset({"storage_works", "typing_works", "sound_works", "autosave_works", "server_works"})
BROWSERS = {"chromium": "chromium", "firefox": "firefox"}
PASSED, WARNED, FAILED = "passed", "warned", "failed"
COMPUTER, MIXED, PAPER, UNKNOWN = "computer", "mixed", "paper", "unknown"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A measure, what it means where it does not hold (``must`` or ``should``), and the bound."""

    measure: str
    weight: str
    bound: Decimal


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule held against a machine: ``holds`` is None where the machine does not tell the measure."""

    rule: Rule
    value: Any
    holds: bool | None

    @property
    def is_failure(self) -> bool:
        """Whether the machine cannot be used for this."""
        return self.holds is False and self.rule.weight == "must"

    @property
    def is_remark(self) -> bool:
        """Whether it is to be looked at: a wish that does not hold, or something that the machine hides."""
        return not self.holds and not self.is_failure


def holds(measure: str, value: Any, bound: Decimal) -> bool | None:
    """Tell whether a measured value keeps a bound; None where nothing was measured.

    Examples
    --------
    >>> holds("latency_ms", 80, Decimal(500)), holds("memory_gb", 1, Decimal(2)), holds("memory_gb", None, Decimal(2))
    (True, False, None)
    """
    if value is None:
        return None
    if measure in YES_OR_NO:
        return bool(value)
    number = abs(Decimal(str(value))) if measure == "clock_skew_s" else Decimal(str(value))
    return number <= bound if measure in AT_MOST else number >= bound


def findings(machine: Mapping[str, Any], rules: Iterable[Rule]) -> list[Finding]:
    """Hold the rules against what a machine measured.

    Parameters
    ----------
    machine : mapping
        Values by measure, and ``engine``. A rule about another family of browsers does not concern the machine; a
        browser of neither family keeps no rule about browsers.
    rules : iterable of Rule
        The rules of the cycle.
    """
    found = []
    engine = machine.get("engine")
    for rule in rules:
        family = BROWSERS.get(rule.measure)
        if family is not None and engine in BROWSERS.values() and engine != family:
            continue
        value = machine.get(rule.measure)
        answer = holds(rule.measure, value, rule.bound)
        if family is not None and engine not in BROWSERS.values():
            answer = False
        found.append(Finding(rule=rule, value=value, holds=answer))
    return found


def verdict(found: Iterable[Finding]) -> str:
    """Sum findings up: failed by one broken must, warned by any remark, else passed."""
    rows = list(found)
    if any(one.is_failure for one in rows):
        return FAILED
    return WARNED if any(one.is_remark for one in rows) else PASSED


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """The numbers of a norm that judge a school; shares in per cent."""

    n_students: int
    sitting_size: int
    n_sittings: int
    spare_percent: int
    mixed_percent: int
    checked_percent: int
    headphones_percent: int
    n_it_staff: int
    needs_backup_power: bool
    needs_server: bool
    needs_network: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a school: answers, machines that meet the norm by the survey, machines that checked themselves."""

    is_surveyed: bool
    n_students: int
    n_machines: int = 0
    n_meeting: int = 0
    n_passed: int = 0
    n_failed: int = 0
    n_headphones: int = 0
    n_it_staff: int = 0
    has_backup_power: bool = False
    has_server: bool = False
    has_network: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a norm asks for a number of students."""

    n_per_sitting: int
    n_machines: int
    n_rooms: int
    n_mixed: int
    n_checked: int
    n_headphones: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a mode is suggested: a code whose sentence stands in ``words``, with its numbers."""

    code: str
    is_hindrance: bool
    have: int = 0
    need: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The suggested mode of a school, why, what it needs and lacks."""

    mode: str
    reasons: tuple[Reason, ...]
    need: Need
    n_usable: int
    lack_machines: int = 0
    lack_headphones: int = 0
    lack_power: int = 0
    lack_server: int = 0
    lack_network: int = 0


def share_up(n: int, percent: int) -> int:
    """Give a percentage of a count, rounded up.

    Examples
    --------
    >>> share_up(35, 110), share_up(35, 50), share_up(0, 50)
    (39, 18, 0)
    """
    return -(-n * percent // 100)


def need_of(n_students: int, norm: Norm) -> Need:
    """Give what a norm asks for a number of students.

    Examples
    --------
    35 students in one sitting with a tenth to spare: 39 machines.
    """
    n_per_sitting = -(-n_students // norm.n_sittings)
    n_machines = share_up(n_per_sitting, 100 + norm.spare_percent)
    return Need(
        n_per_sitting=n_per_sitting,
        n_machines=n_machines,
        n_rooms=-(-n_per_sitting // norm.sitting_size),
        n_mixed=share_up(n_machines, norm.mixed_percent),
        n_checked=share_up(n_machines, norm.checked_percent),
        n_headphones=share_up(n_per_sitting, norm.headphones_percent),
    )


def usable(facts: Facts) -> int:
    """Count the machines on which one may rely: those that passed, or those that should, less those that failed.

    A machine that failed is taken to be one of those that met the norm on paper.
    """
    return max(facts.n_passed, facts.n_meeting - facts.n_failed, 0)


def judge(facts: Facts, norm: Norm) -> Outcome:
    """Suggest the mode of a school, with every reason and the gap.

    The conditions (power, server, line, staff) are asked before machines are counted; a school that lacks one is
    tested on paper until it has it. Enough machines of which too few checked themselves: not known yet.
    """
    need = need_of(facts.n_students, norm)
    if not facts.is_surveyed:
        missing = Reason(code="survey_missing", is_hindrance=True)
        return Outcome(mode=UNKNOWN, reasons=(missing,), need=need, n_usable=0)
    n_usable = usable(facts)
    conditions = list(_conditions(facts, norm))
    machines = Reason(
        code="machines_enough" if n_usable >= need.n_machines else "machines_short",
        is_hindrance=n_usable < need.n_machines,
        have=n_usable,
        need=need.n_machines,
    )
    checked = Reason(
        code="checked_enough" if facts.n_passed >= need.n_checked else "checked_short",
        is_hindrance=facts.n_passed < need.n_checked,
        have=facts.n_passed,
        need=need.n_checked,
    )
    reasons = [machines, checked, *conditions]
    if facts.n_failed:
        reasons.append(Reason(code="machines_failed", is_hindrance=False, have=facts.n_failed))
    lack_headphones = max(0, need.n_headphones - facts.n_headphones)
    if lack_headphones:
        reasons.append(
            Reason(
                code="headphones_short", is_hindrance=False, have=facts.n_headphones, need=need.n_headphones
            )
        )
    if n_usable < need.n_mixed or any(one.is_hindrance for one in conditions):
        mode = PAPER
    elif n_usable < need.n_machines:
        mode = MIXED
    else:
        mode = UNKNOWN if checked.is_hindrance else COMPUTER
    return Outcome(
        mode=mode,
        reasons=tuple(reasons),
        need=need,
        n_usable=n_usable,
        lack_machines=max(0, need.n_machines - n_usable),
        lack_headphones=lack_headphones,
        lack_power=int(norm.needs_backup_power and not facts.has_backup_power),
        lack_server=int(norm.needs_server and not facts.has_server),
        lack_network=int(norm.needs_network and not facts.has_network),
    )


def _conditions(facts: Facts, norm: Norm) -> Iterable[Reason]:
    """Ask the conditions of the norm, kept or not."""
    asked = (
        ("power", norm.needs_backup_power, facts.has_backup_power),
        ("server", norm.needs_server, facts.has_server),
        ("network", norm.needs_network, facts.has_network),
    )
    for code, is_needed, has_it in asked:
        if is_needed:
            yield Reason(code=f"{code}_{'there' if has_it else 'missing'}", is_hindrance=not has_it)
    if norm.n_it_staff:
        is_short = facts.n_it_staff < norm.n_it_staff
        code = "staff_short" if is_short else "staff_enough"
        yield Reason(code=code, is_hindrance=is_short, have=facts.n_it_staff, need=norm.n_it_staff)
