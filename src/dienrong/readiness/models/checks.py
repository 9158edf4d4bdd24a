"""Links by which machines of a school check themselves, and the reports that came."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from dienrong.core.models import TimestampedModel


class CheckLink(TimestampedModel):
    """A code with which any machine of one school opens the check page, without an account, until a day."""

    survey = models.ForeignKey("readiness.Survey", on_delete=models.CASCADE, related_name="links")
    code = models.CharField(max_length=12, unique=True)
    closes_on = models.DateField(_("until"))
    is_open = models.BooleanField(default=True)
    server_address = models.CharField(_("address of the school server"), max_length=120, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """A school has one open link; a new one closes the old."""

        verbose_name = _("link of the machine check")
        verbose_name_plural = _("links of the machine check")
        ordering = ["survey", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["survey"], condition=models.Q(is_open=True), name="readiness_one_open_link"
            )
        ]

    def __str__(self) -> str:
        return self.code


class MachineReport(models.Model):
    """What one machine measured of itself once; the newest of a machine counts."""

    class Verdict(models.TextChoices):
        """What the rules of the cycle say."""

        PASSED = "passed", _("Usable")
        WARNED = "warned", _("Usable, with remarks")
        FAILED = "failed", _("Not usable")

    class Way(models.TextChoices):
        """How the report came."""

        ONLINE = "online", _("over the network")
        FILE = "file", _("as a file")

    class Typing(models.TextChoices):
        """What became of the sentence that was typed."""

        COMPOSED = "composed", _("letters as they should be")
        DECOMPOSED = "decomposed", _("marks apart from letters")
        WRONG = "wrong", _("not the sentence")

    link = models.ForeignKey(CheckLink, on_delete=models.PROTECT, related_name="reports")
    report_id = models.UUIDField(unique=True)
    nonce = models.CharField(max_length=32, unique=True)
    digest = models.CharField(max_length=71)
    machine_id = models.UUIDField()
    label = models.CharField(_("name of the machine"), max_length=40, blank=True)
    is_latest = models.BooleanField(default=True)
    way = models.CharField(max_length=6, choices=Way.choices)
    measured_at = models.DateTimeField()
    received_at = models.DateTimeField()
    verdict = models.CharField(max_length=6, choices=Verdict.choices)
    norm = models.ForeignKey("readiness.NormSet", on_delete=models.PROTECT, related_name="+")

    engine = models.CharField(max_length=10)
    browser_version = models.PositiveSmallIntegerField(null=True)
    system = models.CharField(max_length=60, blank=True)
    screen_width = models.PositiveIntegerField()
    screen_height = models.PositiveIntegerField()
    memory_gb = models.DecimalField(max_digits=6, decimal_places=2, null=True)
    storage_mb = models.PositiveIntegerField(null=True)
    storage_works = models.BooleanField(null=True)
    clock_skew_s = models.IntegerField(null=True)
    typing = models.CharField(max_length=10, choices=Typing.choices, blank=True)
    sound_works = models.BooleanField(null=True)
    autosave_works = models.BooleanField(null=True)
    latency_ms = models.PositiveIntegerField(null=True)
    down_kbps = models.PositiveIntegerField(null=True)
    up_kbps = models.PositiveIntegerField(null=True)
    loss_percent = models.DecimalField(max_digits=4, decimal_places=1, null=True)
    server_works = models.BooleanField(null=True)

    class Meta:
        """One newest report of a machine in a link."""

        verbose_name = _("report of a machine")
        verbose_name_plural = _("reports of machines")
        ordering = ["link", "label", "pk"]
        indexes = [
            models.Index(fields=["machine_id"], name="readiness_machine"),
            models.Index(fields=["link", "received_at"], name="readiness_report_time"),
        ]

    def __str__(self) -> str:
        return f"{self.machine_id} {self.verdict}"

    @property
    def typing_works(self) -> bool | None:
        """Whether Vietnamese letters came as they should; None where nothing was typed."""
        return None if not self.typing else self.typing == self.Typing.COMPOSED

    @property
    def chromium(self) -> int | None:
        """The version of a browser of the Chromium family."""
        return self.browser_version if self.engine == "chromium" else None

    @property
    def firefox(self) -> int | None:
        """The version of Firefox."""
        return self.browser_version if self.engine == "firefox" else None


class CheckMiss(models.Model):
    """Somebody tried a code that is none; kept for a day as a keyed digest of the address."""

    address_digest = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        """Asked by address and time."""

        verbose_name = _("try of a wrong code")
        verbose_name_plural = _("tries of wrong codes")
        indexes = [models.Index(fields=["address_digest", "at"], name="readiness_miss")]

    def __str__(self) -> str:
        return str(self.at)
