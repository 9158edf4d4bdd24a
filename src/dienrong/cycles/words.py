"""What stages, outputs and actions are called on pages."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

STAGES = {
    "nation": _("Units, schools and instruments"),
    "frame": _("Sampling frame"),
    "sample": _("Sample of schools and students"),
    "administration": _("Administration"),
    "scoring": _("Scoring"),
    "weights": _("Weights"),
    "calibration": _("Item calibration"),
    "values": _("Plausible values"),
    "estimates": _("Estimates"),
    "report": _("Reports"),
}
STAGE_SENTENCES = {
    "report": _("The reports in which the figure stands."),
    "estimates": _("The figure is estimated from weighted answers; its error comes from replicate weights."),
    "values": _("Each student has ten plausible values: draws that the answers and the background allow."),
    "calibration": _("Difficulty and discrimination of each item; trend items keep their published values."),
    "scoring": _("Each answer is scored by its key and by the rules for omitted and not-reached items."),
    "administration": _("The answers as they were recorded, and who took part."),
    "weights": _("Each student stands for a number of students: base weight times corrections."),
    "sample": _("Schools are drawn with probability proportional to size, students within schools."),
    "frame": _("The list of all schools of the grade from which the sample is drawn."),
    "nation": _("The register of units and schools from which the frame is taken."),
}
ACTIONS = {
    "cycles.programme_created": _("Programme made"),
    "cycles.cycle_created": _("Cycle made"),
    "cycles.step_changed": _("State of a step changed"),
    "cycles.phase_changed": _("Phase changed"),
    "cycles.artefacts_registered": _("Artefacts registered"),
}


def stage_title(stage: str) -> str:
    """Name a stage; one that has no name here keeps its own."""
    return str(STAGES.get(stage, stage))
