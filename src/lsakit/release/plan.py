"""The plan of a disclosure control, as data: what must hold, what may not be touched, which steps in which order."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from lsakit.errors import TableError

KINDS = ("public", "restricted")
# Step kind → (parameters it needs, parameters it may have) beside kind, file, variables, because_vi, because_en.
STEPS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "drop": (frozenset(), frozenset()),
    "free_text": (frozenset(), frozenset()),
    "recode": (frozenset({"groups", "labels"}), frozenset({"labels_en"})),
    "band": (frozenset({"into", "cuts", "labels"}), frozenset({"labels_en", "label", "label_en"})),
    "top_bottom": (frozenset({"low", "high"}), frozenset()),
    "round": (frozenset({"digits"}), frozenset()),
    "merge": (frozenset({"keys", "k"}), frozenset()),
    "coarsen": (frozenset({"keys", "k"}), frozenset()),
    "suppress": (frozenset({"keys", "k"}), frozenset()),
    "swap": (frozenset({"share", "match", "keys"}), frozenset()),
}
_COMMON = frozenset({"kind", "file", "variables", "because_vi", "because_en"})
_NO_VARIABLES = frozenset({"free_text"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A key set and how many rows share each combination of it.

    Parameters
    ----------
    file : str
        ``"student"`` or ``"school"``.
    keys : tuple of str
        Variables that an attacker could know.
    k : int
        Fewest rows of a combination.
    """

    file: str
    keys: tuple[str, ...]
    k: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStep:
    """One step of a plan.

    Parameters
    ----------
    kind : str
        One of STEPS.
    file : str
        Table it works on.
    variables : tuple of str
        Variables it changes.
    settings : Mapping of str to object
        Its own parameters.
    because : Mapping of str to str
        Why, by language.
    """

    kind: str
    file: str
    variables: tuple[str, ...]
    settings: Mapping[str, Any]
    because: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosurePlan:
    """What protects a release.

    Parameters
    ----------
    name : str
        Short name of the plan.
    kind : {"public", "restricted"}
        For whom the files are.
    protected : tuple of str
        Variables that no step may change, so that figures by them are reproduced exactly.
    requirements : tuple of Requirement
        What must hold in the end; otherwise nothing is released.
    steps : tuple of PlanStep
        Steps in their order.
    published_keys : tuple of str
        Variables that a published list of all schools has; the risk report counts the schools they name.

    Examples
    --------
    >>> plan = DisclosurePlan.read("public")
    >>> plan.kind, [(need.file, need.k) for need in plan.requirements]
    ('public', [('school', 3), ('student', 5)])
    """

    name: str
    kind: str
    protected: tuple[str, ...]
    requirements: tuple[Requirement, ...]
    steps: tuple[PlanStep, ...]
    published_keys: tuple[str, ...] = ()

    @classmethod
    def read(cls, plan: str | Path) -> DisclosurePlan:
        """Read a plan that comes with lsakit, or a file.

        Parameters
        ----------
        plan : str or Path
            ``"public"``, ``"restricted"``, or the path of a TOML file.

        Returns
        -------
        DisclosurePlan
            The plan.

        Raises
        ------
        TableError
            If there is no such plan, or as ``parse``.
        """
        shipped = files("lsakit.release").joinpath("plans", f"{plan}.toml")
        if isinstance(plan, str) and shipped.is_file():
            return cls.parse(shipped.read_text(encoding="utf-8"))
        path = Path(plan)
        if not path.is_file():
            raise TableError(
                f"There is no disclosure plan {str(plan)!r}.",
                hint="Use 'public', 'restricted' or the path of a TOML file.",
                param="plan",
                got=str(plan),
            )
        return cls.parse(path.read_text(encoding="utf-8"))

    @classmethod
    def parse(cls, text: str) -> DisclosurePlan:
        """Read a plan from TOML.

        Parameters
        ----------
        text : str
            The plan.

        Returns
        -------
        DisclosurePlan
            The plan, checked.

        Raises
        ------
        TableError
            If the text is no TOML, a word is unknown, a step lacks a parameter, changes a protected variable, or
            nothing is required of a public file.
        """
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise TableError(f"The disclosure plan is no TOML: {error}.", param="plan") from error
        plan = cls(
            name=str(document.get("name", "")),
            kind=str(document.get("kind", "")),
            protected=tuple(document.get("protect", ())),
            requirements=tuple(_requirement(row) for row in document.get("require", ())),
            steps=tuple(_step(number, row) for number, row in enumerate(document.get("step", ()), start=1)),
            published_keys=tuple(document.get("published_keys", ())),
        )
        plan._check(document)
        return plan

    def _check(self, document: Mapping[str, Any]) -> None:
        """Refuse a plan that says too little or what it may not."""
        known = {"name", "kind", "protect", "require", "step", "published_keys"}
        unknown = sorted(set(document) - known)
        if unknown:
            raise _refusal(f"does not know {unknown[0]!r}", f"It knows: {', '.join(sorted(known))}.")
        if not self.name or self.kind not in KINDS:
            raise _refusal(
                "needs a name, and a kind that is 'public' or 'restricted'", "Write both at the top."
            )
        if self.kind == "public" and {need.file for need in self.requirements} < {"school", "student"}:
            raise _refusal(
                "of public files must require k-anonymity of schools and of students",
                "Write a [[require]] with file, keys and k for each.",
            )
        for number, step in enumerate(self.steps, start=1):
            touched = sorted(set(step.variables) & set(self.protected))
            if touched:
                raise _refusal(
                    f"changes the protected variable {touched[0]!r} in step {number} ({step.kind})",
                    "Take it from 'protect' or from the step; figures by it would no longer be reproduced.",
                )


def _refusal(what: str, hint: str) -> TableError:
    """Refuse a plan."""
    return TableError(f"The disclosure plan {what}.", hint=hint, param="plan")


def _requirement(row: Mapping[str, Any]) -> Requirement:
    """Read one requirement."""
    if set(row) != {"file", "keys", "k"} or int(row["k"]) < 2 or not row["keys"]:
        raise _refusal("has a [[require]] without file, keys and a k of at least 2", "Write all three.")
    return Requirement(file=str(row["file"]), keys=tuple(row["keys"]), k=int(row["k"]))


def _step(number: int, row: Mapping[str, Any]) -> PlanStep:
    """Read one step; every word is known or refused."""
    kind = str(row.get("kind", ""))
    if kind not in STEPS:
        raise _refusal(f"has an unknown step {kind!r} (number {number})", f"Steps: {', '.join(STEPS)}.")
    needed, allowed = STEPS[kind]
    settings = {word: value for word, value in row.items() if word not in _COMMON}
    lacking, unknown = sorted(needed - set(settings)), sorted(set(settings) - needed - allowed)
    if lacking or unknown or "file" not in row:
        word = (lacking or unknown or ["file"])[0]
        state = "has the unknown word" if unknown and not lacking else "lacks the word"
        raise _refusal(
            f"{state} {word!r} in step {number} ({kind})",
            f"A step {kind!r} has: {', '.join(sorted(needed | allowed | _COMMON))}.",
        )
    if not row.get("variables") and kind not in _NO_VARIABLES:
        raise _refusal(f"names no variables in step {number} ({kind})", "Write variables = [...].")
    return PlanStep(
        kind=kind,
        file=str(row["file"]),
        variables=tuple(row.get("variables", ())),
        settings=settings,
        because={"vi": str(row.get("because_vi", "")), "en": str(row.get("because_en", ""))},
    )
