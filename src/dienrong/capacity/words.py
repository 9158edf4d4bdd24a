"""Words of the room: actions, shapes of states, questions of the evaluation."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from dienrong.capacity.models import Certificate, Enrolment, Training

ACTIONS = {
    "capacity.person_added": _("Person put into the register"),
    "capacity.person_changed": _("Person of the register changed"),
    "capacity.posted": _("Post given"),
    "capacity.moved": _("Moved to another unit"),
    "capacity.post_ended": _("Post ended"),
    "capacity.people_loaded": _("People taken from a file"),
    "capacity.load_undone": _("People of a file taken back"),
    "capacity.competence_recorded": _("Competence recorded"),
    "capacity.absence_recorded": _("Absence recorded"),
    "capacity.course_added": _("Course added"),
    "capacity.course_changed": _("Course changed"),
    "capacity.training_planned": _("Training planned"),
    "capacity.training_opened": _("Nominations opened"),
    "capacity.training_began": _("Training began"),
    "capacity.training_cancelled": _("Training cancelled"),
    "capacity.training_concluded": _("Training concluded"),
    "capacity.quota_set": _("Quota set"),
    "capacity.nominated": _("People nominated"),
    "capacity.confirmed": _("Nominations confirmed"),
    "capacity.declined": _("Nomination not accepted"),
    "capacity.withdrawn": _("Nomination withdrawn"),
    "capacity.attendance_noted": _("Attendance noted"),
    "capacity.results_recorded": _("Results recorded"),
    "capacity.results_undone": _("Results of a file taken back"),
    "capacity.material_added": _("Material added"),
    "capacity.evaluated": _("Evaluation sent in"),
    "capacity.series_set": _("Numbering of certificates set"),
    "capacity.issue_started": _("Issue of certificates begun"),
    "capacity.issued": _("Certificates issued"),
    "capacity.issue_finished": _("Issue of certificates finished"),
    "capacity.certificate_corrected": _("Certificate corrected"),
    "capacity.certificate_revoked": _("Certificate revoked"),
    "capacity.norm_set": _("Staff norm set"),
    "capacity.allowance_set": _("Allowance norm set"),
    "capacity.look_ups_locked": _("Public look-ups closed for a while"),
    "capacity.people_exported": _("List of people downloaded"),
}
TRAINING_SHAPES = {
    Training.State.PLANNED: "not_started",
    Training.State.OPEN: "queued",
    Training.State.RUNNING: "in_progress",
    Training.State.CONCLUDED: "done",
    Training.State.CANCELLED: "cancelled",
}
ENROLMENT_SHAPES = {
    Enrolment.State.NOMINATED: "queued",
    Enrolment.State.CONFIRMED: "in_progress",
    Enrolment.State.DECLINED: "cancelled",
    Enrolment.State.WITHDRAWN: "cancelled",
    Enrolment.State.COMPLETED: "done",
    Enrolment.State.NOT_COMPLETED: "attention",
}
CERTIFICATE_STATES = {
    "valid": ("done", _("Still in force")),
    "expired": ("attention", _("Out of date")),
    "revoked": ("cancelled", _("Revoked")),
}
QUESTIONS = {
    "useful": _("The content is useful for my work in assessments."),
    "clear": _("The trainers explained clearly."),
    "practice": _("There was enough practice."),
    "materials": _("The materials are good."),
    "organization": _("The training was well organized."),
    "ready": _("After the training I feel ready for my task."),
}
MARKS = {
    1: _("Not at all"),
    2: _("Rather not"),
    3: _("Partly"),
    4: _("Rather yes"),
    5: _("Fully"),
}


def training_state(training: Training) -> dict[str, str]:
    """Give the state of a training as shape and word."""
    state = Training.State(training.state)
    return {"shape": TRAINING_SHAPES[state], "word": str(state.label)}


def enrolment_state(enrolment: Enrolment) -> dict[str, str]:
    """Give the state of an enrolment as shape and word."""
    state = Enrolment.State(enrolment.state)
    return {"shape": ENROLMENT_SHAPES[state], "word": str(state.label)}


def certificate_state(certificate: Certificate, day: object) -> dict[str, str]:
    """Give the state of a certificate on a day as shape and word."""
    shape, word = CERTIFICATE_STATES[standing(certificate, day)]
    return {"shape": shape, "word": str(word)}


def standing(certificate: Certificate, day: object) -> str:
    """Tell whether a certificate is valid, expired or revoked on a day."""
    if certificate.revoked_on is not None and certificate.revoked_on <= day:  # type: ignore[operator]
        return "revoked"
    if certificate.valid_to is not None and certificate.valid_to <= day:  # type: ignore[operator]
        return "expired"
    return "valid"
