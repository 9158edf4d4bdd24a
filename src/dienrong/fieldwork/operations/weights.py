"""Weights from the outcomes of a fieldwork: files named by their hashes, and a manifest that names the inputs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.fieldwork import numeric
from dienrong.fieldwork.models import FieldSchool, Fieldwork, WeightRun
from dienrong.fieldwork.operations.refusals import FieldRefusal, NotNow
from dienrong.fieldwork.queries import outcomes
from dienrong.sampling.models import Draw

JOB = "fieldwork.weights"


def folder() -> Path:
    """Give the folder of the files of weights."""
    return Path(settings.DATA_DIR) / "weights"


def compute_weights(*, fieldwork: Fieldwork, by: Any) -> WeightRun:
    """Compute final and replicate weights and keep them; the same outcomes give the same files again.

    Raises
    ------
    NotAllowed
        If the person does not compute weights.
    NotNow
        If the outcome of a school is still open.
    FieldRefusal
        If the statistics refuse; the sentence is theirs.
    """
    permissions.demand(by, "compute_weights")
    plan = fieldwork.plan
    demand_complete(fieldwork)
    drawn, schools, students = outcomes.weight_tables(fieldwork)
    seed = numeric.seed_of_school(Draw.objects.get(plan=plan).seed, "weights", 0)
    try:
        found = numeric.weights(drawn, schools, students, rules=plan.rules, seed=seed)
    except numeric.LsakitError as error:
        raise FieldRefusal(
            _("The weights cannot be computed: %(why)s") % {"why": error},
            hint=_("Correct the outcomes that are named, then compute again."),
        ) from error
    files = {name: _keep(content) for name, content in found.files.items()}
    manifest = {
        "schema": "dienrong.weights/1",
        "plan": plan.pk,
        "rules": plan.rules,
        "seed": str(seed),
        "software": numeric.SOFTWARE,
        "inputs": files["inputs.json"],
        "outputs": {name: one for name, one in files.items() if name != "inputs.json"},
    }
    manifest_hash = _keep(json.dumps(manifest, sort_keys=True, ensure_ascii=False).encode())
    return _write_run(fieldwork, files, manifest_hash, dict(found.summary), by)


def demand_complete(fieldwork: Fieldwork) -> None:
    """Refuse weights while outcomes are open.

    Raises
    ------
    NotNow
        If a school is neither concluded nor out.
    """
    done = (FieldSchool.State.CLOSED, FieldSchool.State.NOT_TAKING_PART)
    waiting = FieldSchool.objects.filter(plan=fieldwork.plan_id).exclude(state__in=done)
    names = list(waiting.order_by("number").values_list("sampled__school_code", flat=True)[:5])
    if names:
        raise NotNow(
            _("%(n)d schools are not concluded yet (%(codes)s).")
            % {"n": waiting.count(), "codes": ", ".join(names)},
            hint=_("Weights are computed once every school is concluded or does not take part."),
        )


@transaction.atomic
def _write_run(
    fieldwork: Fieldwork, files: dict[str, str], manifest_hash: str, summary: dict[str, Any], by: Any
) -> WeightRun:
    """Write the run, with its number."""
    last = WeightRun.objects.filter(plan=fieldwork.plan_id).aggregate(last=Max("number"))["last"] or 0
    run = WeightRun.objects.create(
        plan=fieldwork.plan,
        number=last + 1,
        made_at=clock.now(),
        made_by=by,
        rules=fieldwork.plan.rules,
        software=numeric.SOFTWARE,
        manifest_hash=manifest_hash,
        files=files,
        summary=summary,
    )
    record(action="fieldwork.weights_computed", actor=by, obj=run, after={"manifest": manifest_hash})
    return run


def _keep(content: bytes) -> str:
    """Keep bytes under their hash, read-only; bytes that are kept already are left alone."""
    digest = numeric.hash_of(content)
    path = path_of(digest)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        part.write_bytes(content)
        part.chmod(0o444)
        part.replace(path)
    return digest


def path_of(digest: str) -> Path:
    """Give the path of a file by its hash."""
    return folder() / digest.removeprefix("sha256:")


def read_file(digest: str) -> bytes:
    """Read a file of weights and check that it is what its name says.

    Raises
    ------
    FieldRefusal
        If the file is gone or was changed.
    """
    path = path_of(digest)
    content = path.read_bytes() if path.exists() else b""
    if numeric.hash_of(content) != digest:
        raise FieldRefusal(
            _("The file %(name)s is gone or was changed since.") % {"name": digest},
            hint=_("Compute the weights again; the same outcomes give the same file."),
        )
    return content
