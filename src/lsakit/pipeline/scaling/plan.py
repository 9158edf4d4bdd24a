"""The plan of a scaling: what each stage takes, so that a change costs only what depends on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from lsakit.errors import CalibrationError
from lsakit.irt.scoring import RULES
from lsakit.pipeline.scaling.decisions import decided_groups, decided_scores
from lsakit.pipeline.scaling.options import ScalingDecision, ScalingOptions

SHARES = {
    "scores": 0.04, "classical": 0.08, "calibration": 0.28, "fit": 0.14, "dif": 0.14, "link": 0.02,
    "population": 0.24, "values": 0.06,
}  # fmt: skip
INPUT = "input"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingInputs:
    """Hashes of the stored tables that a scaling starts from.

    Parameters
    ----------
    raw_responses : str, optional
        student_id and one column per item, raw codes; with ``items``.
    scored_responses : str, optional
        student_id and one column per item, scores; in place of raw responses.
    items : str, optional
        item; for raw responses also format ("mc" or "cr"), key, max_score; n_options, label, cluster, position,
        domain may be there.
    students : str, optional
        student_id and the columns of groups, weights, tests of DIF and conditioning.
    old_items : str, optional
        Item parameters of an earlier cycle, in the form of ``item_parameters``.
    old_scale : str, optional
        Parameters slope, intercept, mean, sd of the reporting scale that is held.
    booklets : str, optional
        booklet, position, cluster: the order of the test, which the TIMSS rules need.
    test_responses, test_items : str, optional
        Raw responses to, and items of, the whole test where booklets hold other subjects too: whether a student reached
        an item shows in what he answered after it, in any subject. Only rules that recode omissions take them.
    """

    raw_responses: str | None = None
    scored_responses: str | None = None
    items: str | None = None
    students: str | None = None
    old_items: str | None = None
    old_scale: str | None = None
    booklets: str | None = None
    test_responses: str | None = None
    test_items: str | None = None

    def __post_init__(self) -> None:
        """Refuse inputs that no scaling can start from."""
        if (self.raw_responses is None) == (self.scored_responses is None):
            raise CalibrationError(
                "A scaling starts from either raw or scored responses, and not from both.",
                hint="Give raw_responses with items, or scored_responses.",
                param="raw_responses",
            )
        if self.raw_responses is not None and self.items is None:
            raise CalibrationError(
                "Raw responses need the table of items, which holds keys and highest scores.",
                hint="Give a table with item, format, key and max_score.",
                param="items",
            )

        if (self.test_responses is None) != (self.test_items is None):
            raise CalibrationError(
                "The responses to the whole test and its items come together.",
                hint="Give both test_responses and test_items, or neither.",
                param="test_responses",
            )

    def given(self) -> dict[str, str]:
        """Give the inputs that are there.

        Returns
        -------
        dict of str to str
            Hash by role.
        """
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {role: value for role, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedScaling:
    """One stage of a scaling.

    Parameters
    ----------
    stage : str
        Stage, one of ``SCALING_STAGES``.
    sources : Mapping of str to (str, str)
        For each role of the step, where it comes from: a stage (or ``"input"``) and the role it has there.
    parameters : Mapping of str to object
        Parameters of the step.
    seed : int or None
        Seed, where it draws at random.
    """

    stage: str
    sources: Mapping[str, tuple[str, str]]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None

    @property
    def step(self) -> str:
        """Name of the step in the registry."""
        return f"scaling_{self.stage}"


def plan_scaling(
    inputs: ScalingInputs, options: ScalingOptions, decisions: Sequence[ScalingDecision] = ()
) -> tuple[PlannedScaling, ...]:
    """Plan the stages of a scaling.

    Parameters
    ----------
    inputs : ScalingInputs
        What is given.
    options : ScalingOptions
        What is asked for.
    decisions : Sequence of ScalingDecision, optional
        Decisions that stand; their order does not matter.

    Returns
    -------
    tuple of PlannedScaling
        The stages in their order. Without linking there is no stage "link"; without columns to test, none "dif".

    Raises
    ------
    CalibrationError
        If an option needs a table that is not given, or decisions contradict each other.
    """
    given = inputs.given()
    _refuse_absent(given, options, decisions)
    plan = _Plan(given, options, decisions)
    stages = [plan.scores(), plan.classical(), plan.calibration(), plan.fit()]
    if options.dif_by:
        stages.append(plan.dif())
    if options.link != "none":
        stages.append(plan.link())
    return (*stages, plan.population(), plan.values())


def _refuse_absent(
    given: Mapping[str, str], options: ScalingOptions, decisions: Sequence[ScalingDecision]
) -> None:
    """Refuse options that need a table which is not there."""
    columns = [
        name for name in (options.group, options.weight, *options.dif_by, *options.conditioning) if name
    ]
    needs = {
        "students": f"the columns {', '.join(dict.fromkeys(columns))}" if columns else "",
        "old_items": f"the link {options.link!r}" if options.link != "none" else "",
    }
    for role, what in needs.items():
        if what and role not in given:
            raise CalibrationError(
                f"The options name {what}, and the table '{role}' is not given.",
                hint=f"Give the table '{role}', or change the options.",
                param=role,
            )
    if options.rule_of_values and "raw_responses" not in given:
        raise CalibrationError(
            "The option 'rule_of_values' scores the raw responses a second time, and the study holds scores.",
            why="In scores the kinds of missing answers cannot be told apart any more.",
            hint="Give raw responses, or leave 'rule_of_values' out.",
            param="rule_of_values",
            got=options.rule_of_values,
        )
    freed = sorted({one.item for one in decisions if one.kind == "free"})
    if freed and options.group is None:
        raise CalibrationError(
            f"{len(freed)} items have own parameters in some groups, and the scaling has no groups.",
            where=freed,
            hint="Name the column of the groups with 'group', or withdraw the decisions.",
            param="group",
        )


class _Plan:
    """Lay out one stage after the other."""

    def __init__(
        self,
        given: Mapping[str, str],
        options: ScalingOptions,
        decisions: Sequence[ScalingDecision],
    ) -> None:
        self.given = given
        self.options = options
        self.scored = decided_scores(decisions)
        self.free = decided_groups(decisions)
        self.weights = {
            "group": options.group if options.senate and options.weight else None,
            "weight": options.weight,
            "senate": bool(options.senate and options.group and options.weight),
        }
        self.groups = {"group": options.group, "weight": options.weight, "senate": self.weights["senate"]}
        self.linking = {"drift": options.drift}
        is_other = options.rule_of_values not in ("", options.rule)
        self.rule_of_values = options.rule_of_values if is_other else ""

    def sources(self, *roles: str, **stages: tuple[str, str]) -> dict[str, tuple[str, str]]:
        """Name the sources of a stage: inputs that are given, and outputs of earlier stages."""
        return {**{role: (INPUT, role) for role in roles if role in self.given}, **stages}

    def people(self, parameters: Mapping[str, Any]) -> tuple[str, ...]:
        """Ask for the students where the parameters name a column of theirs."""
        return ("students",) if parameters.get("group") or parameters.get("weight") else ()

    def scores(self) -> PlannedScaling:
        """Plan the scoring."""
        roles = ["raw_responses", "scored_responses", "items", "booklets"]
        rules = (self.options.rule, self.rule_of_values or self.options.rule)
        if "raw_responses" in self.given and any(RULES[name].recode_trailing_omissions for name in rules):
            roles += ["test_responses", "test_items"]
        rule = self.options.rule if "raw_responses" in self.given else None
        second = {"rule_of_values": self.rule_of_values} if self.rule_of_values else {}
        return PlannedScaling(
            stage="scores", sources=self.sources(*roles), parameters={"rule": rule, **second}
        )

    def classical(self) -> PlannedScaling:
        """Plan the classical analysis, which no decision changes."""
        roles = ["raw_responses", *(["items"] if "raw_responses" in self.given else [])]
        return PlannedScaling(
            stage="classical",
            sources=self.sources(
                *roles,
                *self.people(self.weights),
                scored_responses=("scores", "scored_responses"),
                summary=("scores", "summary"),
            ),
            parameters=self.weights,
        )

    def calibration(self) -> PlannedScaling:
        """Plan the calibration, which every decision changes."""
        options = self.options
        parameters = {
            "model": options.model,
            "models": dict(sorted(options.models.items())),
            **self.groups,
            "reference_group": options.reference_group,
            **self.scored,
            "free": self.free,
        }
        if options.release != "none":
            parameters["release"] = {
                "threshold": options.rmsd_threshold,
                "alarm_share": options.release_alarm,
            }
        roles = list(self.people(self.groups))
        if options.link == "fixed":
            parameters |= self.linking
            roles += ["old_items", "items"]
        return PlannedScaling(
            stage="calibration",
            sources=self.sources(*roles, scored_responses=("scores", "scored_responses")),
            parameters=parameters,
        )

    def fit(self) -> PlannedScaling:
        """Plan the judgment of fit."""
        parameters = {**self.groups, **self.scored, "rmsd_threshold": self.options.rmsd_threshold}
        return PlannedScaling(
            stage="fit",
            sources=self.sources(
                *self.people(self.groups),
                item_parameters=("calibration", "item_parameters"),
                groups=("calibration", "groups"),
                scored_responses=("scores", "scored_responses"),
            ),
            parameters=parameters,
        )

    def dif(self) -> PlannedScaling:
        """Plan the tests of differential functioning, which own parameters of groups do not change."""
        options = self.options
        parameters = {
            "dif_by": list(options.dif_by),
            "model": options.model,
            "models": dict(sorted(options.models.items())),
            **self.scored,
        }
        return PlannedScaling(
            stage="dif",
            sources=self.sources("students", scored_responses=("scores", "scored_responses")),
            parameters=parameters,
        )

    def link(self) -> PlannedScaling:
        """Plan the link to the earlier cycle."""
        is_fixed = self.options.link == "fixed"
        calibrated = ("item_parameters", "groups", *(("trend_items", "trend") if is_fixed else ()))
        return PlannedScaling(
            stage="link",
            sources=self.sources(
                *(() if is_fixed else ("old_items", "items")),
                "old_scale",
                **{role: ("calibration", role) for role in calibrated},
            ),
            parameters={
                "link": self.options.link,
                "collapse": self.scored["collapse"],
                **({} if is_fixed else self.linking),
            },
        )

    def population(self) -> PlannedScaling:
        """Plan the population model and the draws, on the old scale where there is a link."""
        options = self.options
        parameters = {
            **self.groups,
            **self.scored,
            "conditioning": list(options.conditioning),
            "categorical": sorted({*options.categorical, *options.reported} & set(options.conditioning)),
            "reported": sorted(options.reported),
            "pca_share": options.pca_share,
            "per_group": options.per_group,
            "n_values": options.n_values,
        }
        linked = {"item_parameters": ("link", "linked_parameters"), "groups": ("link", "linked_groups")}
        own = {role: ("calibration", role) for role in ("item_parameters", "groups")}
        is_asked = bool(self.people(self.groups) or options.conditioning)
        scored = "values_responses" if self.rule_of_values else "scored_responses"
        return PlannedScaling(
            stage="population",
            sources=self.sources(
                *(("students",) if is_asked else ()),
                scored_responses=("scores", scored),
                **(own if options.link == "none" else linked),
            ),
            parameters=parameters,
            seed=options.seed,
        )

    def values(self) -> PlannedScaling:
        """Plan the reporting scale."""
        options = self.options
        is_held = "old_scale" in self.given
        parameters = {
            **self.groups,
            "reference_group": None if is_held else options.reference_group,
            "scale_mean": None if is_held else options.scale_mean,
            "scale_sd": None if is_held else options.scale_sd,
            "cuts": list(options.cuts),
        }
        return PlannedScaling(
            stage="values",
            sources=self.sources(*self.people(self.groups), "old_scale", draws=("population", "draws")),
            parameters=parameters,
        )
