"""The check list of quality monitors, as data."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

QUESTIONS = {
    "room_ready": _("The room and the seats were ready before the session began."),
    "administrator_no_teacher": _("The test administrator teaches none of the pupils tested."),
    "materials_sealed": _("Booklets or devices were sealed until the session began."),
    "identity_checked": _("Each pupil sat at the place and got the booklet that the form names."),
    "script_read": _("The instructions were read word for word."),
    "no_phones": _("No telephones, no help from others."),
    "times_kept": _("The times of the parts were kept."),
    "attendance_marked": _("Attendance was marked on the form during the session."),
    "materials_collected": _("All materials were counted and sealed again."),
}
ANSWERS = {"yes": _("Yes"), "no": _("No"), "not_seen": _("Not seen")}
