"""Pages of a run's results: which records, figures and tables stand on each, and what they tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dienrong.core.formats import number_text, percent_text
from dienrong.scaling import laid_out, queries, words
from dienrong.scaling.models import ScalingRun
from dienrong.scaling.numeric import results
from dienrong.scaling.numeric.alarms import alarms_of
from dienrong.scaling.numeric.tables import sorted_table, without_kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A record or table of a page: the stage and role it comes from, its order, how many rows stand first."""

    stage: str
    role: str
    order: str = ""
    n: int = 20
    about: Any = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One page of results."""

    lead: Any
    records: Sequence[Part] = ()
    tables: Sequence[Part] = ()
    figures: Sequence[str] = ()


SECTIONS: dict[str, Section] = {
    "calibration": Section(
        lead=_("Parameters of items and groups, and whether the iterations came to rest."),
        records=(Part(stage="calibration", role="convergence"), Part(stage="classical", role="consistency")),
        figures=("convergence", "group_distribution"),
        tables=(
            Part(stage="calibration", role="groups", about=_("Mean and spread of ability by group, logits.")),
            Part(stage="calibration", role="item_parameters", about=_("Slope and difficulty in the logit metric, D = 1.")),
        ),
    ),
    "fit": Section(
        lead=_("How far what was observed lies from what the model says, item by item and group by group."),
        records=(Part(stage="calibration", role="release"),),
        tables=(
            Part(stage="calibration", role="release_shares", order="-share_unique", about=_("How many items a group shares with all others; those that it does not lose their power to compare it.")),
            Part(stage="calibration", role="release_steps", about=_("What the automatic release freed, one set of parameters a round, the worst misfit first.")),
            Part(stage="fit", role="proposals", order="-rmsd", about=_("Items that the release rule would free next: own parameters in the groups named.")),
            Part(stage="fit", role="group_fit", order="-rmsd", about=_("RMSD: root of the mean squared distance of the curves; MD: its sign.")),
            Part(stage="fit", role="item_fit", about=_("Mean squares near 1 fit; S-X² compares by sum score.")),
            Part(stage="fit", role="local_dependence", order="-q3", about=_("Pairs whose answers go together more than ability explains.")),
        ),
    ),
    "dif": Section(
        lead=_("Items that work differently in groups of equal ability. A: negligible, B: moderate, C: large."),
        figures=("dif",),
        tables=(Part(stage="dif", role="dif", order="-category", n=40),),
    ),
    "maps": Section(
        lead=_("Students and items on one scale, and how precisely the test measures where."),
        figures=("wright_map", "test_information"),
    ),
    "link": Section(
        lead=_("How the common items behave in both studies, which of them link, and the error this adds to trends."),
        records=(Part(stage="link", role="link"),),
        figures=("link",),
        tables=(
            Part(stage="link", role="link_items", order="-difference"),
            Part(stage="link", role="linked_groups"),
            Part(stage="link", role="linked_parameters"),
        ),
    ),
    "population": Section(
        lead=_("Ability given background: what the plausible values are drawn from."),
        records=(Part(stage="population", role="population"),),
        tables=(
            Part(stage="population", role="coefficients", n=40),
            Part(stage="population", role="subgroups", n=40, about=_("Each reported group is in the model; its mean of EAP and its size.")),
        ),
    ),
    "values": Section(
        lead=_("Plausible values on the reporting scale, and their distribution. They describe groups, never a child."),
        records=(Part(stage="values", role="scale"),),
        figures=("values_distribution",),
        tables=(
            Part(stage="values", role="distribution", n=60),
            Part(stage="values", role="scaled_values", n=5, about=_("One row per student, for analysis with all values.")),
        ),
    ),
}  # fmt: skip
GROUPED = ("wle", "eap")
KINDS_SHOWN = {("values", "distribution"): "at_or_above"}
"""A table of which a page leaves one kind of row to the whole table and the Excel file."""


def content(run: ScalingRun, name: str) -> dict[str, Any]:
    """Give the records and tables of a page of results.

    Raises
    ------
    ResultGoneError
        If an artefact is missing or was changed.
    """
    section = SECTIONS[name]
    path, manifests = queries.store_path(run.study), queries.manifests_of(run)
    records = []
    for part in section.records:
        found = results.record(path, manifests, part.stage, part.role)
        if found:
            records.append(
                {
                    "title": words.role_title(part.role),
                    "rows": laid_out.record_rows(found, role=part.role, without=("doubtful",)),
                    "manifest": manifests[part.stage],
                }
            )
    tables = []
    for part in section.tables:
        found_table = results.table(path, manifests, part.stage, part.role)
        if found_table is None:
            continue
        if (part.stage, part.role) in KINDS_SHOWN:
            found_table = without_kinds(found_table, KINDS_SHOWN[(part.stage, part.role)])
        if part.order:
            found_table = sorted_table(found_table, part.order)
        laid = laid_out.lay_out(found_table, stage=part.stage, role=part.role, n=part.n)
        tables.append({"laid": laid, "about": part.about, "manifest": manifests[part.stage]})
    return {"lead": section.lead, "records": records, "tables": tables}


def alarms(run: ScalingRun) -> list[str]:
    """Say in which groups so many items are not common, or misfit, that their results may not compare.

    Raises
    ------
    ResultGoneError
        If an artefact is missing or was changed.
    """
    said = {
        "release": gettext(
            "%(group)s: %(n)s of %(total)s items are not common, more than %(share)s. The release stopped there: the "
            "group may not be comparable. Look at its translation, coding and data, or report it apart."
        ),
        "misfit": gettext(
            "%(group)s: %(n)s of %(total)s items misfit, more than %(share)s: the group may not be comparable. Look "
            "at its translation, coding and data."
        ),
    }
    return [
        said[one.kind]
        % {
            "group": one.group,
            "n": number_text(one.n),
            "total": number_text(one.total),
            "share": percent_text(one.share, 0),
        }
        for one in alarms_of(queries.store_path(run.study), queries.manifests_of(run))
    ]


def reliabilities(run: ScalingRun) -> list[dict[str, Any]]:
    """Give the reliabilities of a run, of all students and by group.

    Raises
    ------
    ResultGoneError
        If an artefact is missing or was changed.
    """
    found = results.record(queries.store_path(run.study), queries.manifests_of(run), "fit", "reliability")
    groups: Mapping[str, Any] = found.get("eap_by_group") or {}
    rows = [{"group": "", **{name: _value(found.get(name)) for name in GROUPED}}] if found else []
    for group in groups:
        rows.append(
            {
                "group": group,
                **{name: _value((found.get(f"{name}_by_group") or {}).get(group)) for name in GROUPED},
            }
        )
    return rows


def _value(found: Any) -> dict[str, Any]:
    """Give a reliability with its reason where it is not defined."""
    return dict(found) if isinstance(found, Mapping) else {}
