"""What stages, outputs and actions are called on pages."""

from __future__ import annotations

from django.utils.translation import gettext
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
    "earlier_instrument": _("Previous cycle: instrument"),
    "earlier_sample": _("Previous cycle: sample"),
    "earlier_administration": _("Previous cycle: administration"),
    "earlier_scoring": _("Previous cycle: scoring"),
    "earlier_weights": _("Previous cycle: weights"),
    "earlier_calibration": _("Previous cycle: item calibration"),
    "earlier_values": _("Previous cycle: plausible values"),
    "linking": _("Link between the cycles"),
    "estimates": _("Estimates"),
    "report_vi": _("Reports in Vietnamese"),
    "report_en": _("Reports in English"),
    "report": _("Reports"),
}
STAGE_SENTENCES = {
    "report": _("The reports in which the figure stands."),
    "group": _("The students whose answers make the figure, each with a weight."),
    "values": _("Each student has ten plausible values: draws that the answers and the background allow."),
    "calibration": _("Difficulty and discrimination of each item; trend items keep their published values."),
    "scoring": _("Each answer is scored by its key and by the rules for omitted and not-reached items."),
    "administration": _("The answers as they were recorded, and who took part."),
    "weights": _("Each student stands for a number of students: base weight times corrections."),
    "sample": _("Schools are drawn with probability proportional to size, students within schools."),
    "frame": _("The list of all schools of the grade from which the sample is drawn."),
    "nation": _("The register of units and schools from which the frame is taken."),
    "linking": _("The items that both cycles share, and how far their difficulties moved."),
}
ROLES = {
    "provinces": _("Provinces"),
    "communes": _("Communes"),
    "schools": _("Schools"),
    "students": _("Participation of students"),
    "booklets": _("Booklets"),
    "items": _("Items"),
    "trend_items": _("Trend items"),
    "truth": _("Known truth of the synthetic nation"),
    "frame": _("Frame"),
    "checks": _("Checks of the frame"),
    "design": _("Sampling design"),
    "drawn": _("Drawn schools"),
    "lists": _("Lists of students"),
    "pupils": _("Drawn students and their booklets"),
    "raw_responses": _("Raw responses"),
    "background": _("Background of students"),
    "scored_responses": _("Scored responses"),
    "scoring_summary": _("Summary of responses"),
    "strata": _("Strata"),
    "weights": _("Final weights"),
    "replicates": _("Replicate weights"),
    "cells": _("Adjustment cells"),
    "response_rates": _("Response rates"),
    "variance_units": _("Variance units"),
    "weighted_schools": _("Weights of schools"),
    "weighted_students": _("Weights of students"),
    "item_parameters": _("Item parameters"),
    "groups": _("Groups of the calibration"),
    "convergence": _("Convergence"),
    "plausible_values": _("Plausible values"),
    "coefficients": _("Coefficients of the population model"),
    "conditioning": _("Conditioning variables"),
    "population": _("Population model"),
    "estimates": _("Estimates"),
    "analysis_groups": _("Students and their groups"),
    "specification": _("Content of the reports"),
    "links": _("Movement of the trend items"),
    "linking_errors": _("Linking errors"),
    "participation": _("Sampling outcomes and participation"),
    "earlier_analysis_groups": _("Students of the previous cycle and their groups"),
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


def role_title(role: str) -> str:
    """Name an output; a file of a report is named by its place, language and kind."""
    if role in ROLES:
        return str(ROLES[role])
    place, _mark, rest = role.partition("_")
    if role.startswith("press_note_"):
        words = role.split("_")
        return gettext("Press note, %(language)s (%(kind)s)") % {
            "language": words[-2].upper(),
            "kind": words[-1].upper(),
        }
    if place in {"national", "province"} and rest.endswith(("_pdf", "_xlsx")):
        words = rest.split("_")
        facts = {"place": words[0], "language": words[-2].upper(), "kind": words[-1].upper()}
        if place == "national":
            return gettext("National report, %(language)s (%(kind)s)") % facts
        return gettext("Report of province %(place)s, %(language)s (%(kind)s)") % facts
    return role.replace("_", " ")
