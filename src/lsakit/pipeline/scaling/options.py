"""What a scaling is asked for, and the decisions on its items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Any

from lsakit.errors import CalibrationError
from lsakit.irt.models import MODELS
from lsakit.irt.scoring import RULES

SCALING_STAGES = ("scores", "classical", "calibration", "fit", "dif", "link", "population", "values")
DECISION_KINDS = ("drop", "collapse", "free")
LINE_METHODS = ("mean_mean", "mean_sigma", "haebara", "stocking_lord")
RELEASES = ("none", "automatic")
LINK_METHODS = ("none", "fixed", *LINE_METHODS)
MOST_VALUES = 100
MOST_SCORE = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingOptions:
    """Describe the scaling of one subject.

    Parameters
    ----------
    model : str, default "gpcm"
        Model of every item; an item of two categories under "gpcm" is the 2PL item.
    models : Mapping of str to str, optional
        Items with another model.
    rule : str, default "pisa2015"
        Rule of what missing answers count as, one of `lsakit.irt.scoring.RULES`.
    rule_of_values : str, default ""
        Another rule for the responses that the population model and the plausible values rest on, as TIMSS and PISA until
        2012 have it (not reached: not administered in calibration, wrong in scoring); empty takes ``rule``.
    group : str, optional
        Column of the students: groups with a mean and a standard deviation of their own (country, province).
    reference_group : str, optional
        Group whose mean is 0 and on which the reporting scale is set; without it the first by name, and the
        scale is set on all students.
    weight : str, optional
        Column of the students: final weights.
    senate : bool, default True
        Whether the weights are scaled so that each group counts the same; without weights and groups it has
        no effect.
    dif_by : tuple of str, optional
        Columns of the students by which items are tested for differential functioning.
    rmsd_threshold : float, default 0.12
        RMSD above which an item misfits in a group, share of the highest score.
    conditioning : tuple of str, optional
        Columns of the students that enter the population model, beside the groups.
    categorical : tuple of str, optional
        Conditioning variables that are categories though their codes are numbers; groups and reported variables
        always are.
    pca_share : float, optional
        Share of the variance of the conditioning variables that their components must keep; without it the
        variables enter as they are.
    per_group : bool, default False
        Whether each group has a population model of its own, instead of one for all with the groups as contrasts.
    reported : tuple of str, optional
        Columns by which results will be reported; each must be in the population model.
    link : str, default "none"
        "none", "fixed" (old items held), or a line: "mean_mean", "mean_sigma", "haebara", "stocking_lord".
    release : str, default "none"
        "automatic": the calibration gives items parameters of their own in groups where their RMSD is above
        ``rmsd_threshold``, one set a round, as `lsakit.release_items` does; what decisions freed stays freed.
    release_alarm : float, default 0.25
        Share of a group's items that are not common above which the release stops: the group may not be comparable.
    drift : float, default 0.5
        Difference of difficulty beyond which a common item no longer links, logits; 0 keeps all.
    n_values : int, default 10
        Plausible values per student.
    seed : int, default 2026
        Seed of the plausible values.
    scale_mean, scale_sd : float, default 500 and 100
        Mean and standard deviation of a reporting scale that is set here, points; a held scale ignores them.
    cuts : tuple of float, optional
        Lower bounds of levels 1, 2, …, points of the reporting scale, ascending.
    until : str, default "values"
        Last stage to run, one of ``SCALING_STAGES``; no stage depends on it.

    Raises
    ------
    CalibrationError
        If an option is outside its range, or two options contradict each other.

    Examples
    --------
    >>> ScalingOptions(cuts=(400, 500)).cuts
    (400.0, 500.0)
    >>> ScalingOptions(n_values=0)
    Traceback (most recent call last):
    ...
    lsakit.errors.CalibrationError: The option 'n_values' of the scaling must lie between 2 and 100. Got 0.
    """

    model: str = "gpcm"
    models: Mapping[str, str] = field(default_factory=dict)
    rule: str = "pisa2015"
    rule_of_values: str = ""
    group: str | None = None
    reference_group: str | None = None
    weight: str | None = None
    senate: bool = True
    dif_by: tuple[str, ...] = ()
    rmsd_threshold: float = 0.12
    conditioning: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    pca_share: float | None = None
    per_group: bool = False
    reported: tuple[str, ...] = ()
    release: str = "none"
    release_alarm: float = 0.25
    link: str = "none"
    drift: float = 0.5
    n_values: int = 10
    seed: int = 2026
    scale_mean: float = 500.0
    scale_sd: float = 100.0
    cuts: tuple[float, ...] = ()
    until: str = "values"

    def __post_init__(self) -> None:
        """Refuse options that no scaling can be run with."""
        for name in ("dif_by", "conditioning", "categorical", "reported"):
            object.__setattr__(self, name, _names(name, getattr(self, name)))
        _refuse_choice("model", self.model, tuple(MODELS))
        if not isinstance(self.models, Mapping):
            raise _refusal("models", self.models, "must give a model by item.", 'For example: {"M1": "pcm"}.')
        for name in ("group", "reference_group", "weight"):
            if not isinstance(getattr(self, name), str | None):
                raise _refusal(name, getattr(self, name), "must be text.")
        for item, model in self.models.items():
            _refuse_choice(f"models[{item}]", model, tuple(MODELS))
        _refuse_choice("rule", self.rule, tuple(RULES))
        if self.rule_of_values:
            _refuse_choice("rule_of_values", self.rule_of_values, tuple(RULES))
        _refuse_choice("until", self.until, SCALING_STAGES)
        _refuse_link(self.link)
        _refuse_choice("release", self.release, RELEASES)
        _refuse_range("release_alarm", self.release_alarm, 0.0, 1.0, low_is_open=True)
        _refuse_range("rmsd_threshold", self.rmsd_threshold, 0.0, 1.0, low_is_open=True)
        _refuse_range("drift", self.drift, 0.0, 10.0)
        _refuse_range("n_values", self.n_values, 2, MOST_VALUES)
        _refuse_range("scale_sd", self.scale_sd, 0.0, 1e6, low_is_open=True)
        _refuse_range("scale_mean", self.scale_mean, -1e6, 1e6)
        if self.pca_share is not None:
            _refuse_range("pca_share", self.pca_share, 0.0, 1.0, low_is_open=True)
        object.__setattr__(self, "cuts", _cuts(self.cuts))
        self._refuse_without_groups()
        strange = [name for name in self.categorical if name not in self.conditioning]
        if strange:
            raise _refusal(
                "categorical",
                strange[0],
                "must name variables of 'conditioning'.",
                "Add it there, or take it out here.",
            )
        absent = [name for name in self.reported if name not in (*self.conditioning, self.group)]
        if absent:
            raise CalibrationError(
                f"{len(absent)} variables by which results will be reported are not in the population model.",
                where=absent,
                why="Plausible values draw the groups of a variable outside the model together.",
                hint="Add them to 'conditioning', or take them out of 'reported'.",
                param="reported",
                got=tuple(absent),
            )

    def _refuse_without_groups(self) -> None:
        """Refuse options that mean something between groups only, where no column of groups is named."""
        asked = {
            "per_group": self.per_group,
            "reference_group": self.reference_group is not None,
            "release": self.release != "none",
        }
        for name, is_asked in asked.items():
            if is_asked and self.group is None:
                raise _refusal(
                    name,
                    getattr(self, name),
                    "needs the option 'group', the column that holds the groups.",
                    f"Name the column of the groups, or leave {name!r} out.",
                )

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> ScalingOptions:
        """Read options from JSON or TOML.

        Parameters
        ----------
        values : Mapping of str to object
            Options by name; lists stand for tuples.

        Returns
        -------
        ScalingOptions
            The options.

        Raises
        ------
        CalibrationError
            If a name is unknown, or an option is outside its range.

        Examples
        --------
        >>> ScalingOptions.from_mapping({"dif_by": ["gender"]}).dif_by
        ('gender',)
        """
        known = [one.name for one in fields(cls)]
        strange = [name for name in values if name not in known]
        if strange:
            raise CalibrationError(
                f"The scaling has no option {strange[0]!r}.",
                hint=f"Its options are: {', '.join(known)}.",
                param=strange[0],
                got=strange[0],
            )
        return cls(**dict(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingDecision:
    """Decide on one item.

    Parameters
    ----------
    item : str
        Item.
    kind : str
        "drop" (the item leaves the scale), "collapse" (scores are put together) or "free" (own parameters in some
        groups).
    scores : Mapping of int to int, optional
        For "collapse": new score of each old score that changes.
    groups : tuple of str, optional
        For "free": groups that share one set of own parameters; two decisions give two sets.

    Raises
    ------
    CalibrationError
        If the kind is unknown, or scores or groups are absent where needed or given where they mean nothing.

    Examples
    --------
    >>> ScalingDecision(item="M1", kind="collapse", scores={2: 1}).scores
    {2: 1}
    """

    item: str
    kind: str
    scores: Mapping[int, int] = field(default_factory=dict)
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse decisions that decide nothing."""
        _refuse_choice("kind", self.kind, DECISION_KINDS)
        object.__setattr__(self, "groups", _names("groups", self.groups))
        object.__setattr__(self, "scores", _scores(self.item, self.scores))
        needs = {"collapse": "scores", "free": "groups"}.get(self.kind)
        for name in ("scores", "groups"):
            is_given = bool(getattr(self, name))
            if is_given != (name == needs):
                raise CalibrationError(
                    f"The decision to {self.kind} the item {self.item!r} "
                    f"{'has no meaning for' if is_given else 'needs'} '{name}'.",
                    hint="'collapse' takes scores, 'free' takes groups, 'drop' takes neither.",
                    param=name,
                    got=getattr(self, name),
                )

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> ScalingDecision:
        """Read a decision from JSON or TOML, whose keys are text.

        Parameters
        ----------
        values : Mapping of str to object
            item, kind, and scores or groups; anything else (reason, who) is left aside.

        Returns
        -------
        ScalingDecision
            The decision.

        Raises
        ------
        CalibrationError
            If item or kind is absent, or the decision decides nothing.

        Examples
        --------
        >>> ScalingDecision.from_mapping({"item": "M1", "kind": "collapse", "scores": {"2": 1}}).scores
        {2: 1}
        """
        absent = [name for name in ("item", "kind") if not values.get(name)]
        if absent:
            raise CalibrationError(
                f"A decision needs {' and '.join(repr(name) for name in absent)}.",
                hint='For example: item = "M1", kind = "drop".',
                param=absent[0],
            )
        return cls(
            item=str(values["item"]),
            kind=str(values["kind"]),
            scores=values.get("scores") or {},
            groups=values.get("groups") or (),
        )


def _refusal(name: str, got: object, what: str, hint: str = "") -> CalibrationError:
    """Say that an option cannot be what it is."""
    return CalibrationError(
        f"The option {name!r} of the scaling {what} Got {got!r}.", hint=hint, param=name, got=got
    )


def _refuse_choice(name: str, value: str, known: Sequence[str]) -> None:
    """Refuse a word that is not among the known ones."""
    if value not in known:
        raise _refusal(name, value, f"must be one of {', '.join(known)}.")


def _refuse_link(link: str) -> None:
    """Refuse unknown methods, and the concurrent one by its own sentence."""
    if link == "concurrent":
        raise _refusal(
            "link",
            link,
            "cannot be 'concurrent' here: it needs the responses of both cycles, and a study holds one.",
            "Use 'fixed' with the old item parameters, or a line such as 'stocking_lord'.",
        )
    _refuse_choice("link", link, LINK_METHODS)


def _refuse_range(name: str, value: float, low: float, high: float, *, low_is_open: bool = False) -> None:
    """Refuse a number outside its range, or something that is no number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not low <= value <= high or (low_is_open and value == low):
        above = "be above" if low_is_open else "lie between"
        raise _refusal(name, value, f"must {above} {low:g} and {'at most ' if low_is_open else ''}{high:g}.")


def _names(name: str, given: Any) -> tuple[str, ...]:
    """Take names as a tuple, each once."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise _refusal(name, given, "must be a list of names.", f"For example: {name} = [{given!r}].")
    found = tuple(str(one) for one in given)
    if len(set(found)) < len(found) or "" in found:
        raise _refusal(name, found, "must hold each name once, and no empty one.")
    return found


def _cuts(given: Sequence[float]) -> tuple[float, ...]:
    """Take cut scores as ascending numbers."""
    try:
        found = tuple(float(cut) for cut in given)
    except (TypeError, ValueError):
        raise _refusal("cuts", given, "must be numbers.") from None
    if any(low >= high for low, high in pairwise(found)):
        raise _refusal("cuts", found, "must ascend.", "Give the lower bound of level 1 first.")
    return found


def _scores(item: str, given: Mapping[Any, Any]) -> dict[int, int]:
    """Take old and new scores as whole numbers."""
    try:
        found = {int(old): int(new) for old, new in given.items()}
    except (TypeError, ValueError, AttributeError):
        found = {-1: -1}
    if any(not (0 <= old <= MOST_SCORE and 0 <= new <= old) for old, new in found.items()):
        raise CalibrationError(
            f"The decision to collapse the item {item!r} must map scores from 0 to {MOST_SCORE} to the same or "
            f"lower ones. Got {given!r}.",
            hint="For example {2: 1} puts full and partial credit together.",
            param="scores",
            got=given,
        )
    return found
