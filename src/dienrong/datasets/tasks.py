"""The background work of this room."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dienrong.core.refusals import Refusal
from dienrong.datasets import queries, words
from dienrong.datasets.models import Release
from dienrong.datasets.operations.releasing import JOB, build_release
from dienrong.jobs.kinds import job
from dienrong.jobs.running import JobContext


class BuildRefused(Refusal):
    """The plan or the data refused the build; the sentence is that of the statistics."""

    code = "datasets.build_refused"


@job(JOB, title=gettext_lazy("Build of data files"), permission="manage_datasets")
def build(context: JobContext, *, release_id: int) -> dict[str, Any]:
    """Build the files of a release.

    Raises
    ------
    BuildRefused
        If the plan or the data refuse, with their sentence.
    """
    release = queries.releases().filter(pk=release_id).first()
    if release is None:
        raise BuildRefused(_("The files of this job are gone."))
    made = build_release(
        release=release,
        progress=lambda stage, share: context.progress(str(words.STAGE_WORDS.get(stage, stage)), share),
    )
    if made.state == Release.State.FAILED:
        raise BuildRefused(made.refusal)
    return {"release": made.pk, "archive": made.archive_hash}
