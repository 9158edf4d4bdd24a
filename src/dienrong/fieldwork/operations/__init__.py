"""Changes of the fieldwork: each is one transaction with its event and its audit entry."""

from dienrong.fieldwork.operations.lists import freeze_list, select_people, set_status
from dienrong.fieldwork.operations.refusals import FieldRefusal, NotNow
from dienrong.fieldwork.operations.reports import save_report, submit_report
from dienrong.fieldwork.operations.schools import (
    call_replacement,
    conclude_school,
    confirm_school,
    decline_school,
    mark_notified,
    note_call,
    reopen_school,
    schools_were_changed,
    settle_attention,
    start_fieldwork,
)
from dienrong.fieldwork.operations.sessions import (
    cancel_session,
    plan_session,
    record_incident,
    record_visit,
    settle_incident,
)
from dienrong.fieldwork.operations.weights import compute_weights

__all__ = [
    "FieldRefusal",
    "NotNow",
    "call_replacement",
    "cancel_session",
    "compute_weights",
    "conclude_school",
    "confirm_school",
    "decline_school",
    "freeze_list",
    "mark_notified",
    "note_call",
    "plan_session",
    "record_incident",
    "record_visit",
    "reopen_school",
    "save_report",
    "schools_were_changed",
    "select_people",
    "set_status",
    "settle_attention",
    "settle_incident",
    "start_fieldwork",
    "submit_report",
]
