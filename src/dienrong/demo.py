"""The demonstration: a synthetic nation carried from its list of schools to a published report, in one go.

The second call finds everything in its place and takes seconds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.utils import translation

from dienrong import (
    demo_capacity,
    demo_datasets,
    demo_fieldwork,
    demo_followup,
    demo_plans,
    demo_readiness,
    demo_registry,
    demo_reporting,
    demo_sampling,
    demo_scaling,
    demo_standards,
)
from dienrong.core import clock

PASSWORD = "dien-rong-2026"  # noqa: S105 - printed for everyone who runs the demonstration
SEED = 2026
SCHOOL_YEAR = "2025-2026"
STEPS_ON_PAPER = (1, 2, 3, 7)
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAccount:
    """A person of the demonstration: one per role."""

    username: str
    full_name: str
    role: str
    unit_kind: str


ACCOUNTS = (
    DemoAccount(username="bo", full_name="Nguyễn Thị Minh", role="ministry_expert", unit_kind="nation"),
    DemoAccount(username="so", full_name="Trần Văn Hùng", role="province_officer", unit_kind="province"),
    DemoAccount(username="xa", full_name="Lò Thị Mai", role="commune_officer", unit_kind="commune"),
    DemoAccount(username="truong", full_name="Phạm Thị Hoa", role="school_coordinator", unit_kind="school"),
    DemoAccount(
        username="coi-khao-sat", full_name="Lê Quang Đức", role="test_administrator", unit_kind="school"
    ),
    DemoAccount(username="ma-hoa", full_name="Hoàng Thu Trang", role="coder", unit_kind="nation"),
    DemoAccount(username="nghien-cuu", full_name="Y Moan Êban", role="researcher", unit_kind="nation"),
)


class Console:
    """One line per piece of work; on a terminal the last line moves, elsewhere it is written every tenth."""

    def __init__(self) -> None:
        self._moves = sys.stdout.isatty()
        self._last: tuple[str, int] = ("", -1)

    def say(self, text: str) -> None:
        """Write a line that stays."""
        sys.stdout.write(("\r\x1b[K" if self._moves else "") + text + "\n")
        sys.stdout.flush()

    def progress(self, text: str, share: float) -> None:
        """Show how far the work is."""
        tenth = int(share * 10)
        if not self._moves:
            if tenth != self._last[1]:
                self.say(f"  {share:4.0%}  {text}")
        else:
            sys.stdout.write(f"\r\x1b[K  {share:4.0%}  {text[:90]}")
            sys.stdout.flush()
        self._last = (text, tenth)


def run_demo(console_progress: Console | None = None, *, size: str = "national") -> None:
    """Build the demonstration, or find it built: registry, accounts, cycle, analysis, published report."""
    console = console_progress or Console()
    with translation.override(settings.LANGUAGE_CODE):
        call_command("migrate", interactive=False, verbosity=0)
        console.say("Cơ sở dữ liệu đã sẵn sàng · The database is ready")
        expert = _expert()
        load = _load_registry(expert, size, console)
        school = _make_accounts(expert)
        _fill_registry(school, load, expert, size, console)
        cycle = _make_cycle(expert)
        _make_plans(cycle, expert, size, console)
        _fill_capacity(expert, console)
        _fill_followup(cycle, expert, console)
        _fill_readiness(cycle, expert, console)
        run = _run_analysis(cycle, expert, size, console)
        _set_steps(cycle, expert)
        _scale(cycle, run, expert, console)
        _publish(run, expert, console)
        _set_standards(cycle, expert, console)
        _release_data(run, expert, console)
        _plan(expert, size, console)
        _compare(expert, console)
        console.say(_closing())


def _expert() -> Any:
    """Give the ministry expert in whose name the demonstration is built."""
    from dienrong.accounts import operations

    return _person(ACCOUNTS[0]) or _create(operations, ACCOUNTS[0], None, "", "")


def _person(account: DemoAccount) -> Any | None:
    """Find a demonstration account."""
    from dienrong.accounts.models import User

    return User.objects.filter(username=account.username, is_demo=True).first()


def _create(operations: Any, account: DemoAccount, by: Any, unit_code: str, unit_name: str) -> Any:
    """Make a demonstration account with its role."""
    with transaction.atomic():
        user = operations.create_person(
            username=account.username, full_name=account.full_name, password=PASSWORD, by=by, is_demo=True
        )
        operations.assign_role(
            user=user, role=account.role, unit_code=unit_code, unit_name=unit_name, by=by or user
        )
    return user


def _load_registry(expert: Any, size: str, console: Console) -> Any:
    """Load units and schools of the synthetic nation."""
    last = demo_registry.load_registry(
        seed=SEED, size=size, school_year=SCHOOL_YEAR, by=expert, say=console.progress
    )
    console.say(f"{last.n_provinces} tỉnh · {last.n_communes} xã · {last.n_schools} trường (schools)")
    return last


def _fill_registry(school: Any, load: Any, expert: Any, size: str, console: Console) -> None:
    """Give the officers something to look at: class lists of their commune, a draft of mergers, faults in the data."""
    n_pupils = demo_registry.fill_rosters(
        commune_code=school.commune.code, seed=SEED, size=size, school_year=SCHOOL_YEAR, by=expert
    )
    demo_registry.draft_mergers(province=school.province, by=expert)
    n_faults = demo_registry.check_data(loaded_at=load.loaded_at, by=expert, say=console.progress)
    console.say(
        f"{n_pupils} học sinh trong danh sách, {n_faults} điểm dữ liệu cần xem lại · "
        f"{n_pupils} pupils listed, {n_faults} points of data to look at"
    )


def _make_accounts(expert: Any) -> Any:
    """Make one account per role, all in the units of one school; give the school."""
    from dienrong.accounts import operations
    from dienrong.registry.models import School

    school = (
        School.objects.filter(is_open=True, enrolments__grade=5)
        .select_related("commune", "province")
        .order_by("school_id")
        .first()
    )
    if school is None:
        raise SystemExit("The registry holds no school with grade 5; the demonstration cannot go on.")
    units = {
        "nation": ("", ""),
        "province": (school.province.code, school.province.name),
        "commune": (school.commune.code, school.commune.full_name),
        "school": (school.school_id, school.name),
    }
    for account in ACCOUNTS[1:]:
        if _person(account) is None:
            _create(operations, account, expert, *units[account.unit_kind])
    return school


def _make_cycle(expert: Any) -> Any:
    """Make the programme and its cycle of 2026."""
    from dienrong.cycles import operations

    programme = operations.create_programme(
        code="quoc-gia",
        name_vi="Đánh giá diện rộng cấp quốc gia chất lượng giáo dục phổ thông",
        name_en="National large-scale assessment of general education",
        legal_basis="Thông tư 08/2026/TT-BGDĐT",
        by=expert,
    )
    subjects = (
        operations.SubjectNames(code="maths", name_vi="Toán", name_en="Mathematics"),
        operations.SubjectNames(code="reading", name_vi="Tiếng Việt, Ngữ văn", name_en="Reading"),
    )
    new = operations.NewCycle(
        slug="quoc-gia-2026",
        name_vi="Đánh giá diện rộng cấp quốc gia 2026",
        name_en="National large-scale assessment 2026",
        school_year=SCHOOL_YEAR,
        first_test_date=date(2026, 4, 20),
        grades=(5, 9),
        subjects=subjects,
        is_demonstration=True,
    )
    return operations.create_cycle(programme=programme, new=new, by=expert)


def _make_plans(cycle: Any, expert: Any, size: str, console: Console) -> None:
    """Draw the schools of grade 5 in public, and leave the plan of grade 9 as a draft."""
    from dienrong.sampling import queries

    drawn, _draft = demo_sampling.make_plans(
        cycle=cycle, school_year=SCHOOL_YEAR, frame_date=clock.today(), by=expert
    )
    plan = queries.plan_by_pk(drawn.pk)
    n_schools = queries.counts_of(plan.draw).get("original", 0) if plan is not None else 0
    console.say(
        f"{n_schools} trường lớp 5 đã rút mẫu công khai · {n_schools} schools of grade 5 drawn in public"
    )
    if plan is not None:
        n_tested = demo_fieldwork.fill_fieldwork(
            plan=plan, seed=SEED, size=size, by=expert, person=_person_named
        )
        console.say(
            f"Đang triển khai: {n_tested} trường đã khảo sát xong · In the field: {n_tested} schools tested"
        )


def _fill_capacity(expert: Any, console: Console) -> None:
    """Fill the register of people, trainings and certificates."""
    n_certificates = demo_capacity.fill_capacity(by=expert, person=_person_named)
    console.say(
        f"{n_certificates} giấy chứng nhận bồi dưỡng đã cấp · {n_certificates} training certificates issued"
    )


def _fill_followup(cycle: Any, expert: Any, console: Console) -> None:
    """Fill the plans of the ministry and of a province, with tasks, duties and risks."""
    n_tasks = demo_followup.fill_followup(by=expert, cycle=cycle, person=_person_named)
    console.say(f"{n_tasks} nhiệm vụ trong kế hoạch · {n_tasks} tasks in the plans")


def _fill_readiness(cycle: Any, expert: Any, console: Console) -> None:
    """Fill the survey of facilities, the machine checks and the estimates."""
    n_schools = demo_readiness.fill_readiness(cycle=cycle, by=expert, person=_person_named)
    console.say(f"{n_schools} trường đã khảo sát phòng máy · {n_schools} schools surveyed for readiness")


def _person_named(username: str) -> Any:
    """Give a demonstration account by its name."""
    return next(_person(account) for account in ACCOUNTS if account.username == username)


def _run_analysis(cycle: Any, expert: Any, size: str, console: Console) -> Any:
    """Run the whole cycle, unless a run with these options and this software is done."""
    from dienrong.analysis import numeric, operations, queries

    request = numeric.RunRequest(
        size=size,
        seed=SEED,
        grades=tuple(cycle.grades.values_list("grade", flat=True)),
        suppression_rules=cycle.suppression_rules,
    )
    last = queries.last_done(cycle)
    same = last is not None and last.options_hash == request.fingerprint
    if same and last.software_version == numeric.SOFTWARE_VERSION and queries.is_stored(last):
        console.say(f"Lượt phân tích {last.number} còn nguyên, dùng lại · Run {last.number} is reused")
        return last
    console.say("Chạy cả chu kỳ: khung mẫu → mẫu → trả lời → thang đo → trọng số → ước lượng → báo cáo")
    operations.end_open_runs(cycle=cycle, by=expert)
    run = operations.request_run(
        cycle=cycle,
        options=operations.RunOptions(size=size, seed=SEED),
        by=expert,
        in_background=False,
    )
    operations.execute_run(run, progress=console.progress)
    if run.refusal:
        raise SystemExit(run.refusal)
    seconds = queries.seconds_of(run) or 0.0
    console.say(f"Xong sau {seconds:.0f} giây · Done in {seconds:.0f} s")
    return run


def _scale(cycle: Any, run: Any, expert: Any, console: Console) -> None:
    """Scale one subject as a psychometrician would: first run, one decision, the run that follows it."""
    scaled = demo_scaling.make_study(cycle=cycle, run=run, by=expert, say=console.progress)
    n_items = scaled.summary.get("n_items", 0)
    console.say(
        f"Định cỡ Toán lớp 5: lượt {scaled.number}, {n_items} câu hỏi · Scaling of grade 5 mathematics: run "
        f"{scaled.number}, {n_items} items" + (f" · {scaled.refusal}" if scaled.refusal else "")
    )


def _set_steps(cycle: Any, expert: Any) -> None:
    """Mark the steps that are done on paper; those with artefacts were marked by the run."""
    from dienrong.cycles import operations

    for step in cycle.steps.filter(number__in=STEPS_ON_PAPER, state="not_started"):
        operations.change_step(step=step, state="done", note="", by=expert, seen_at=step.changed_at)


def _publish(run: Any, expert: Any, console: Console) -> None:
    """Publish the report of the run, unless it is."""
    from dienrong.reporting import operations, queries

    kept = queries.publication_in_force(run.cycle)
    if kept is None or kept.run_id != run.pk:
        operations.publish_report(run=run, by=expert)
    demo_reporting.write_reports(run=run, officer=_person_named("so"), by=expert)
    console.say("Báo cáo quốc gia và báo cáo các tỉnh đã công bố · The reports are published")


def _set_standards(cycle: Any, expert: Any, console: Console) -> None:
    """Let panels of experts set cuts on the finished run."""
    console.progress("Chuyên gia xác định chuẩn · Panels set standards", 0.0)
    n = demo_standards.fill_standards(cycle=cycle, by=expert)
    console.say(f"{n} phiên xác định chuẩn · {n} standard-setting sessions")


def _release_data(run: Any, expert: Any, console: Console) -> None:
    """Publish data files of the run, with a request that waits."""
    n = demo_datasets.fill_datasets(run=run, by=expert, password=PASSWORD, say=console.progress)
    console.say(f"{n} bộ tệp dữ liệu đã công bố · {n} releases of data files")


def _plan(expert: Any, size: str, console: Console) -> None:
    """Load the plans of Project 468 and show two merged provinces at work on them."""
    from dienrong.accounts import operations

    def make(username: str, full_name: str, role: str, code: str, unit: str) -> Any:
        account = DemoAccount(username=username, full_name=full_name, role=role, unit_kind="province")
        return _person(account) or _create(operations, account, expert, code, unit)

    console.progress("Kế hoạch 468 · Plan 468", 0.0)
    n = demo_plans.fill_plans(size=size, by=expert, make=make)
    console.say(
        f"{n} mục tiêu của Đề án 468 đã nạp nguyên văn · {n} targets of Project 468 loaded as written"
    )


def _compare(expert: Any, console: Console) -> None:
    """Compare with real studies where their data lie beside the program; keep and print the result."""
    from dienrong.reporting import numeric, operations, queries

    folder = Path(os.environ.get("DIENRONG_SHARED", Path(__file__).resolve().parents[3] / "shared"))
    if not (folder / "data").is_dir():
        console.say(
            "Không có thư mục dữ liệu thật, bỏ qua đối chiếu PISA, TIMSS · No real data beside the program"
        )
        return
    if not queries.comparison_rows().exists():
        console.progress("Đối chiếu với PISA và TIMSS · Comparing with PISA and TIMSS", 0.0)
        operations.store_comparison(rows=numeric.compare_real_data(folder), by=expert)
        console.say(_compared(queries.comparison_rows()))
    for study in queries.comparison_studies():
        rows = queries.comparison_rows(study)
        most = queries.largest_difference(study)
        console.say(f"  {study}: {rows.count()} statistics, largest difference {most:.2g}")


def _compared(rows: Any) -> str:
    """Write each statistic of the real studies, with its standard error, beside the peer's."""
    heading = (
        f"  {'study':<11} {'group':<42} {'statistic':<14} {'ours (SE)':>22} {'reference (SE)':>22}  peer"
    )
    lines = ["Đối chiếu với PISA và TIMSS · Comparison with PISA and TIMSS", heading]
    for row in rows:
        ours = _with_error(row.estimate, row.standard_error)
        peer = _with_error(row.reference_estimate, row.reference_standard_error)
        lines.append(
            f"  {row.study:<11} {row.group[:42]:<42} {row.statistic[:14]:<14} {ours:>22} {peer:>22}  {row.peer}"
        )
    return "\n".join(lines)


def _with_error(value: float, error: float | None) -> str:
    """Write a value with its standard error."""
    return f"{value:.4f}" + ("" if error is None else f" ({error:.4f})")


def _closing() -> str:
    """Write the address and the accounts."""
    from dienrong.accounts.models import Role

    titles = dict(Role.choices)
    lines = ["", f"Tài khoản trình diễn · Demonstration accounts (mật khẩu · password: {PASSWORD})"]
    lines += [
        f"  {account.username:<14} {titles[account.role]} – {account.full_name}" for account in ACCOUNTS
    ]
    lines += ["", f"Địa chỉ · Address: http://{settings.OPTIONS.host}:{settings.OPTIONS.port}/", ""]
    return "\n".join(lines)
