"""What a session can be opened on: finished runs of the cycle, by grade and subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from dienrong.analysis import queries as analysis
from dienrong.cycles.models import Cycle
from dienrong.scaling import queries as scaling
from dienrong.standards import numeric
from dienrong.standards.models import StandardSetting


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A run, grade and subject whose items can be judged; ``grade`` is 0 where the source has none."""

    source: str
    number: int
    grade: int
    subject: str
    title: str
    manifests: tuple[tuple[str, str], ...]

    @property
    def key(self) -> str:
        """How a form names it."""
        return f"{self.source}:{self.number}:{self.grade}:{self.subject}"


def choices(cycle: Cycle, user: Any) -> tuple[Choice, ...]:
    """List what a person can open a session on, the newest runs first."""
    return (*scaling_choices(cycle), *analysis_choices(cycle))


def choice(cycle: Cycle, user: Any, key: str) -> Choice | None:
    """Give the choice of a key."""
    return next((one for one in choices(cycle, user) if one.key == key), None)


def analysis_choices(cycle: Cycle) -> tuple[Choice, ...]:
    """List the grades and subjects of the newest finished run of the whole pipeline."""
    run = analysis.last_done(cycle)
    if run is None:
        return ()
    names = {one.code: one.name for one in cycle.subjects.all()}
    stages: dict[int, dict[str, str]] = {}
    for stage in analysis.stages_of(run):
        if stage.grade is not None:
            stages.setdefault(stage.grade, {})[stage.stage] = stage.manifest_id
    found = []
    for grade, manifests in sorted(stages.items()):
        wanted = {name: manifests.get(name, "") for name in ("calibration", "values", "weights")}
        if not all(wanted.values()):
            continue
        for subject in numeric.subjects_in(analysis.store_path(cycle), wanted["calibration"]):
            title = _("%(subject)s, grade %(grade)s · analysis run %(number)s") % {
                "subject": names.get(subject, subject),
                "grade": grade,
                "number": run.number,
            }
            found.append(
                Choice(
                    source=StandardSetting.Source.ANALYSIS,
                    number=run.number,
                    grade=grade,
                    subject=subject,
                    title=title,
                    manifests=tuple(wanted.items()),
                )
            )
    return tuple(found)


def scaling_choices(cycle: Cycle) -> tuple[Choice, ...]:
    """List the newest finished run of each study of scaling that drew plausible values."""
    found: dict[int, Choice] = {}
    for run in scaling.done_runs(cycle):
        manifests = scaling.manifests_of(run)
        if run.study_id in found or not all(manifests.get(one) for one in ("population", "values")):
            continue
        behind = run.data.run
        weights = ""
        if behind is not None and run.study.grade:
            stages = behind.stages.filter(stage="weights", grade=run.study.grade)
            weights = stages.values_list("manifest_id", flat=True).first() or ""
        found[run.study_id] = Choice(
            source=StandardSetting.Source.SCALING,
            number=run.pk,
            grade=run.study.grade or 0,
            subject=run.study.subject,
            title=_("%(study)s · scaling run %(number)s") % {"study": run.study.title, "number": run.number},
            manifests=(
                ("scores", manifests.get("scores", "")),
                ("population", manifests["population"]),
                ("values", manifests["values"]),
                ("weights", weights),
            ),
        )
    return tuple(found.values())


def opened(cycle: Cycle, chosen: Choice) -> numeric.Opened:
    """Read what a choice gives.

    Raises
    ------
    LsakitError
        If an artefact is missing or was changed.
    """
    if chosen.source == StandardSetting.Source.SCALING:
        return numeric.open_scaling(analysis.store_path(cycle), dict(chosen.manifests))
    return numeric.open_analysis(analysis.store_path(cycle), dict(chosen.manifests), chosen.subject)
