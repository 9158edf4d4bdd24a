"""Sentences of the press note, in the order the ministry tells results: sample, means, levels, conditions."""

from __future__ import annotations

from lsakit.tables.exhibits.sentences import Sentences
from lsakit.tables.exhibits.sheet import CHANGE, NATION, Sheet, is_clear
from lsakit.tables.figures import MINIMUM_PROFICIENCY

HIGH = "at_or_above_5"


def press_sample(sheet: Sheet) -> Sentences:
    """Say who was assessed, and how many of those selected took part.

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
    for population in sheet.populations:
        subject = next(subject for grade, subject in sheet.pairs if grade == population)
        row = sheet.at(population, subject, "mean")
        provinces = sheet.groups(population, subject, "province_code")
        counts = {
            "population": sheet.texts.say(f"population.{population}"),
            "n": sheet.texts.number(row["n"]),
            "n_schools": sheet.texts.number(row["n_schools"]),
            "n_provinces": sheet.texts.number(len(provinces)),
        }
        rates = _rates(sheet, population)
        if rates is None:
            said.append(sheet.texts.say("sentence.press_sample", **counts))
            continue
        named = {"schools": sheet.texts.share(rates[0]), "students": sheet.texts.share(rates[1])}
        said.append(sheet.texts.say("sentence.press_sample_rates", **counts, **named))
    return said


def _rates(sheet: Sheet, population: str) -> tuple[float, float] | None:
    """Weighted rates of schools (after replacement) and students of the nation."""
    if sheet.participation is None:
        return None
    for row in sheet.participation.to_dicts():
        if row["population"] == population and row["by"] == NATION and row["student_rate"] is not None:
            return float(row["school_rate_after"]), float(row["student_rate"])
    return None


def press_means(sheet: Sheet) -> Sentences:
    """Say the mean of each subject, and whether it changed.

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
        row = sheet.at(population, subject, "mean")
        mean = sheet.texts.say(
            "sentence.press_mean",
            **sheet.words(population, subject),
            mean=sheet.number(row["estimate"]),
            low=sheet.number(row["ci_low"]),
            high=sheet.number(row["ci_high"]),
        )
        change = sheet.find(population, subject, f"{CHANGE}mean")
        if change is not None:
            key = "same" if not is_clear(change) else "up" if change["estimate"] > 0 else "down"
            mean += " " + sheet.texts.say(
                f"sentence.press_change_{key}",
                earlier=sheet.cycle.earlier_year,
                difference=sheet.number(abs(change["estimate"])),
                standard_error=sheet.number(change["standard_error"]),
            )
        said.append(mean)
    return said


def press_levels(sheet: Sheet) -> Sentences:
    """Say how many students reach the minimum level, and how many the highest.

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
    for population in sheet.populations:
        parts = []
        for subject in [subject for grade, subject in sheet.pairs if grade == population]:
            low, high = (
                sheet.find(population, subject, MINIMUM_PROFICIENCY),
                sheet.find(population, subject, HIGH),
            )
            if low is None or high is None:
                continue
            parts.append(
                sheet.texts.say(
                    "sentence.press_levels",
                    subject=sheet.texts.subject(population, subject),
                    low=sheet.texts.share(low["estimate"]),
                    high=sheet.texts.share(high["estimate"]),
                )
            )
        if parts:
            named = sheet.texts.say(f"population.{population}")
            said.append(f"{named}: {'; '.join(parts)}.")
    return said


def press_conditions(sheet: Sheet) -> Sentences:
    """Say how results go along with socio-economic conditions, town and country, ethnicity.

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
        parts = []
        for by, group, key in (
            ("ses_quarter", "4-1", "press_quarters"),
            ("area", "urban-rural", "press_area"),
            ("ethnicity", "kinh-minority", "press_ethnicity"),
        ):
            row = sheet.find(population, subject, "gap", by=by, group=group)
            if row is None:
                continue
            if not is_clear(row):
                parts.append(sheet.texts.say(f"sentence.{key}_same"))
                continue
            more = "more" if row["estimate"] > 0 else "less"
            parts.append(
                sheet.texts.say(f"sentence.{key}_{more}", difference=sheet.number(abs(row["estimate"])))
            )
        strength = sheet.find(population, subject, "strength")
        if strength is not None:
            parts.append(
                sheet.texts.say("sentence.press_strength", share=sheet.texts.share(strength["estimate"]))
            )
        if parts:
            words = sheet.words(population, subject)
            said.append(f"{words['population']}, {words['subject']}: {'; '.join(parts)}.")
    return said


def press_method(sheet: Sheet) -> Sentences:
    """Say in two sentences how far the figures can be relied on, and that nobody is ranked.

    Parameters
    ----------
    sheet : Sheet
        The report.

    Returns
    -------
    list of str
        The sentences; none where there is nothing to say.
    """
    return [sheet.texts.say("sentence.press_method")]


def press_to_be_written(sheet: Sheet) -> Sentences:
    """Leave what follows from the results to the ministry.

    Parameters
    ----------
    sheet : Sheet
        The report.

    Returns
    -------
    list of str
        The sentences; none where there is nothing to say.
    """
    return [sheet.texts.say("sentence.press_to_be_written")]
