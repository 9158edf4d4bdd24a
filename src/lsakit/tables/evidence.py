"""Evidence of a province: single figures as sentences, each with its code, for people who write a report.

A sentence says one number with its interval and what was tested, and judges nothing. It stands beside the text
that an officer writes, who takes it over as a quotation or leaves it; so its words never depend on the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from lsakit.errors import EstimationError
from lsakit.tables.figures import DIFFERENCE, MINIMUM_PROFICIENCY, state_of
from lsakit.tables.publication import Row, select
from lsakit.tables.texts import Texts

HIGH_PROFICIENCY = "at_or_above_4"
PROVINCE = "province_code"
GROUPINGS = ("gender", "area")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One published figure of a province as a sentence.

    Parameters
    ----------
    key : str
        Names the evidence for good, whatever the run.
    figure_id : str
        Code of the figure.
    kind : {"mean", "minimum", "high", "group", "gap", "conditions", "sample"}
        What it tells: the mean against the nation, the share at level 2 or above, at level 4 or above, the
        mean of a group against the nation, the gap between two groups of the province, how scores go with
        socio-economic conditions, or how many took part.
    standing : {"above", "below", "same", "apart", "untested"}
        Where the figure lies against the nation. For means it is the test of the difference by replicate
        weights; for groups whether the two intervals lie apart, which is stricter than the test. A gap is
        ``"apart"`` where it differs from zero, else ``"same"``.
    population, subject : str
        Grade and subject.
    sentence : str
        The sentence.
    estimate, low, high : float
        The figure and its 95 % interval, on the scale or as a share.
    """

    key: str
    figure_id: str
    kind: str
    standing: str
    population: str
    subject: str
    sentence: str
    estimate: float
    low: float
    high: float


def province_evidence(
    estimates: pl.DataFrame, *, province: str, names: Mapping[str, str], language: str
) -> tuple[Evidence, ...]:
    """Give the evidence that the estimates hold for a province; suppressed figures are left out.

    Parameters
    ----------
    estimates : polars.DataFrame
        The tidy table of estimates.
    province : str
        Code of the province.
    names : Mapping of str to str
        Names of provinces by their codes.
    language : str
        ``"vi"`` or ``"en"``.

    Returns
    -------
    tuple of Evidence
        By grade and subject, then as the kinds are listed.

    Raises
    ------
    EstimationError
        If the table holds nothing of the province.
    """
    texts = Texts(language)
    mine = estimates.filter((pl.col("by") == PROVINCE) & (pl.col("group") == province))
    if mine.is_empty():
        raise EstimationError(
            f"The table of estimates holds nothing for the province {province!r}.",
            hint="Choose a province of the report.",
            param="province",
            got=province,
        )
    place = names.get(province, province)
    found: list[Evidence] = []
    for population, subject in mine.select("population", "subject").unique().sort(pl.all()).rows():
        sheet = _Sheet(estimates, texts, place, province, population, subject)
        found += sheet.of_means()
        found += sheet.of_shares()
        found += sheet.of_groups()
        found += sheet.of_gaps()
        found += sheet.of_conditions()
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The figures of one province, grade and subject."""

    estimates: pl.DataFrame
    texts: Texts
    place: str
    province: str
    population: str
    subject: str

    def row(self, statistic: str, by: str = "", group: str = "") -> Row | None:
        """Take one estimate that is published; None where there is none."""
        where = {"by": by, "group": group} if by else {"by": "nation"}
        rows = select(
            self.estimates,
            population=self.population,
            subject=self.subject,
            statistics=[statistic],
            by=where["by"],
        )
        for one in rows:
            if (not group or one["group"] == group) and not one["suppressed_because"]:
                return one
        return None

    def say(self, key: str, **values: object) -> str:
        """Write a sentence of this grade and subject."""
        return self.texts.say(
            f"evidence.{key}",
            population=self.texts.say(f"population.{self.population}"),
            subject=self.texts.subject(self.population, self.subject),
            place=self.place,
            **values,
        )

    def piece(self, row: Row, kind: str, standing: str, sentence: str) -> Evidence:
        """Put a figure and its sentence together."""
        return Evidence(
            key=f"{row['figure_id']}#n" if kind == "sample" else str(row["figure_id"]),
            figure_id=str(row["figure_id"]),
            kind=kind,
            standing=standing,
            population=self.population,
            subject=self.subject,
            sentence=sentence,
            estimate=float(row["estimate"]),
            low=float(row["ci_low"]),
            high=float(row["ci_high"]),
        )

    def score(self, value: float) -> str:
        """Write a score with one decimal."""
        return self.texts.number(value, 1)

    def of_means(self) -> list[Evidence]:
        """Say the mean beside the nation's, with the test of the difference, and how many took part."""
        mean, nation = self.row("mean", PROVINCE, self.province), self.row("mean")
        if mean is None or nation is None:
            return []
        against = self.row(DIFFERENCE, PROVINCE, self.province)
        standing = state_of(against) if against is not None else "untested"
        difference = self.score(abs(against["estimate"])) if against is not None else ""
        compared = self.texts.say(f"evidence.{standing}", difference=difference)
        interval = {"low": self.score(mean["ci_low"]), "high": self.score(mean["ci_high"])}
        sentence = self.say(
            "mean",
            mean=self.score(mean["estimate"]),
            nation=self.score(nation["estimate"]),
            compared=compared,
            **interval,
        )
        counted = {"n": self.texts.number(mean["n"]), "n_schools": self.texts.number(mean["n_schools"])}
        sample = self.piece(mean, "sample", "same", self.say("sample", **counted))
        return [self.piece(mean, "mean", standing, sentence), sample]

    def of_shares(self) -> list[Evidence]:
        """Say the shares at level 2 and at level 4 or above beside the nation's; the difference is not tested."""
        found = []
        for kind, statistic in (("minimum", MINIMUM_PROFICIENCY), ("high", HIGH_PROFICIENCY)):
            share, nation = self.row(statistic, PROVINCE, self.province), self.row(statistic)
            if share is None or nation is None:
                continue
            sentence = self.say(
                kind,
                share=self.texts.share(share["estimate"]),
                low=self.texts.share(share["ci_low"]),
                high=self.texts.share(share["ci_high"]),
                nation=self.texts.share(nation["estimate"]),
            )
            found.append(self.piece(share, kind, "untested", sentence))
        return found

    def of_groups(self) -> list[Evidence]:
        """Say the mean of girls, boys, town and country of the province beside the nation's mean."""
        nation = self.row("mean")
        found: list[Evidence] = []
        if nation is None:
            return found
        for by in GROUPINGS:
            rows = select(
                self.estimates,
                population=self.population,
                subject=self.subject,
                statistics=["mean"],
                by=f"{PROVINCE}+{by}",
            )
            for row in rows:
                place, _plus, group = str(row["group"]).partition("+")
                if place != self.province or row["suppressed_because"]:
                    continue
                standing = _apart(row, nation)
                sentence = self.say(
                    f"group_{standing}",
                    group=self.texts.group(by, group).lower(),
                    mean=self.score(row["estimate"]),
                    low=self.score(row["ci_low"]),
                    high=self.score(row["ci_high"]),
                    nation=self.score(nation["estimate"]),
                )
                found.append(self.piece(row, "group", standing, sentence))
        return found

    def of_gaps(self) -> list[Evidence]:
        """Say the gaps between girls and boys, town and country within the province, each with its test."""
        found = []
        for by in GROUPINGS:
            rows = select(
                self.estimates,
                population=self.population,
                subject=self.subject,
                statistics=["gap"],
                by=f"{PROVINCE}+{by}",
            )
            for row in rows:
                place, _plus, pair = str(row["group"]).partition("+")
                if place == self.province and not row["suppressed_because"]:
                    found.append(self._gap(row, by, pair))
        return found

    def _gap(self, row: Row, by: str, pair: str) -> Evidence:
        """Say one gap; the pair is written "first-second", and the better one is named first."""
        names = [self.texts.group(by, one).lower() for one in pair.split("-")]
        low, high = row["ci_low"], row["ci_high"]
        if row["estimate"] < 0:
            names.reverse()
            low, high = -high, -low
        is_clear = low > 0
        sentence = self.say(
            "gap_clear" if is_clear else "gap_none",
            first=names[0],
            second=names[1],
            difference=self.score(abs(row["estimate"])),
            low=self.score(low),
            high=self.score(high),
        )
        return self.piece(row, "gap", "apart" if is_clear else "same", sentence)

    def of_conditions(self) -> list[Evidence]:
        """Say how scores rise with the index of socio-economic conditions, in the province and in the nation."""
        slope, nation = self.row("slope", PROVINCE, self.province), self.row("slope")
        strength = self.row("strength", PROVINCE, self.province)
        if slope is None or nation is None or strength is None:
            return []
        sentence = self.say(
            "conditions",
            slope=self.score(slope["estimate"]),
            low=self.score(slope["ci_low"]),
            high=self.score(slope["ci_high"]),
            nation=self.score(nation["estimate"]),
            strength=self.texts.share(strength["estimate"]),
        )
        return [self.piece(slope, "conditions", "untested", sentence)]


def _apart(row: Row, nation: Row) -> str:
    """Tell whether two intervals lie apart, and on which side the first lies."""
    if row["ci_high"] < nation["ci_low"]:
        return "below"
    return "above" if row["ci_low"] > nation["ci_high"] else "same"
