"""Sessions of standard setting: levels, panelists, rounds, what each panelist said, and the cuts that came of it.

Panelists have no account: a link with a PIN opens their own form (``docs/modules/standards/concepts.md``).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from dienrong.core import clock
from dienrong.core.models import TimestampedModel

RP67 = 2.0 / 3.0


def _in_language(vietnamese: str, english: str) -> str:
    """Choose the text of the reader's language; Vietnamese where there is no English."""
    return english if english and (get_language() or "vi").startswith("en") else vietnamese


class StandardSetting(TimestampedModel):
    """One session: which items, by which method, how far it has come; what it rests on is frozen at its opening."""

    class Method(models.TextChoices):
        """How panelists judge."""

        ANGOFF = "angoff", _("Modified Angoff")
        BOOKMARK = "bookmark", _("Bookmark")

    class Source(models.TextChoices):
        """What kind of run gave the item parameters."""

        ANALYSIS = "analysis", _("Analysis run")
        SCALING = "scaling", _("Scaling run")

    class Probability(models.TextChoices):
        """With which probability an item counts as mastered."""

        RP67 = "rp67", _("RP67 (two thirds)")
        RP62 = "rp62", _("RP62 (0.62)")

    class State(models.TextChoices):
        """The life of a session."""

        PREPARATION = "preparation", _("Preparation")
        OPEN = "open", _("Round open")
        DISCUSSION = "discussion", _("Round closed, discussion")
        FINAL = "final", _("Cuts computed")
        ADOPTED = "adopted", _("Adopted")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    cycle = models.ForeignKey("cycles.Cycle", on_delete=models.PROTECT, related_name="standard_settings")
    number = models.PositiveIntegerField()
    title = models.CharField(_("title"), max_length=160)
    grade = models.PositiveSmallIntegerField(default=0)
    subject = models.CharField(max_length=80)
    method = models.CharField(_("method"), max_length=8, choices=Method.choices)
    probability = models.CharField(max_length=4, choices=Probability.choices, default=Probability.RP67)
    n_panels = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=11, choices=State.choices, default=State.PREPARATION)
    source = models.CharField(max_length=8, choices=Source.choices)
    source_number = models.PositiveIntegerField()
    source_title = models.CharField(max_length=250)
    items_hash = models.CharField(max_length=80)
    distribution_hash = models.CharField(max_length=80, blank=True)
    weights_hash = models.CharField(max_length=80, blank=True)
    replicates_hash = models.CharField(max_length=80, blank=True)
    weight_column = models.CharField(max_length=60, blank=True)
    values_pattern = models.CharField(max_length=60, blank=True)
    fay_factor = models.FloatField(default=0.5)
    item_subject = models.CharField(max_length=30, blank=True)
    scale_slope = models.FloatField()
    scale_intercept = models.FloatField()
    left_out = models.JSONField(default=list)
    links_end_at = models.DateTimeField()
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    manifest_id = models.CharField(max_length=80, blank=True)
    result = models.JSONField(default=dict)
    adopted_at = models.DateTimeField(null=True, blank=True)
    adopted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Numbered within the cycle; one adopted session a grade and subject."""

        verbose_name = _("standard-setting session")
        verbose_name_plural = _("standard-setting sessions")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["cycle", "number"], name="standards_number_once"),
            models.UniqueConstraint(
                fields=["cycle", "grade", "subject"],
                condition=Q(state="adopted"),
                name="standards_one_adopted",
            ),
            models.CheckConstraint(condition=Q(n_panels__range=(1, 2)), name="standards_panels_one_or_two"),
            models.CheckConstraint(condition=Q(scale_slope__gt=0), name="standards_slope_positive"),
            models.CheckConstraint(
                condition=~Q(state="adopted")
                | (Q(adopted_at__isnull=False) & ~Q(reason="") & ~Q(manifest_id="")),
                name="standards_adopted_says_why_and_whence",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def response_probability(self) -> float:
        """The response probability as a number."""
        return RP67 if self.probability == self.Probability.RP67 else 0.62

    @property
    def is_bookmark(self) -> bool:
        """Whether panelists place bookmarks."""
        return self.method == self.Method.BOOKMARK

    @property
    def is_over(self) -> bool:
        """Whether nothing more is judged here."""
        return self.state in {self.State.ADOPTED, self.State.WITHDRAWN}


class CutLevel(models.Model):
    """A proficiency level that begins at a cut; the cut stands here once it is computed."""

    setting = models.ForeignKey(StandardSetting, on_delete=models.CASCADE, related_name="levels")
    position = models.PositiveSmallIntegerField()
    name_vi = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80, blank=True)
    description_vi = models.CharField(max_length=1000, blank=True)
    description_en = models.CharField(max_length=1000, blank=True)
    theta = models.FloatField(null=True, blank=True)
    se_theta = models.FloatField(null=True, blank=True)
    scale = models.FloatField(null=True, blank=True)
    se_scale = models.FloatField(null=True, blank=True)

    class Meta:
        """The lowest first."""

        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["setting", "position"], name="standards_level_once"),
            models.CheckConstraint(condition=Q(position__gte=1), name="standards_level_from_one"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return _in_language(self.name_vi, self.name_en)

    @property
    def description(self) -> str:
        """What a student just at the level can do, in the reader's language."""
        return _in_language(self.description_vi, self.description_en)

    @property
    def code(self) -> str:
        """The code under which entries and artefacts know the level."""
        return f"level_{self.position}"


class ItemNote(models.Model):
    """What an item asks, in a line, so that a panelist finds it in the paper booklet."""

    setting = models.ForeignKey(StandardSetting, on_delete=models.CASCADE, related_name="notes")
    item = models.CharField(max_length=80)
    text = models.CharField(max_length=300)

    class Meta:
        """One note an item."""

        constraints = [models.UniqueConstraint(fields=["setting", "item"], name="standards_note_once")]

    def __str__(self) -> str:
        return self.item


class Panelist(TimestampedModel):
    """An expert of a panel; the PIN lies sealed, the link is signed and holds until it ends or is revoked."""

    setting = models.ForeignKey(StandardSetting, on_delete=models.CASCADE, related_name="panelists")
    number = models.PositiveSmallIntegerField()
    full_name = models.CharField(_("full name"), max_length=120)
    position = models.CharField(_("position"), max_length=120, blank=True)
    unit = models.CharField(_("unit"), max_length=160, blank=True)
    panel = models.PositiveSmallIntegerField(default=1)
    link_version = models.PositiveIntegerField(default=1)
    revoked_at = models.DateTimeField(null=True, blank=True)
    sealed_pin = models.BinaryField(editable=False)
    n_wrong = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Numbered within the session."""

        verbose_name = _("panelist")
        verbose_name_plural = _("panelists")
        ordering = ["panel", "number"]
        constraints = [
            models.UniqueConstraint(fields=["setting", "number"], name="standards_panelist_once"),
            models.CheckConstraint(condition=Q(panel__range=(1, 2)), name="standards_panel_known"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def code(self) -> str:
        """The code under which artefacts know the panelist; names stay here."""
        return f"P{self.number:02d}"

    @property
    def link_state(self) -> str:
        """``open``, ``revoked`` or ``expired``."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.setting.links_end_at <= clock.now() else "open"


class JudgingRound(models.Model):
    """A round of judgments; what came of it is kept when it closes."""

    setting = models.ForeignKey(StandardSetting, on_delete=models.CASCADE, related_name="rounds")
    number = models.PositiveSmallIntegerField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)
    result = models.JSONField(default=dict)

    class Meta:
        """Rounds follow one another; one is open at a time."""

        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["setting", "number"], name="standards_round_once"),
            models.UniqueConstraint(
                fields=["setting"], condition=Q(closed_at__isnull=True), name="standards_one_round_open"
            ),
        ]

    def __str__(self) -> str:
        return str(self.number)


class Entry(TimestampedModel):
    """What one panelist says in one round: a draft until it is submitted."""

    judging_round = models.ForeignKey(JudgingRound, on_delete=models.CASCADE, related_name="entries")
    panelist = models.ForeignKey(Panelist, on_delete=models.PROTECT, related_name="entries")
    submitted_at = models.DateTimeField(null=True, blank=True)
    typed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """One entry a panelist and round."""

        constraints = [
            models.UniqueConstraint(fields=["judging_round", "panelist"], name="standards_entry_once")
        ]

    def __str__(self) -> str:
        return f"{self.judging_round_id} {self.panelist_id}"


class Judgment(models.Model):
    """One number of an entry: the rating of an item at a level, or the page of a level's bookmark (no item)."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="judgments")
    level = models.ForeignKey(CutLevel, on_delete=models.CASCADE, related_name="+")
    item = models.CharField(max_length=80, blank=True)
    value = models.FloatField()

    class Meta:
        """One number a place; none below 0."""

        constraints = [
            models.UniqueConstraint(fields=["entry", "level", "item"], name="standards_judgment_once"),
            models.CheckConstraint(condition=Q(value__gte=0), name="standards_judgment_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id} {self.level_id} {self.item}"
