"""What stages, tables, columns, flags, options and faults are called on pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dienrong.core.typed_numbers import typed_number

STAGES = {
    "scores": _("Scoring"),
    "classical": _("Classical item analysis"),
    "calibration": _("Calibration"),
    "fit": _("Fit of the items"),
    "dif": _("Differential item functioning"),
    "link": _("Link to the earlier study"),
    "population": _("Population model"),
    "values": _("Plausible values"),
}
ROLES = {
    "raw_responses": _("Raw responses"),
    "scored_responses": _("Scored responses"),
    "items": _("Items"),
    "students": _("Students"),
    "booklets": _("Booklets"),
    "test_responses": _("Responses to the whole test"),
    "test_items": _("Items of the whole test"),
    "old_items": _("Items of the earlier study"),
    "old_scale": _("Scale of the earlier study"),
    "responses": _("Responses"),
    "values_responses": _("Responses scored for the values"),
    "values_summary": _("Summary of responses, for the values"),
    "summary": _("Summary of responses"),
    "item_statistics": _("Item statistics"),
    "option_statistics": _("Statistics of options"),
    "option_curves": _("Curves of options"),
    "consistency": _("Consistency"),
    "item_parameters": _("Item parameters"),
    "groups": _("Groups"),
    "history": _("Iterations"),
    "convergence": _("Convergence"),
    "item_fit": _("Item fit"),
    "group_fit": _("Fit by group"),
    "curves": _("Item curves"),
    "information": _("Test information"),
    "local_dependence": _("Local dependence"),
    "wright": _("Item map"),
    "reliability": _("Reliability"),
    "proposals": _("What the release rule proposes"),
    "release": _("Release of items"),
    "release_steps": _("Released items, step by step"),
    "release_shares": _("Common and released items by group"),
    "dif": _("Differential item functioning"),
    "link_items": _("Common items"),
    "link": _("Link between studies"),
    "linked_groups": _("Groups on the earlier metric"),
    "linked_parameters": _("Items on the earlier metric"),
    "coefficients": _("Coefficients"),
    "population": _("Population model"),
    "subgroups": _("Check of the subgroups"),
    "plausible_values": _("Plausible values (logits)"),
    "scaled_values": _("Plausible values (points of the scale)"),
    "scale": _("Reporting scale"),
    "distribution": _("Distribution"),
}
COLUMNS = {
    "item": _("Item"), "label": _("Label"), "n": _("Students"), "max_score": _("Highest score"),
    "facility": _("Facility"), "discrimination": _("Discrimination"), "item_total": _("Item–total"),
    "biserial": _("Biserial"), "alpha_without": _("Alpha without it"), "omitted_rate": _("Omitted"),
    "invalid_rate": _("Invalid"), "not_reached_rate": _("Not reached"), "flags": _("Flags"),
    "undefined_because": _("Not defined because"), "n_administered": _("Administered"), "n_omitted": _("Omitted (n)"),
    "n_not_reached": _("Not reached (n)"), "n_invalid": _("Invalid (n)"), "n_not_administered": _("Not administered"),
    "n_answered": _("Answered"), "n_recoded": _("Recoded"), "mean_score": _("Mean score"),
    "stated_max_score": _("Highest score of the items file"), "option": _("Option"), "is_key": _("Key of the item"),
    "share": _("Share"), "mean": _("Mean"), "correlation": _("Correlation"), "share_low": _("Lowest third"),
    "share_high": _("Highest third"), "group_number": _("Fifth"), "rest_mean": _("Mean of the rest"),
    "model": _("Model"), "slope": _("Slope"), "difficulty": _("Difficulty"), "guessing": _("Guessing"),
    "se_slope": _("SE of slope"), "se_difficulty": _("SE of difficulty"), "se_guessing": _("SE of guessing"),
    "fixed": _("Held"), "column": _("Column"), "groups": _("Groups"), "group": _("Group"), "sd": _("Standard deviation"),
    "se_mean": _("SE of mean"), "se_sd": _("SE of standard deviation"), "iteration": _("Iteration"),
    "loglik": _("Log-likelihood"), "change": _("Largest change"), "infit": _("Infit"), "infit_t": _("Infit t"),
    "outfit": _("Outfit"), "outfit_t": _("Outfit t"), "s_x2": _("S-X²"), "s_x2_df": _("Degrees of freedom"),
    "s_x2_p": _("p of S-X²"), "s_x2_n": _("Students of S-X²"), "worst_rmsd": _("Largest RMSD"), "rmsd": _("RMSD"),
    "md": _("MD"), "exceeds": _("Above the threshold"), "flagged": _("Flagged"), "theta": _("Ability (logits)"),
    "observed": _("Observed"), "expected": _("Expected"), "category": _("Category"), "information": _("Information"),
    "se": _("Standard error"), "item_1": _("First item"), "item_2": _("Second item"), "q3": _("Q3"),
    "q3_adjusted": _("Adjusted Q3"), "bin": _("Bin"), "step": _("Step"), "location": _("Location (RP50)"),
    "direction": _("Direction"), "variable": _("Variable"), "focal": _("Focal group"), "reference": _("Reference group"),
    "statistic": _("Statistic"), "p": _("p"), "size_class": _("Size class"), "n_reference": _("Students of the reference"),
    "n_focal": _("Students of the focal group"), "chi_square": _("Chi-square"), "odds_ratio": _("Odds ratio"),
    "delta": _("Delta"), "se_delta": _("SE of delta"), "smd": _("Standardized mean difference"),
    "old_slope": _("Earlier slope"), "old_difficulty": _("Earlier difficulty"), "new_slope": _("New slope"),
    "new_difficulty": _("New difficulty"), "difference": _("Difference"), "robust_z": _("Robust z"), "kept": _("Links the studies"),
    "subject": _("Subject"), "term": _("Term"), "estimate": _("Estimate"), "standard_error": _("Standard error"),
    "level": _("Level of the variable"), "mean_eap": _("Mean of EAP"), "student_id": _("Student"), "percentile": _("Percentile"),
    "value": _("Value"), "kind": _("Kind"), "domain": _("Domain"), "cluster": _("Cluster"), "position": _("Place in the cluster"),
    "format": _("Format"), "key": _("Key of the item"), "n_options": _("Options"), "worst_group": _("Group"), "dif": _("DIF"),
    "state": _("State"), "score": _("Score"), "threshold": _("Threshold"), "category_class": _("Size class"),
    "log_likelihood": _("Log-likelihood"), "aic": _("AIC"), "bic": _("BIC"), "n_students": _("Students"),
    "n_left_out": _("Students left out"), "n_parameters": _("Parameters"), "n_iterations": _("Iterations"),
    "converged": _("Converged"), "doubtful": _("Doubtful"), "moving": _("Still moving"),
    "standard_errors": _("Standard errors"), "n_nodes": _("Quadrature points"), "node_range": _("Range of the points"),
    "at": _("Percentile or point"), "n_values": _("Plausible values"), "mean_pv": _("Mean of plausible values"),
    "n_prior_only": _("Students without answers"), "n_terms": _("Terms"), "reliability": _("EAP reliability"),
    "reliability_pv": _("Plausible-value reliability"), "student_information": _("Information of a student's test"),
    "student_se": _("Standard error of a student's test"), "weighted_share": _("Weighted share"),
    "alpha": _("Cronbach's alpha"), "median_alpha": _("Median alpha of the booklets"), "omega": _("McDonald's omega"),
    "rest_unit": _("Unit of the rest score"), "n_booklets": _("Booklets"), "n_alone": _("Students whose set nobody shares"),
    "n_items": _("Items"), "residual_sd": _("Residual standard deviation"), "r_squared": _("Share explained"),
    "n_components": _("Components"), "pca_share": _("Share of variance kept"),
    "n_models": _("Population models"), "method": _("Method"),
    "intercept": _("Intercept"), "linking_error_item": _("Linking error of items (logits)"),
    "linking_error": _("Linking error (points)"), "linking_error_item_points": _("Linking error of items (points)"),
    "linking_error_unit": _("Linking error of units (logits)"), "linking_error_unit_points": _("Linking error of units (points)"),
    "transformed_slope": _("New slope, moved"), "transformed_difficulty": _("New difficulty, moved"),
    "status": _("State"), "reason": _("Reason"), "reference_group": _("Reference group"), "n_common": _("Common items"), "n_kept": _("Items that link"),
    "held": _("Held from the earlier study"), "eap": _("EAP reliability"), "wle": _("WLE reliability"),
    "pv": _("Plausible-value reliability"), "round": _("Round"), "joined": _("Joined the set"),
    "n_flagged": _("Pairs above the threshold"), "n_shared": _("Shared with other groups"), "n_own": _("Own alone"),
    "share_common": _("Share common"), "share_unique": _("Share not common"), "alarm_share": _("Alarm above the share"),
    "n_rounds": _("Calibrations"), "n_steps": _("Releases"), "stopped_because": _("Ended because"),
    "is_comparable": _("Groups comparable"), "alarmed": _("Groups with an alarm"),
}  # fmt: skip
COLUMNS_OF = {
    ("link", "is_comparable"): _("Enough common items"),
    ("dif", "category"): _("Size class"),
    ("dif", "statistic"): _("Size of the difference"),
    ("release_shares", "n_common"): _("Common with other groups"),
}
"""Columns that mean something else in one table."""
OPTIONS_SPECIAL = {"omitted": _("omitted"), "invalid": _("invalid"), "not_reached": _("not reached")}
KINDS = {
    "mean": _("mean"),
    "sd": _("standard deviation"),
    "percentile": _("percentile"),
    "at_or_above": _("share at or above"),
    "level": _("share at the level"),
    "students": _("students"),
    "item": _("item"),
    "cut": _("cut score"),
}
VALUES: dict[str, dict[str, Any]] = {
    "kind": KINDS,
    "status": {
        "linked": _("links"),
        "dropped": _("drifts"),
        "changed": _("changed by a decision"),
        "old_only": _("earlier only"),
        "new_only": _("here only"),
    },
    "term": {"intercept": _("intercept")},
    "rest_unit": {
        "percent": _("per cent of the highest score"),
        "points": _("points"),
        "ability": _("ability"),
    },
    "standard_errors": {
        "sandwich": _("sandwich, from the weighted answers"),
        "observed": _("observed information"),
        "cross_product": _("cross-products"),
        "none": _("none"),
    },
    "method": {
        "fixed": _("fixed parameters"),
        "mean_mean": _("mean–mean"),
        "mean_sigma": _("mean–sigma"),
        "haebara": _("Haebara"),
        "stocking_lord": _("Stocking–Lord"),
    },
}
"""Words that stand in cells of some columns."""
FLAGS = {
    "too_easy": _("Too easy"),
    "too_hard": _("Too hard"),
    "low_discrimination": _("Low discrimination"),
    "drop_candidate": _("Hardly discriminates"),
    "missing": _("Many without answer"),
    "distractor_positive": _("A distractor attracts the able"),
    "key_not_modal": _("The able prefer another option than the key"),
    "option_dead": _("An option that hardly anybody chooses"),
    "code_order": _("Categories out of order or rare"),
    "mean_square": _("Mean squares outside their range"),
    "rmsd": _("Misfit in a group (RMSD)"),
    "s_x2": _("Misfit (S-X²)"),
    "dif_b": _("Moderate DIF (B)"),
    "dif_c": _("Large DIF (C)"),
    "extreme": _("Extreme parameters"),
}
FLAG_GROUPS = {
    "classical": (_("Classical"), ("too_easy", "too_hard", "low_discrimination", "drop_candidate", "missing")),
    "options": (_("Options and categories"), ("distractor_positive", "key_not_modal", "option_dead", "code_order")),
    "fit": (_("Fit"), ("mean_square", "s_x2", "extreme")),
    "rmsd": (_("RMSD"), ("rmsd",)),
    "dif": (_("DIF"), ("dif_c", "dif_b")),
}  # fmt: skip
FLAG_ADVICE = {
    "too_easy": _("Nearly everybody is right; the item tells little about ability."),
    "too_hard": _("Hardly anybody is right; look at the key and at what the item asks."),
    "low_discrimination": _("Able and less able students answer nearly alike."),
    "drop_candidate": _(
        "Able students are hardly more often right: check the key first, then consider leaving it out."
    ),
    "missing": _(
        "Many omitted it, did not reach it or gave no readable answer: look at its place in the booklet."
    ),
    "distractor_positive": _(
        "A wrong option is chosen by able students: is it defensible, or is the key wrong?"
    ),
    "key_not_modal": _(
        "Among the best third another option is chosen more often than the key: check the key."
    ),
    "option_dead": _("An option is never or hardly chosen; it does not work as a distractor."),
    "code_order": _(
        "A higher score does not go with higher ability, or is hardly given: consider joining categories."
    ),
    "mean_square": _("Answers vary more or less than the model says."),
    "rmsd": _("In a group the observed curve leaves the common one: consider own parameters for this group."),
    "s_x2": _("Observed and expected shares differ by sum score."),
    "dif_b": _("Groups of equal ability differ moderately; look at content and translation."),
    "dif_c": _("Groups of equal ability differ clearly: look at content and translation, then decide."),
    "extreme": _("Slope or difficulty lies where the data say little; the estimate is doubtful."),
}
FILES = {
    "responses": _("Responses"),
    "items": _("Items"),
    "students": _("Students"),
}
FAULTS = {
    "id_missing": (_("No code stands here."), _("Fill in the code, or delete the row.")),
    "id_twice": (_("This student stands twice."), _("Keep one row per student.")),
    "item_twice": (_("This item stands twice."), _("Keep one row per item.")),
    "no_column": (_("The file has no such column any more."), _("Match the columns again.")),
    "not_whole": (
        _("Not a whole number."),
        _("Correct the cell, empty it where the item was not administered, or leave the column out."),
    ),
    "no_score": (
        _("No score from 0 to 9."),
        _("Codes such as 96 or 99 belong to raw responses: choose “raw” and send an items file, or empty the cells."),
    ),
    "stray_cell": (
        _("This cell keeps its column from being an item: nearly all others are small whole numbers."),
        _("Correct the cell; or, if the column is no item, name it among the columns that are no items."),
    ),
    "too_few_items": (_("Fewer than two item columns are chosen."), _("Change the rule by which columns are items.")),
    "item_without_column": (
        _("The items file names an item that the responses do not hold."),
        _("Add the column, or delete the row of the item."),
    ),
    "column_without_item": (
        _("The items file does not name this column."),
        _("Add the item, or choose “the items that the items file names”."),
    ),
    "no_items_file": (
        _("Raw responses need an items file with formats, keys and highest scores."),
        _("Send it, or say that the responses are scores."),
    ),
    "items_without_name": (_("No column holds the code of the item."), _("Call it “item” or “mã câu hỏi”.")),
    "key": (_("Not a number or letter of an option."), _("Write 1, 2, 3 … or A, B, C …")),
    "no_key": (_("A multiple-choice item without key."), _("Fill the key in, or change the format.")),
    "format": (_("Not a known format."), _("Write “mc” (“trắc nghiệm”) or “cr” (“tự luận”).")),
    "max_score": (_("A highest score outside 1 to 9."), _("Correct it.")),
    "mc_score": (_("A multiple-choice item scores 0 or 1."), _("Set the highest score to 1, or change the format.")),
    "second_group": (_("A second column is called group."), _("Choose one.")),
    "second_weight": (_("A second column is called weight."), _("Choose one.")),
    "column_in_both": (_("Both files have this column."), _("Use it from one of them.")),
    "students_without_id": (_("No column of the students file names the student."), _("Choose it above.")),
    "student_unknown": (_("The students file has no row of this student."), _("Add the row, or delete the answers.")),
    "weight": (_("Not a weight: empty, negative or no number."), _("Correct it, or leave the column out.")),
    "weights_zero": (_("All weights are zero."), _("Choose another column.")),
    "group_missing": (_("The student is in no group."), _("Fill it in, or leave the column out.")),
    "group_of_one": (_("A group with one student."), _("Put it with another group, or leave its students out.")),
    "many_groups": (
        _("More than 200 groups: this looks like an identifier."),
        _("Choose a column with few values, such as the country or province."),
    ),
}  # fmt: skip
ACTIONS = {
    "scaling.study_created": _("Scaling study made"),
    "scaling.data_sent": _("Data of a study sent"),
    "scaling.data_matched": _("Columns of a study's data matched"),
    "scaling.data_frozen": _("Data of a study frozen"),
    "scaling.data_thrown_away": _("Draft of a study's data thrown away"),
    "scaling.decision_taken": _("Decision on an item taken"),
    "scaling.decision_withdrawn": _("Decision on an item withdrawn"),
    "scaling.run_requested": _("Scaling run requested"),
    "scaling.run_done": _("Scaling run done"),
    "scaling.run_failed": _("Scaling run refused"),
    "scaling.run_cancelled": _("Scaling run cancelled"),
}
MODELS = {
    "gpcm": _("Generalized partial credit (two categories: 2PL)"),
    "1pl": _("1PL (one slope for all)"),
    "2pl": _("2PL"),
    "rasch": _("Rasch"),
    "pcm": _("Partial credit (two categories: Rasch)"),
    "rsm": _("Rating scale"),
    "3pl": _("3PL"),
    "graded": _("Graded response"),
    "nominal": _("Nominal"),
}
RULES = {
    "pisa2015": _("PISA since 2015: not reached counts as not administered"),
    "pisa2012_calibration": _("PISA until 2012, calibration"),
    "pisa2012_scoring": _("PISA until 2012, scoring: not reached is wrong"),
    "wrong": _("Everything missing is wrong"),
    "timss_calibration": _("TIMSS, calibration"),
    "timss_scoring": _("TIMSS, scoring"),
    "questionnaire": _("Questionnaire: nothing is wrong"),
}
LINKS = {
    "none": _("No link: the scale is set here"),
    "fixed": _("Fixed parameters: the earlier items are held"),
    "mean_mean": _("Mean–mean"),
    "mean_sigma": _("Mean–sigma"),
    "haebara": _("Haebara"),
    "stocking_lord": _("Stocking–Lord"),
}
RELEASES = {
    "none": _("None: people decide, the rule only proposes"),
    "automatic": _("Automatic: own parameters wherever an item misfits"),
}
STOPPED = {
    "threshold": _("no item is above the threshold any more"),
    "alarm": _("too many items of a group are not common"),
    "no_help": _("the items above the threshold are alone in their sets already"),
    "rounds": _("the limit of rounds was reached"),
}
OPTIONS = {
    "model": _("Model"),
    "models": _("Models of single items"),
    "rule": _("Missing answers"),
    "rule_of_values": _("Missing answers, for the values"),
    "group": _("Groups"),
    "reference_group": _("Reference group"),
    "weight": _("Weight"),
    "senate": _("Each group counts the same"),
    "dif_by": _("DIF by"),
    "rmsd_threshold": _("Threshold of RMSD"),
    "conditioning": _("Population model"),
    "pca_share": _("Share of variance kept"),
    "per_group": _("A population model of its own in each group"),
    "reported": _("Groups that are reported"),
    "release": _("Release of items"),
    "release_alarm": _("Share of released items that rings the alarm"),
    "link": _("Link between studies"),
    "drift": _("Drift at which an item is let go"),
    "n_values": _("Plausible values"),
    "seed": _("Seed"),
    "scale_mean": _("Mean of the scale"),
    "scale_sd": _("Standard deviation of the scale"),
    "cuts": _("Cut scores"),
    "until": _("Last stage"),
}


DIGITS_OF_CUTS = 2
"""Decimals of a cut score on pages; runs keep all of them."""


def titled(names: Mapping[str, Any], name: str) -> str:
    """Say what something is called; a name without words stands for itself."""
    return str(names.get(name, name))


def stage_title(stage: str) -> str:
    """Say what a stage is called."""
    return titled(STAGES, stage)


def role_title(role: str) -> str:
    """Say what a table or record is called."""
    return titled(ROLES, role)


def column_title(name: str, role: str = "") -> str:
    """Say what a column of a table is called; steps of an item carry their number."""
    if (role, name) in COLUMNS_OF:
        return str(COLUMNS_OF[(role, name)])
    stem, _underscore, number = name.rpartition("_")
    if stem == "step" and number.isdigit():
        return gettext("Step %(number)s") % {"number": number}
    if stem == "se_step" and number.isdigit():
        return gettext("SE of step %(number)s") % {"number": number}
    return titled(COLUMNS, name)


def flag_title(flag: str) -> str:
    """Say what a flag is called."""
    return titled(FLAGS, flag)


def option_value(name: str, value: Any) -> str:
    """Write an option of a run for a reader."""
    known: dict[str, Mapping[str, Any]] = {
        "model": MODELS, "rule": RULES, "rule_of_values": RULES, "link": LINKS, "release": RELEASES, "until": STAGES,
    }  # fmt: skip
    if value in (None, "", [], (), {}):
        return "–"
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if name in known:
        return titled(known[name], str(value))
    if isinstance(value, Mapping):
        return ", ".join(f"{one}: {part}" for one, part in value.items())
    if name == "cuts":
        return "; ".join(typed_number(round(float(one), DIGITS_OF_CUTS)) for one in value)
    if isinstance(value, (list, tuple)):
        return "; ".join(typed_number(one) if isinstance(one, float) else str(one) for one in value)
    return typed_number(value) if isinstance(value, float) else str(value)


def decision_words(kind: str, details: Mapping[str, Any]) -> str:
    """Say what a decision does: the joined categories, the groups."""
    if kind == "collapse":
        pairs = sorted((int(old), int(new)) for old, new in details.get("scores", {}).items())
        return ", ".join(f"{old} → {new}" for old, new in pairs)
    return ", ".join(details.get("groups", ()))
