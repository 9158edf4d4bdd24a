"""The five headings of a province's report, as pages name and order them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """One heading: its key in the report, its place in addresses, its name, and what belongs under it."""

    key: str
    address: str
    title: str | Promise
    hint: str | Promise
    is_asked: bool = True


HEADINGS = (
    Heading(
        key="achieved",
        address="ket-qua",
        title=_("Results achieved"),
        hint=_(
            "The figures of the report stand here by themselves. Add what the figures do not say: what was done."
        ),
        is_asked=False,
    ),
    Heading(
        key="shortcomings",
        address="han-che",
        title=_("Shortcomings"),
        hint=_(
            "Which results are not yet as wished, and for which pupils? Quote the figures; the judgment is yours."
        ),
    ),
    Heading(
        key="causes",
        address="nguyen-nhan",
        title=_("Causes"),
        hint=_(
            "What explains the shortcomings? Say what you know and what is assumed; the figures alone prove no cause."
        ),
    ),
    Heading(
        key="solutions",
        address="giai-phap",
        title=_("Solutions"),
        hint=_(
            "What will the department do, where and until when? Rows for the work to be done follow as a table."
        ),
    ),
    Heading(
        key="recommendations",
        address="kien-nghi",
        title=_("Recommendations"),
        hint=_("What is asked of the People's Committee and of the Ministry?"),
    ),
)
BY_ADDRESS = {one.address: one for one in HEADINGS}
BY_KEY = {one.key: one for one in HEADINGS}
