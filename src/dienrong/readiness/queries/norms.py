"""The norm that holds in a cycle, as data for the rules."""

from __future__ import annotations

from typing import Any

from dienrong.readiness import judging
from dienrong.readiness.models import NormSet


def norm_of(cycle: Any) -> NormSet | None:
    """Give the newest version of the norm of a cycle; None where none is set."""
    return NormSet.objects.filter(cycle=cycle).order_by("-version").prefetch_related("rules").first()


def numbers_of(norm: NormSet) -> judging.Norm:
    """Give the numbers of a norm."""
    names = judging.Norm.__dataclass_fields__
    return judging.Norm(**{name: getattr(norm, name) for name in names})


def rules_of(norm: NormSet) -> list[judging.Rule]:
    """Give the rules for machines of a norm, in the order of the page."""
    return [judging.Rule(measure=one.measure, weight=one.weight, bound=one.bound) for one in norm.rules.all()]
