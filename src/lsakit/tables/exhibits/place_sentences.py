"""Sentences of the report of a province: results, and evidence from which the unit draws its own conclusions."""

from __future__ import annotations

from lsakit.tables.exhibits.naming import group_name
from lsakit.tables.exhibits.placed import PROVINCE, here, is_hidden, own_places
from lsakit.tables.exhibits.sentences import Sentences, gap_sentence
from lsakit.tables.exhibits.sheet import NATION, Sheet, is_clear
from lsakit.tables.figures import DIFFERENCE, MINIMUM_PROFICIENCY, state_of
from lsakit.tables.publication import reason_of


def place_results(sheet: Sheet) -> Sentences:
    """Say the province's mean and share at minimum proficiency beside its region and the nation.

    Parameters
    ----------
    sheet : Sheet
        The report.

    Returns
    -------
    list of str
        The sentences; none where there is nothing to say.
    """
    said = []
    for population, subject in sheet.pairs:
        mean = sheet.at(population, subject, "mean", **here(sheet))
        words = sheet.words(population, subject)
        reason = reason_of(mean, sheet.texts)
        if reason:
            hidden = sheet.texts.say("column.suppressed", reason=reason)
            said.append(f"{words['population']}, {words['subject']}: {hidden}.")
            continue
        against = sheet.at(population, subject, DIFFERENCE, **here(sheet))
        compared = sheet.texts.say(
            f"sentence.{state_of(against)}", difference=sheet.number(abs(against["estimate"] or 0.0))
        )
        said.append(
            sheet.texts.say(
                "sentence.place_mean",
                **words,
                place=sheet.place,
                mean=sheet.number(mean["estimate"]),
                low=sheet.number(mean["ci_low"]),
                high=sheet.number(mean["ci_high"]),
                nation=sheet.number(sheet.at(population, subject, "mean")["estimate"]),
                comparison=compared,
            )
        )
        said += _region(sheet, population, subject)
        share = sheet.find(population, subject, MINIMUM_PROFICIENCY, **here(sheet))
        if share is not None:
            said.append(
                sheet.texts.say(
                    "sentence.place_levels",
                    **words,
                    share=sheet.texts.share(share["estimate"]),
                    margin=sheet.number(50 * (share["ci_high"] - share["ci_low"])),
                    nation=sheet.texts.share(sheet.at(population, subject, MINIMUM_PROFICIENCY)["estimate"]),
                )
            )
    return said


def _region(sheet: Sheet, population: str, subject: str) -> Sentences:
    """Say the mean of the region that the province lies in."""
    if not sheet.region:
        return []
    row = sheet.find(population, subject, "mean", by="region6", group=sheet.region)
    if row is None:
        return []
    return [
        sheet.texts.say(
            "sentence.place_region",
            **sheet.words(population, subject),
            region=sheet.label("region6", sheet.region),
            mean=sheet.number(row["estimate"]),
            low=sheet.number(row["ci_low"]),
            high=sheet.number(row["ci_high"]),
        )
    ]


def place_participation(sheet: Sheet) -> Sentences:
    """Say how many schools and students of the province took part.

    Parameters
    ----------
    sheet : Sheet
        The report.

    Returns
    -------
    list of str
        The sentences; none where there is nothing to say.
    """
    if sheet.participation is None:
        return []
    said = []
    for row in sheet.participation.to_dicts():
        if (
            row["by"] != PROVINCE
            or row["group"] != sheet.province
            or row["population"] not in sheet.populations
        ):
            continue
        said.append(
            sheet.texts.say(
                "sentence.place_participation",
                population=sheet.texts.say(f"population.{row['population']}"),
                place=sheet.place,
                schools=sheet.texts.number(row["schools_taking_part"]),
                drawn=sheet.texts.number(row["schools_drawn"]),
                students=sheet.texts.number(row["students_taking_part"]),
                selected=sheet.texts.number(
                    row["students_selected"] - row["students_excluded"] - row["students_left"]
                ),
            )
        )
    return said


def evidence_below(sheet: Sheet) -> Sentences:
    """List figures of the province that lie clearly below the nation's, and the share below the minimum level.

    Parameters
    ----------
    sheet : Sheet
        The report.

    Returns
    -------
    list of str
        The sentences; none where there is nothing to say.
    """
    said = []
    for population, subject in sheet.pairs:
        nation = sheet.at(population, subject, "mean")
        words = sheet.words(population, subject)
        for by, group, label in own_places(sheet, population, subject, groups=True):
            row = sheet.find(population, subject, "mean", by=by, group=group)
            if row is None or not by.startswith(PROVINCE) or row["ci_high"] >= nation["ci_low"]:
                continue
            said.append(
                sheet.texts.say(
                    "sentence.group_below",
                    **words,
                    group=label,
                    mean=sheet.number(row["estimate"]),
                    low=sheet.number(row["ci_low"]),
                    high=sheet.number(row["ci_high"]),
                    nation=sheet.number(nation["estimate"]),
                )
            )
        reached = sheet.find(population, subject, MINIMUM_PROFICIENCY, **here(sheet))
        whole = sheet.find(population, subject, MINIMUM_PROFICIENCY)
        if reached is not None and whole is not None and reached["ci_high"] < whole["ci_low"]:
            below = sheet.texts.share(1.0 - reached["estimate"])
            said.append(sheet.texts.say("sentence.share_below", **words, share=below))
    if not said:
        return [sheet.texts.say("sentence.no_evidence")]
    return [sheet.texts.say("sentence.evidence"), *said]


def evidence_conditions(sheet: Sheet) -> Sentences:
    """List what goes along with the results: gaps within the province and the socio-economic gradient.

    Parameters
    ----------
    sheet : Sheet
        The report.

    Returns
    -------
    list of str
        The sentences; none where there is nothing to say.
    """
    said = []
    for population, subject in sheet.pairs:
        for by in ("gender", "area"):
            crossed = f"{PROVINCE}+{by}"
            for group in sheet.groups(population, subject, crossed, "gap"):
                row = sheet.find(population, subject, "gap", by=crossed, group=group)
                if row is not None and group.startswith(f"{sheet.province}+") and is_clear(row):
                    said.append(gap_sentence(sheet, row))
        said += _slope(sheet, population, subject)
    if not said:
        return [sheet.texts.say("sentence.no_conditions")]
    return [sheet.texts.say("sentence.evidence"), *said, sheet.texts.say("sentence.no_causes")]


def _slope(sheet: Sheet, population: str, subject: str) -> Sentences:
    """Say the gradient of the province beside the nation's, where the rule allows it."""
    own = sheet.find(population, subject, "slope", **here(sheet))
    nation = sheet.find(population, subject, "slope")
    strength = sheet.find(population, subject, "strength", **here(sheet))
    if own is None or nation is None or strength is None or not is_clear(own):
        return []
    return [
        sheet.texts.say(
            "sentence.place_gradient",
            **sheet.words(population, subject),
            slope=sheet.number(own["estimate"]),
            standard_error=sheet.number(own["standard_error"]),
            strength=sheet.texts.share(strength["estimate"]),
            nation=sheet.number(nation["estimate"]),
        )
    ]


def evidence_domains(sheet: Sheet) -> Sentences:
    """List the domains in which the province is clearly weaker than its own result over all items lets expect.

    Parameters
    ----------
    sheet : Sheet
        The report.

    Returns
    -------
    list of str
        The sentences; none where there is nothing to say.
    """
    said = []
    for population, subject in sheet.pairs:
        if is_hidden(sheet, population, subject):
            continue
        for (own, about, statistic, by, group), row in sheet.rows().items():
            if (own, about, by, group) != (population, subject, PROVINCE, sheet.province):
                continue
            if not statistic.startswith("relative_") or row["suppressed_because"]:
                continue
            if is_clear(row) and row["estimate"] < 0:
                said.append(
                    sheet.texts.say(
                        "sentence.domain_weaker",
                        **sheet.words(population, subject),
                        domain=sheet.texts.say(f"domain.{statistic.removeprefix('relative_')}"),
                        difference=sheet.points(-row["estimate"]),
                        standard_error=sheet.points(row["standard_error"]),
                    )
                )
        below = sheet.find(population, subject, MINIMUM_PROFICIENCY, **here(sheet))
        if below is not None:
            said.append(
                sheet.texts.say(
                    "sentence.to_reach",
                    **sheet.words(population, subject),
                    share=sheet.texts.share(1.0 - below["estimate"]),
                    margin=sheet.number(50 * (below["ci_high"] - below["ci_low"])),
                )
            )
    return [sheet.texts.say("sentence.evidence"), *said] if said else []


def evidence_quality(sheet: Sheet) -> Sentences:
    """List what limits the figures of the province: hidden ones, and participation below that of the nation.

    Parameters
    ----------
    sheet : Sheet
        The report.

    Returns
    -------
    list of str
        The sentences; none where there is nothing to say.
    """
    said = []
    hidden = [
        key
        for key, row in sheet.rows().items()
        if key[3].startswith(PROVINCE)
        and key[2] == "mean"
        and key[4].partition("+")[0] == sheet.province
        and row["suppressed_because"]
    ]
    for population, subject, _statistic, by, group in hidden:
        rest = by.partition("+")[2]
        named = group_name(rest, group.partition("+")[2], sheet.names, sheet.texts) if rest else sheet.place
        said.append(sheet.texts.say("sentence.hidden_group", **sheet.words(population, subject), group=named))
    rates = (
        {}
        if sheet.participation is None
        else {
            (row["population"], row["by"]): row["student_rate"]
            for row in sheet.participation.to_dicts()
            if row["by"] == NATION or row["group"] == sheet.province
        }
    )
    for population in sheet.populations:
        own, whole = rates.get((population, PROVINCE)), rates.get((population, NATION))
        if own is not None and whole is not None:
            said.append(
                sheet.texts.say(
                    "sentence.place_rate",
                    population=sheet.texts.say(f"population.{population}"),
                    own=sheet.texts.share(own),
                    nation=sheet.texts.share(whole),
                )
            )
    return [sheet.texts.say("sentence.evidence"), *said] if said else []


def to_be_written(sheet: Sheet) -> Sentences:
    """Say that the words are the unit's own.

    Parameters
    ----------
    sheet : Sheet
        The report.

    Returns
    -------
    list of str
        The sentences; none where there is nothing to say.
    """
    return [sheet.texts.say("sentence.to_be_written")]
