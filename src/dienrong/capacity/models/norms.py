"""Norms: how many people a cycle needs for so much work, and what one duty is paid."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dienrong.capacity.models.people import Kind
from dienrong.core.models import ValidityModel


class StaffNorm(models.Model):
    """So many people of a kind for so many units of work; without a cycle it holds for all that have none of their own."""

    class Per(models.TextChoices):
        """The work that is counted."""

        PROVINCE = "province", _("province with sampled schools")
        SCHOOL = "school", _("sampled schools")
        SITTING = "sitting", _("test sessions")
        STUDENT = "student", _("selected students")

    cycle = models.ForeignKey(
        "cycles.Cycle", null=True, blank=True, on_delete=models.CASCADE, related_name="staff_norms"
    )
    kind = models.CharField(pgettext_lazy("staff norm", "who"), max_length=20, choices=Kind.choices)
    n_people = models.PositiveSmallIntegerField(pgettext_lazy("staff norm", "people"))
    per = models.CharField(_("for"), max_length=8, choices=Per.choices)
    n_work = models.PositiveIntegerField(_("so many"), default=1)
    n_days = models.DecimalField(_("paid days of a person"), max_digits=5, decimal_places=1, default=1)
    note = models.CharField(_("ground"), max_length=200, blank=True)

    class Meta:
        """One norm of a kind in a cycle; nothing is needed for no work."""

        verbose_name = _("staff norm")
        verbose_name_plural = _("staff norms")
        ordering = ["kind"]
        constraints = [
            models.UniqueConstraint(
                fields=["cycle", "kind"],
                condition=Q(cycle__isnull=False),
                name="capacity_norm_once_a_cycle",
            ),
            models.UniqueConstraint(
                fields=["kind"], condition=Q(cycle__isnull=True), name="capacity_norm_for_all_once"
            ),
            models.CheckConstraint(condition=Q(n_work__gte=1), name="capacity_norm_counts_some_work"),
            models.CheckConstraint(condition=Q(n_days__gte=0), name="capacity_norm_days_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.n_people} / {self.n_work} {self.per}"


class AllowanceNorm(ValidityModel):
    """What a day of duty of a kind is paid, in đồng, by which document, from a day until a day."""

    kind = models.CharField(pgettext_lazy("staff norm", "who"), max_length=20, choices=Kind.choices)
    amount = models.PositiveIntegerField(_("dong a day"))
    legal_basis = models.CharField(_("legal ground"), max_length=200)

    class Meta(ValidityModel.Meta):
        """One norm of a kind begins on a day."""

        verbose_name = _("allowance norm")
        verbose_name_plural = _("allowance norms")
        ordering = ["kind", "-valid_from"]
        constraints = [
            *ValidityModel.Meta.constraints,
            models.UniqueConstraint(fields=["kind", "valid_from"], name="capacity_allowance_begins_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.amount}"
