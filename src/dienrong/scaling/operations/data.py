"""Data of a study: sent or taken from a run, matched, looked at, frozen. Until then nothing is in the store."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import demand
from dienrong.analysis import queries as analysis
from dienrong.analysis.models import AnalysisRun
from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.refusals import Conflict
from dienrong.scaling import kept, queries
from dienrong.scaling.models import ScalingStudy, StudyData
from dienrong.scaling.numeric import sources, uploads
from dienrong.scaling.operations.refusals import DataRefused

STATE = StudyData.State
SOURCE = StudyData.Source
FILE_ROLES = ("responses", "items", "students")
STAGES_OF_RUN = ("nation", "administration", "weights")
SHARED_STAGE = "nation"
"""The stage that also makes what all grades share: the booklets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFile:
    """A file as it was sent."""

    name: str
    chunks: Iterable[bytes]


def send_files(*, study: ScalingStudy, files: Mapping[str, SentFile], by: Any | None) -> StudyData:
    """Keep files as the draft of a study's data and guess what their columns are; an earlier draft is thrown away.

    Raises
    ------
    DataRefused
        If a file has an ending that is not read, or cannot be read; nothing is kept then.
    """
    if by is not None:
        demand(by, "run_analysis")
    held: dict[str, dict[str, Any]] = {}
    try:
        for role, sent in files.items():
            held[role] = _keep(role, sent)
        columns = [
            column
            for role, one in held.items()
            for column in uploads.columns_of(kept.path_of(one["kept"]), role)[0]
        ]
    except uploads.FileRefusedError as error:
        kept.forget(one["kept"] for one in held.values())
        sentence = str(error)
        for one in held.values():  # the sender knows the file by the name it was sent under
            sentence = sentence.replace(one["kept"], one["name"])
        raise DataRefused(
            sentence, hint=_("Correct the file or save it as .xlsx or .csv, then send it again.")
        ) from error
    except DataRefused:
        kept.forget(one["kept"] for one in held.values())
        raise
    matching = uploads.guessed_matching(columns, has_items="items" in held)
    return _write_draft(study, {"source": SOURCE.FILES, "files": held, "mapping": matching.to_json()}, by)


def _keep(role: str, sent: SentFile) -> dict[str, Any]:
    """Keep one file; packed ones are unpacked."""
    if kept.ending_of(sent.name) not in uploads.ENDINGS:
        raise DataRefused(
            _("The file “%(name)s” is of a kind that is not read.") % {"name": sent.name},
            hint=_("Send one of: %(endings)s.") % {"endings": ", ".join(uploads.ENDINGS)},
        )
    name = kept.keep(sent.name, sent.chunks)
    path = kept.path_of(name)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        plain = uploads.unpack(path)
    except uploads.FileRefusedError:
        kept.forget([name])
        raise
    return {
        "name": Path(sent.name).name[:200],
        "kept": plain.name,
        "digest": f"sha256:{digest}",
        "role": role,
    }


def take_run(*, study: ScalingStudy, run: AnalysisRun, by: Any | None) -> StudyData:
    """Take the data of a study from a run of its cycle, as a draft to look at.

    Raises
    ------
    Conflict
        If the run is of another cycle or not done, or the study names no grade.
    DataRefused
        If the run has no item of the study's subject, or its artefacts are gone.
    """
    if by is not None:
        demand(by, "run_analysis")
    if run.cycle_id != study.cycle_id or run.state != AnalysisRun.State.DONE or study.grade is None:
        raise Conflict(
            _("Data are taken from a run of this cycle that is done, for the grade that the study names."),
            hint=_("Choose another run, or send files."),
        )
    taken = _of_run(study, run)
    values = {
        "source": SOURCE.RUN,
        "run": run,
        "mapping": {"roles": taken["roles"]},
        "counts": {**taken["counts"], "faults": {"n": 0, "kept": [], "n_by_code": {}}},
    }
    return _write_draft(study, values, by)


def _of_run(study: ScalingStudy, run: AnalysisRun) -> dict[str, Any]:
    """Read the tables of a study from a run."""
    rows = run.stages.filter(stage__in=STAGES_OF_RUN, grade=study.grade)
    manifests = dict(rows.values_list("stage", "manifest_id"))
    shared = run.stages.filter(stage=SHARED_STAGE, grade__isnull=True).first()
    if shared is not None:
        manifests["shared"] = shared.manifest_id
    try:
        return sources.tables_of_run(analysis.store_path(study.cycle), manifests, study.subject)
    except sources.SourceRefusedError as error:
        if error.code == "subject":
            raise DataRefused(
                _("Run %(number)d has no item of the subject “%(subject)s” in grade %(grade)s.")
                % {"number": run.number, "subject": study.subject, "grade": study.grade},
                hint=_("Choose another run, or make a study of a subject and grade that the cycle has."),
            ) from error
        raise DataRefused(
            _("The artefacts of run %(number)d are not whole.") % {"number": run.number},
            hint=_("Check its files on the page of the run, or run the cycle again."),
        ) from error


@transaction.atomic
def _write_draft(study: ScalingStudy, values: Mapping[str, Any], by: Any | None) -> StudyData:
    """Write a draft in place of an earlier one."""
    held = ScalingStudy.objects.select_for_update().get(pk=study.pk)
    for earlier in held.data.filter(state=STATE.DRAFT):
        _forget(earlier)
    last = held.data.aggregate(last=Max("number"))["last"] or 0
    data = StudyData.objects.create(study=held, number=last + 1, **values)
    names = {role: one["name"] for role, one in data.files.items()}
    record(
        action="scaling.data_sent",
        actor=by,
        obj=held,
        after={"source": data.source, "files": names, "run": data.run.number if data.run else None},
    )
    return data


def _forget(data: StudyData) -> None:
    """Delete a draft; its files go once the change is certain."""
    names = [one["kept"] for one in data.files.values()]
    data.delete()
    transaction.on_commit(lambda: kept.forget(names))


def match_columns(*, data: StudyData, matching: uploads.Matching, by: Any | None) -> StudyData:
    """Say which column of the files is what, and count what comes of it; faults are kept to be shown.

    Raises
    ------
    Conflict
        If the data are frozen already.
    DataRefused
        If a file cannot be read any more.
    """
    if by is not None:
        demand(by, "run_analysis")
    prepared = _prepared(data, matching)
    with transaction.atomic():
        held = hold_draft(data)
        held.mapping = {**matching.to_json(), "columns": prepared.roles}
        held.counts = {**prepared.counts, "faults": prepared.faults.to_json()}
        held.save(update_fields=["mapping", "counts"])
        record(
            action="scaling.data_matched",
            actor=by,
            obj=held.study,
            after={"mapping": held.mapping, "n_faults": prepared.faults.n},
        )
    return held


def _prepared(data: StudyData, matching: uploads.Matching) -> uploads.Prepared:
    """Make the tables of a draft."""
    paths = {role: kept.path_of(one["kept"]) for role, one in data.files.items()}
    try:
        return uploads.prepare(paths, matching)
    except uploads.FileRefusedError as error:
        raise DataRefused(str(error), hint=_("Send the files again.")) from error


def hold_draft(data: StudyData) -> StudyData:
    """Hold data for a change.

    Raises
    ------
    Conflict
        If they are frozen or thrown away already.
    """
    held = (
        StudyData.objects.select_for_update(of=("self",))
        .filter(pk=data.pk)
        .select_related("study__cycle", "run")
        .first()
    )
    if held is None or held.state != STATE.DRAFT:
        raise Conflict(
            _("These data are no draft any more."),
            hint=_(
                "What is frozen is never changed. Send other files to replace them; earlier runs keep theirs."
            ),
        )
    return held


def freeze_data(*, data: StudyData, by: Any | None) -> StudyData:
    """Put the tables of a draft into the store and freeze their hashes; runs use them from now on.

    Invariant: the row is frozen only with every table in the store; a table alone in the store harms nothing.

    Raises
    ------
    Conflict
        If the data are no draft any more.
    DataRefused
        If faults remain, or the columns were never matched.
    """
    if by is not None:
        demand(by, "run_analysis")
    if data.state != STATE.DRAFT:
        hold_draft(data)
    tables, columns, counts = _tables(data)
    artefacts = sources.put_tables(queries.store_path(data.study), tables)
    with transaction.atomic():
        held = hold_draft(data)
        if held.updated_at != data.updated_at:
            raise Conflict(
                _("Somebody changed these data while your page was open."),
                hint=_("Look at them again, then freeze."),
            )
        held.artefacts = artefacts
        held.mapping = {**held.mapping, "columns": columns}
        held.counts = {**counts, "faults": {"n": 0, "kept": [], "n_by_code": {}}}
        held.state, held.frozen_at, held.frozen_by = STATE.FROZEN, clock.now(), by
        held.save(
            update_fields=["artefacts", "mapping", "counts", "state", "frozen_at", "frozen_by"],
        )
        names = [one["kept"] for one in held.files.values()]
        transaction.on_commit(lambda: kept.forget(names))
        record(
            action="scaling.data_frozen",
            actor=by,
            obj=held.study,
            after={
                "number": held.number,
                "artefacts": {role: one["hash"] for role, one in artefacts.items()},
            },
        )
    return held


def _tables(data: StudyData) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Make the tables of a draft, its columns by what they are for, and its counts; refuse while faults remain."""
    if data.source == SOURCE.RUN and data.run is not None:
        taken = _of_run(data.study, data.run)
        return taken["tables"], taken["roles"], taken["counts"]
    if not data.counts:
        raise DataRefused(_("The columns are not matched yet."), hint=_("Say first which column is what."))
    prepared = _prepared(data, uploads.Matching.from_json(data.mapping))
    if prepared.faults.n:
        raise DataRefused(
            _("The files still hold %(n)d faults.") % {"n": prepared.faults.n},
            hint=_("Correct them in the files and send these again, or leave the columns out."),
        )
    return prepared.tables, prepared.roles, prepared.counts


@transaction.atomic
def throw_away(*, data: StudyData, by: Any | None) -> None:
    """Throw a draft away with its files."""
    if by is not None:
        demand(by, "run_analysis")
    held = hold_draft(data)
    study = held.study
    _forget(held)
    record(action="scaling.data_thrown_away", actor=by, obj=study, before={"number": data.number})


def purge_drafts(now: dt.datetime | None = None) -> int:
    """Throw away drafts that nobody froze in the days that the option gives; give their number."""
    before = (now or clock.now()) - dt.timedelta(days=settings.OPTIONS.upload_days)
    n = 0
    for data in StudyData.objects.filter(state=STATE.DRAFT, updated_at__lt=before):
        throw_away(data=data, by=None)
        n += 1
    return n
