"""Freezing the data of a run."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import demand
from dienrong.analysis import queries as runs
from dienrong.analysis.models import AnalysisRun
from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.text import clean_text
from dienrong.datasets import numeric, queries
from dienrong.datasets.models import Freeze, FrozenArtefact
from dienrong.datasets.operations.refusals import DatasetsRefusal, NotNow


@transaction.atomic
def freeze_run(*, run: AnalysisRun, grade: int, note: str = "", by: Any | None) -> Freeze:
    """Hold the data of one grade of a run by their hashes; nothing of a freeze ever changes.

    Raises
    ------
    NotNow
        If the run is not done, or the grade is frozen already.
    DatasetsRefusal
        If a table of the run is gone or was changed.
    """
    if by is not None:
        demand(by, "manage_datasets")
    run = AnalysisRun.objects.select_for_update(of=("self",)).select_related("cycle").get(pk=run.pk)
    if run.state != AnalysisRun.State.DONE:
        raise NotNow(
            _("Only a run that is done can be frozen."), hint=_("Wait for the run, or choose another.")
        )
    if Freeze.objects.filter(run=run, grade=grade).exists():
        raise NotNow(_("The data of this grade of the run are frozen already."))
    found = numeric.freeze_or_refusal(runs.store_path(run.cycle), queries.manifests_of(run, grade))
    if isinstance(found, str):
        raise DatasetsRefusal(found)
    freeze = Freeze.objects.create(
        run=run,
        grade=grade,
        content_hash=found.content_hash,
        n_students=found.n_students,
        n_schools=found.n_schools,
        note=clean_text(note)[:300],
        frozen_at=clock.now(),
        frozen_by=by,
    )
    FrozenArtefact.objects.bulk_create(
        FrozenArtefact(freeze=freeze, role=role, artefact_hash=value) for role, value in found.hashes
    )
    after = {"run": run.number, "grade": grade, "hash": freeze.content_hash, "students": freeze.n_students}
    record(action="datasets.frozen", actor=by, obj=freeze, after=after)
    return freeze
