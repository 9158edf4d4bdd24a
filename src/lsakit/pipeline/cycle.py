"""Run a whole cycle: every stage once, both grades side by side, unchanged stages reused."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from lsakit.errors import LineageError
from lsakit.lineage import Manifest, Progress, StepRequest, Store
from lsakit.pipeline.options import CycleOptions
from lsakit.pipeline.plan import (
    ORDER,
    Place,
    PlannedStage,
    plan_grade,
    plan_languages,
    plan_nation,
    plan_report,
    ref_name,
)
from lsakit.pipeline.runners import ChildRunner, Clock, LocalRunner, Runner

_NATION_SHARE, _REPORT_SHARE = 0.05, 0.10
Say = Callable[[Place, str, float], None]
Job = Callable[[Runner, Say], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleResult:
    """What a cycle left in its store.

    Parameters
    ----------
    manifests : Mapping of (str, int or None) to str
        Manifest id by stage and grade; grade None for the stages that all grades share.
    computed : tuple of (str, int or None)
        Stages that were computed now; the others were reused.
    """

    manifests: Mapping[Place, str]
    computed: tuple[Place, ...] = field(default=())


def run_cycle(
    store: Store,
    options: CycleOptions,
    *,
    now: datetime | Clock,
    who: str,
    progress: Progress | None = None,
    n_processes: int | None = None,
) -> CycleResult:
    """Run every stage of a cycle, reusing what the store already holds.

    Parameters
    ----------
    store : Store
        Where artefacts and manifests lie and go.
    options : CycleOptions
        The cycle.
    now : datetime or callable
        Moment of the run, or a clock that gives it: one reading per stage.
    who : str
        Who started it.
    progress : callable, optional
        Takes a text and the share done; it may raise :class:`~lsakit.errors.CancelledError`, which ends the
        cycle and leaves the stages that are done.
    n_processes : int, optional
        Processes that compute grades side by side; 2 for a national cycle of two grades, else 1. The numbers
        do not depend on it.

    Returns
    -------
    CycleResult
        Manifests by stage and grade.

    Raises
    ------
    LsakitError
        If a stage refuses its inputs.
    """
    if callable(now):
        clock = now
    else:
        moment = now

        def clock() -> datetime:
            return moment

    n = n_processes or (2 if options.size == "national" and len(options.grades) > 1 else 1)
    run = _Run(store, clock, who, _rounded(progress))
    local = LocalRunner(store, clock, who)
    run.stage(plan_nation(options), local, run.say_between(0.0, _NATION_SHARE))
    run.grades(options, local, n)
    run.languages(options, local, n)
    run.stage(plan_report(options), local, run.say_between(0.999, 1.0))
    _drop_other_grades(store, set(options.grades))
    return CycleResult(
        manifests={place: manifest.id for place, manifest in sorted(run.done.items(), key=_in_order)},
        computed=tuple(sorted(run.computed, key=lambda place: _in_order((place, None)))),
    )


def _rounded(progress: Progress | None) -> Progress:
    """Report shares to six digits, so that the sum of parts never goes back by a rounding error."""
    if progress is None:
        return lambda _text, _share: None
    return lambda text, share: progress(text, round(share, 6))


def _in_order(entry: tuple[Place, Any]) -> tuple[int, int]:
    """Sort places by stage, then grade."""
    stage, grade = entry[0]
    return ORDER.index(stage), grade or 0


def _drop_other_grades(store: Store, grades: set[int]) -> None:
    """Let go of the names of grades that this cycle does not have."""
    for name in store.refs():
        stage, _, grade = name.partition("/grade")
        if stage in ORDER and grade.isdigit() and int(grade) not in grades:
            store.drop_ref(name)


class _Run:
    """One run of a cycle: what is done, what was computed."""

    def __init__(self, store: Store, clock: Clock, who: str, progress: Progress) -> None:
        self.store = store
        self.clock = clock
        self.who = who
        self.progress = progress
        self.done: dict[Place, Manifest] = {}
        self.computed: list[Place] = []

    def say_between(self, low: float, high: float) -> Say:
        """Report one stage's progress as a part of the whole."""
        return lambda place, text, share: self.progress(
            f"{ref_name(place)} · {text}", low + share * (high - low)
        )

    def stage(self, planned: PlannedStage, runner: Runner, say: Say) -> None:
        """Run one stage."""
        inputs = {}
        for role, (source, output) in planned.inputs.items():
            inputs[role] = self.done[source].outputs[output].hash
        request = StepRequest(inputs=inputs, parameters=planned.parameters, seed=planned.seed)
        texts: list[str] = []
        highest = 0.0

        def report(text: str, share: float) -> None:
            nonlocal highest
            highest = max(highest, share)  # a step of several parts counts each from the start
            texts.append(text)
            say(planned.place, text, highest)

        manifest = runner.run(planned.step, request, report)
        if texts[:1] != [f"{planned.step}: unchanged"]:
            self.computed.append(planned.place)
        self.done[planned.place] = manifest
        self.store.set_ref(ref_name(planned.place), manifest.id)

    def grade(self, options: CycleOptions, grade: int, runner: Runner, say: Say) -> None:
        """Run the stages of one grade, one after the other."""
        before = 0.0
        for planned in plan_grade(options, grade):

            def share_of_grade(
                place: Place, text: str, share: float, low: float = before, width: float = planned.share
            ) -> None:
                say(place, text, low + width * share)

            self.stage(planned, runner, share_of_grade)
            before += planned.share

    def grades(self, options: CycleOptions, local: Runner, n_processes: int) -> None:
        """Run all grades, side by side when there are processes for it."""
        shares = dict.fromkeys(options.grades, 0.0)

        def whole(place: Place, text: str, share: float) -> None:
            shares[place[1] or 0] = share
            done = sum(shares.values()) / len(shares)
            self.progress(
                f"{ref_name(place)} · {text}", _NATION_SHARE + done * (1 - _NATION_SHARE - _REPORT_SHARE)
            )

        jobs = [partial(self.grade, options, grade) for grade in options.grades]
        self._side_by_side(jobs, local, n_processes, whole)

    def languages(self, options: CycleOptions, local: Runner, n_processes: int) -> None:
        """Compose the reports of all languages, side by side when there are processes for it."""
        stages = plan_languages(options)
        shares = dict.fromkeys((stage.stage for stage in stages), 0.0)

        def whole(place: Place, text: str, share: float) -> None:
            shares[place[0]] = share
            done = sum(shares.values()) / len(shares)
            self.progress(f"{ref_name(place)} · {text}", 1.0 - _REPORT_SHARE + done * (_REPORT_SHARE - 0.001))

        jobs = [partial(self.stage, stage) for stage in stages]
        self._side_by_side(jobs, local, n_processes, whole)

    def _side_by_side(self, jobs: Sequence[Job], local: Runner, n_processes: int, say: Say) -> None:
        """Give each job a thread that drives a child process; progress is reported from this thread."""
        if n_processes == 1 or len(jobs) == 1:
            for job in jobs:
                job(local, say)
            return
        waiting = list(reversed(jobs))
        runners: list[Runner] = []
        events: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()

        def start() -> bool:
            if not waiting:
                return False
            runners.append(ChildRunner(self.store, self.clock, self.who))
            arguments = (waiting.pop(), runners[-1], events)
            threading.Thread(target=_work, args=arguments, daemon=True).start()
            return True

        try:
            running = sum(start() for _ in range(n_processes))
            while running:
                event = events.get()
                if len(event) == 3:
                    say(*event)
                    continue
                if event[0] is not None:
                    raise event[0]
                running += int(start()) - 1
        finally:
            for runner in runners:
                runner.close()


def _work(job: Job, runner: Runner, events: queue.SimpleQueue[tuple[Any, ...]]) -> None:
    """Do one job in a thread; what it says, and how it ended, goes to the thread that waits."""
    try:
        job(runner, lambda *event: events.put(event))
        events.put((None,))
    except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
        events.put((error,))


def load_estimates(store: Store) -> Any:
    """Read the estimates of all grades of the newest cycle.

    Parameters
    ----------
    store : Store
        The store.

    Returns
    -------
    polars.DataFrame
        The tidy table of estimates, grade by grade.

    Raises
    ------
    LineageError
        If the store holds no estimates, or they were changed.
    """
    import polars as pl

    names = [name for name in store.refs() if name.startswith("estimates/grade")]
    if not names:
        raise LineageError(
            f"The store {store.path.name!r} holds no estimates.",
            hint="Run a cycle first: `lsa cycle --store DIR`.",
            param="store",
        )
    tables = [store.table(store.manifest(store.ref(name)).outputs["estimates"].hash) for name in names]
    return pl.concat(tables)
