"""Sentences of the national report: each a rule that holds its numbers."""

from __future__ import annotations

from lsakit.tables.exhibits.sheet import ALL, CHANGE, NATION, Sheet, is_clear
from lsakit.tables.figures import DIFFERENCE, MINIMUM_PROFICIENCY, state_of
from lsakit.tables.publication import Row, reason_of

GAP_GROUPINGS = ("gender", "area", "ethnicity", "disadvantaged", "sector")
Sentences = list[str]


def headline(sheet: Sheet) -> Sentences:
    """Say the mean and the share at minimum proficiency of each grade and subject.

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
        mean = sheet.at(population, subject, "mean")
        share = sheet.at(population, subject, MINIMUM_PROFICIENCY)
        if mean["suppressed_because"] or share["suppressed_because"]:
            reason = sheet.texts.say("column.suppressed", reason=reason_of(mean, sheet.texts))
            said.append(
                "{population}, {subject}: {reason}.".format(**sheet.words(population, subject), reason=reason)
            )
            continue
        said.append(
            sheet.texts.say(
                "sentence.headline",
                **sheet.words(population, subject),
                mean=sheet.number(mean["estimate"]),
                low=sheet.number(mean["ci_low"]),
                high=sheet.number(mean["ci_high"]),
                share=sheet.texts.share(share["estimate"]),
                margin=sheet.number(50 * (share["ci_high"] - share["ci_low"])),
            )
        )
    return said


def gaps(sheet: Sheet) -> Sentences:
    """Say each gap between two groups, and whether it differs from zero.

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
        for by in GAP_GROUPINGS:
            for group in sheet.groups(population, subject, by, "gap"):
                row = sheet.find(population, subject, "gap", by=by, group=group)
                if row is not None:
                    said.append(gap_sentence(sheet, row))
    return said


def gap_sentence(sheet: Sheet, row: Row) -> str:
    """Say one gap; the group is written "first-second".

    Parameters
    ----------
    sheet : Sheet
        The report.
    row : dict
        A published gap.

    Returns
    -------
    str
        The sentence.
    """
    by, group = str(row["by"]).rpartition("+")[2], str(row["group"]).rpartition("+")[2]
    first, _, second = group.partition("-")
    labels = [sheet.label(by, first), sheet.label(by, second)]
    if row["estimate"] < 0:
        labels.reverse()
    return sheet.texts.say(
        "sentence.gap" if is_clear(row) else "sentence.no_gap",
        **sheet.words(row["population"], row["subject"]),
        first=labels[0],
        second=labels[1],
        difference=sheet.number(abs(row["estimate"])),
        standard_error=sheet.number(row["standard_error"]),
    )


def change(sheet: Sheet) -> Sentences:
    """Say how the mean and the share at minimum proficiency changed, and whether that is more than chance.

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
        mean = sheet.find(population, subject, f"{CHANGE}mean")
        share = sheet.find(population, subject, CHANGE + MINIMUM_PROFICIENCY)
        if mean is None or share is None:
            continue
        said.append(
            sheet.texts.say(
                f"sentence.change_{_direction(mean)}",
                **sheet.words(population, subject),
                earlier=sheet.cycle.earlier_year,
                difference=sheet.number(abs(mean["estimate"])),
                standard_error=sheet.number(mean["standard_error"]),
                link=sheet.number(mean["linking_error"] or 0.0),
            )
        )
        said.append(
            sheet.texts.say(
                f"sentence.change_share_{_direction(share)}",
                **sheet.words(population, subject),
                earlier=sheet.cycle.earlier_year,
                difference=sheet.points(abs(share["estimate"])),
                standard_error=sheet.points(share["standard_error"]),
            )
        )
    return said


def _direction(row: Row) -> str:
    """Say in which direction a change is clear."""
    return "same" if not is_clear(row) else "up" if row["estimate"] > 0 else "down"


def change_of_gaps(sheet: Sheet) -> Sentences:
    """Say whether the gap between girls and boys changed.

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
        for group in sheet.groups(population, subject, "gender", f"{CHANGE}gap"):
            row = sheet.find(population, subject, f"{CHANGE}gap", by="gender", group=group)
            now = sheet.find(population, subject, "gap", by="gender", group=group)
            if row is None or now is None:
                continue
            wider = abs(now["estimate"]) > abs(now["estimate"] - row["estimate"])
            key = "same" if not is_clear(row) else "wider" if wider else "narrower"
            said.append(
                sheet.texts.say(
                    f"sentence.change_gap_{key}",
                    **sheet.words(population, subject),
                    earlier=sheet.cycle.earlier_year,
                    difference=sheet.number(abs(row["estimate"])),
                    standard_error=sheet.number(row["standard_error"]),
                )
            )
    return said


def regions(sheet: Sheet) -> Sentences:
    """Say which regions stand above and below the nation, in the order of their codes.

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
        found: dict[str, list[str]] = {"above": [], "below": [], "same": []}
        for group in sheet.groups(population, subject, "region6", DIFFERENCE):
            row = sheet.find(population, subject, DIFFERENCE, by="region6", group=group)
            if row is not None:
                found[state_of(row)].append(sheet.label("region6", group))
        if not any(found.values()):
            continue
        nobody = sheet.texts.say("word.no_region")
        said.append(
            sheet.texts.say(
                "sentence.regions",
                **sheet.words(population, subject),
                **{state: "; ".join(names) or nobody for state, names in found.items()},
            )
        )
    return said


def gradient(sheet: Sheet) -> Sentences:
    """Say slope and strength of the socio-economic gradient, and the share of variance between schools.

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
        slope, strength = (sheet.find(population, subject, name) for name in ("slope", "strength"))
        icc = sheet.find(population, subject, "icc")
        if slope is None or strength is None:
            continue
        said.append(
            sheet.texts.say(
                "sentence.gradient" if is_clear(slope) else "sentence.no_gradient",
                **sheet.words(population, subject),
                slope=sheet.number(slope["estimate"]),
                standard_error=sheet.number(slope["standard_error"]),
                strength=sheet.texts.share(strength["estimate"]),
            )
        )
        if icc is not None:
            said.append(
                sheet.texts.say(
                    "sentence.between_schools",
                    **sheet.words(population, subject),
                    share=sheet.texts.share(icc["estimate"]),
                    standard_error=sheet.points(icc["standard_error"]),
                )
            )
    return said


def domains(sheet: Sheet) -> Sentences:
    """Say in which domains girls or boys are clearly stronger than their own result lets expect.

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
        for (own, about, statistic, by, group), row in sheet.rows().items():
            if (own, about, by) != (population, subject, "gender") or not statistic.startswith("relative_"):
                continue
            if row["suppressed_because"] or not is_clear(row) or row["estimate"] < 0:
                continue
            said.append(
                sheet.texts.say(
                    "sentence.domain_stronger",
                    **sheet.words(population, subject),
                    group=sheet.label(by, group),
                    domain=sheet.texts.say(f"domain.{statistic.removeprefix('relative_')}"),
                    difference=sheet.points(row["estimate"]),
                    standard_error=sheet.points(row["standard_error"]),
                )
            )
    if said:
        return said
    has_any = any(key[2].startswith("relative_") for key in sheet.rows())
    return [sheet.texts.say("sentence.no_domain")] if has_any else []


def method(sheet: Sheet) -> Sentences:
    """Say how the figures came about and what protects them.

    Parameters
    ----------
    sheet : Sheet
        The report.

    Returns
    -------
    list of str
        The sentences; none where there is nothing to say.
    """
    say, cycle = sheet.texts.say, sheet.cycle
    said = []
    for population in sheet.populations:
        subject = next(subject for grade, subject in sheet.pairs if grade == population)
        row = sheet.at(population, subject, "mean")
        counted = {"n": sheet.texts.number(row["n"]), "n_schools": sheet.texts.number(row["n_schools"])}
        said.append(say("sentence.method_sample", population=say(f"population.{population}"), **counted))
    counts = {"n_replicates": cycle.n_replicates, "n_plausible_values": cycle.n_plausible_values}
    said.append(say("sentence.method_error", **counts))
    least = {"minimum_students": cycle.minimum_students, "minimum_schools": cycle.minimum_schools}
    said.append(say("sentence.method_rule", **least))
    said.append(say("sentence.method_trace"))
    return said


def method_change(sheet: Sheet) -> Sentences:
    """Say how the two cycles are linked, with the linking error of each subject and the size of the earlier sample.

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
        row = sheet.find(population, subject, f"{CHANGE}mean")
        before = sheet.find(population, subject, "earlier_mean")
        if row is None or before is None:
            continue
        said.append(
            sheet.texts.say(
                "sentence.method_link",
                **sheet.words(population, subject),
                earlier=sheet.cycle.earlier_year,
                n=sheet.texts.number(before["n"]),
                n_schools=sheet.texts.number(before["n_schools"]),
                link=sheet.number(row["linking_error"] or 0.0, 2),
            )
        )
    return said


def method_notes(sheet: Sheet) -> Sentences:
    """Say what the comparisons rest on: part against whole, groups against groups, domains, the one index.

    Parameters
    ----------
    sheet : Sheet
        The report.

    Returns
    -------
    list of str
        The sentences; none where there is nothing to say.
    """
    said = [sheet.texts.say("sentence.method_part_to_whole")]
    if any(key[2].startswith("correct_") for key in sheet.rows()):
        said.append(sheet.texts.say("sentence.method_domains"))
    if any(key[2] == "slope" and key[3:] == (NATION, ALL) for key in sheet.rows()):
        said.append(sheet.texts.say("sentence.method_index"))
    return [*said, sheet.texts.say("sentence.method_no_international")]


def left_out(sheet: Sheet) -> Sentences:
    """Say what the report would hold and the cycle has no figures for.

    Parameters
    ----------
    sheet : Sheet
        The report.

    Returns
    -------
    list of str
        The sentences; none where there is nothing to say.
    """
    if not sheet.left_out:
        return []
    named = "; ".join(sheet.texts.say(f"exhibit.{kind}") for kind in sheet.left_out)
    return [sheet.texts.say("sentence.left_out", exhibits=named)]
