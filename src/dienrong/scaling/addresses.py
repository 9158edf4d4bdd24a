"""Addresses of the pages of a study."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from dienrong.scaling.models import ScalingStudy


def address(name: str, study: ScalingStudy, *more: Any) -> str:
    """Give the address of a page of a study."""
    return reverse(f"scaling:{name}", args=[study.cycle.slug, study.number, *more])
