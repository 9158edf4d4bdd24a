"""The norm of a cycle: how many machines a school needs, what a machine must be; a change is a further version."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dienrong.core.models import TimestampedModel


class NormSet(TimestampedModel):
    """The numbers of a norm; the newest version of a cycle holds."""

    cycle = models.ForeignKey("cycles.Cycle", on_delete=models.CASCADE, related_name="readiness_norms")
    version = models.PositiveSmallIntegerField()
    n_students = models.PositiveSmallIntegerField(
        _("students of a school, while none are selected"), default=35
    )
    sitting_size = models.PositiveSmallIntegerField(_("most students in one room"), default=35)
    n_sittings = models.PositiveSmallIntegerField(_("sittings one after another"), default=1)
    spare_percent = models.PositiveSmallIntegerField(_("spare machines, per cent"), default=10)
    mixed_percent = models.PositiveSmallIntegerField(
        _("machines for the mixed mode, per cent of the need"), default=50
    )
    checked_percent = models.PositiveSmallIntegerField(
        _("machines that passed the check, per cent of the need"), default=30
    )
    headphones_percent = models.PositiveSmallIntegerField(_("headphones, per cent of the need"), default=0)
    n_it_staff = models.PositiveSmallIntegerField(_("people who look after machines"), default=1)
    needs_backup_power = models.BooleanField(_("back-up power is needed"), default=True)
    needs_server = models.BooleanField(_("a machine for the school server is needed"), default=True)
    needs_network = models.BooleanField(_("a line to the centre is needed on the day"), default=False)
    n_training_days = models.PositiveSmallIntegerField(_("days of a training"), default=2)
    class_size = models.PositiveSmallIntegerField(_("learners of a training class"), default=50)
    legal_basis = models.CharField(_("legal ground"), max_length=240)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """Versions of a cycle are numbered; nothing is divided by zero."""

        verbose_name = _("norm of readiness")
        verbose_name_plural = _("norms of readiness")
        ordering = ["cycle", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["cycle", "version"], name="readiness_norm_version_once"),
            models.CheckConstraint(
                condition=Q(n_students__gte=1, sitting_size__gte=1, n_sittings__gte=1, class_size__gte=1),
                name="readiness_norm_counts_something",
            ),
            models.CheckConstraint(
                condition=Q(mixed_percent__lte=100, checked_percent__lte=100, headphones_percent__lte=100),
                name="readiness_norm_shares_up_to_100",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cycle_id} v{self.version}"


class Measure(models.TextChoices):
    """What a machine measures of itself."""

    CHROMIUM = "chromium", _("version of Chrome, Edge or “Cốc Cốc”")
    FIREFOX = "firefox", _("version of Firefox")
    SCREEN_WIDTH = "screen_width", _("width of the screen")
    SCREEN_HEIGHT = "screen_height", _("height of the screen")
    MEMORY = "memory_gb", _("memory")
    STORAGE = "storage_mb", _("room for answers on the machine")
    STORAGE_WORKS = "storage_works", _("writing and reading on the machine")
    CLOCK = "clock_skew_s", _("clock against the centre")
    TYPING = "typing_works", _("Vietnamese typing")
    SOUND = "sound_works", _("sound in the headphones")
    AUTOSAVE = "autosave_works", _("work kept after a power cut")
    LATENCY = "latency_ms", _("answer time of the centre")
    DOWN = "down_kbps", _("speed of receiving")
    UP = "up_kbps", _("speed of sending")
    LOSS = "loss_percent", _("lost calls to the centre")
    SERVER = "server_works", _("school server")


class Weight(models.TextChoices):
    """What it means where a measure does not hold."""

    MUST = "must", _("must hold")
    SHOULD = "should", _("should hold")


class CheckRule(models.Model):
    """One rule for a machine: a measure against a bound; which side is right follows from the measure."""

    norm = models.ForeignKey(NormSet, on_delete=models.CASCADE, related_name="rules")
    measure = models.CharField(_("measure"), max_length=16, choices=Measure.choices)
    weight = models.CharField(_("weight"), max_length=6, choices=Weight.choices)
    bound = models.DecimalField(_("bound"), max_digits=9, decimal_places=1, default=1)

    class Meta:
        """A measure has at most one bound of each weight."""

        verbose_name = _("rule for machines")
        verbose_name_plural = _("rules for machines")
        ordering = ["norm", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["norm", "measure", "weight"], name="readiness_rule_once"),
        ]

    def __str__(self) -> str:
        return f"{self.measure} {self.weight} {self.bound}"
