"""Changes of the room: each is one transaction with its entry in the log."""

from dienrong.datasets.operations.freezing import freeze_run
from dienrong.datasets.operations.granting import (
    confirm_destruction,
    decide_grant,
    decide_refusal,
    renew_grant,
    revoke_grant,
    take_copy,
)
from dienrong.datasets.operations.refusals import DatasetsRefusal, NotNow, TooMany
from dienrong.datasets.operations.releasing import (
    ReleaseFacts,
    build_release,
    make_release,
    publish_release,
    rebuild_release,
    review_release,
    withdraw_release,
)
from dienrong.datasets.operations.requesting import RequestFacts, ask_for_data, note_download

__all__ = [
    "DatasetsRefusal",
    "NotNow",
    "ReleaseFacts",
    "RequestFacts",
    "TooMany",
    "ask_for_data",
    "build_release",
    "confirm_destruction",
    "decide_grant",
    "decide_refusal",
    "freeze_run",
    "make_release",
    "note_download",
    "publish_release",
    "rebuild_release",
    "renew_grant",
    "review_release",
    "revoke_grant",
    "take_copy",
    "withdraw_release",
]
