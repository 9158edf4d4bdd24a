"""Changes of the room: each is one transaction with its entry in the log."""

from dienrong.capacity.operations.attending import attendance_code, evaluate, note_by_list, note_by_phone
from dienrong.capacity.operations.courses import (
    CourseFacts,
    TrainingFacts,
    add_course,
    add_material,
    begin_training,
    cancel_training,
    change_course,
    open_training,
    plan_training,
    set_quotas,
)
from dienrong.capacity.operations.enrolling import confirm, decline, nominate, withdraw
from dienrong.capacity.operations.issuing import (
    Correction,
    IssueFacts,
    SeriesFacts,
    correct_certificate,
    issue_batch,
    revoke_certificate,
    set_series,
    start_issue,
)
from dienrong.capacity.operations.loading import undo_people, undo_scores, write_people, write_scores
from dienrong.capacity.operations.looking_up import look_up
from dienrong.capacity.operations.norms import NormFacts, set_allowance, set_norm
from dienrong.capacity.operations.people import (
    PersonFacts,
    PostFacts,
    add_person,
    change_person,
    end_post,
    give_post,
    move_person,
    record_absence,
    record_competence,
)
from dienrong.capacity.operations.refusals import CapacityRefusal, LookUpLocked, NotNow, TwinFound
from dienrong.capacity.operations.results import conclude_training, record_scores

__all__ = [
    "CapacityRefusal",
    "Correction",
    "CourseFacts",
    "IssueFacts",
    "LookUpLocked",
    "NormFacts",
    "NotNow",
    "PersonFacts",
    "PostFacts",
    "SeriesFacts",
    "TrainingFacts",
    "TwinFound",
    "add_course",
    "add_material",
    "add_person",
    "attendance_code",
    "begin_training",
    "cancel_training",
    "change_course",
    "change_person",
    "conclude_training",
    "confirm",
    "correct_certificate",
    "decline",
    "end_post",
    "evaluate",
    "give_post",
    "issue_batch",
    "look_up",
    "move_person",
    "nominate",
    "note_by_list",
    "note_by_phone",
    "open_training",
    "plan_training",
    "record_absence",
    "record_competence",
    "record_scores",
    "revoke_certificate",
    "set_allowance",
    "set_norm",
    "set_quotas",
    "set_series",
    "start_issue",
    "undo_people",
    "undo_scores",
    "withdraw",
    "write_people",
    "write_scores",
]
