"""Plans of a unit and year, their tasks and dependencies, what is handed to other units, risks and reminders."""

from __future__ import annotations

import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from dienrong.accounts.models import UnitKind
from dienrong.core.models import TimestampedModel


class PlacedModel(models.Model):
    """A row that belongs to a unit: the ministry, a province, a commune or a school, with where it lies."""

    unit_kind = models.CharField(_("kind of unit"), max_length=10, choices=UnitKind.choices)
    unit_code = models.CharField(_("unit code"), max_length=20, blank=True)
    unit_name = models.CharField(_("unit name"), max_length=200, blank=True)
    province_code = models.CharField(max_length=20, blank=True, editable=False)
    commune_code = models.CharField(max_length=20, blank=True, editable=False)

    class Meta:
        abstract = True
        indexes = [
            models.Index(fields=["unit_kind", "unit_code"], name="%(app_label)s_%(class)s_unit"),
            models.Index(fields=["province_code"], name="%(app_label)s_%(class)s_prov"),
            models.Index(fields=["commune_code"], name="%(app_label)s_%(class)s_comm"),
        ]


class Plan(PlacedModel, TimestampedModel):
    """The plan of a unit: of a year, or of a round of a programme."""

    class State(models.TextChoices):
        """A draft is the unit's own business; a plan in force is read by those below and above."""

        DRAFT = "draft", _("Draft")
        IN_FORCE = "in_force", _("In force")
        CLOSED = "closed", _("Plan ended")

    year = models.PositiveSmallIntegerField(_("year"))
    title = models.CharField(_("title"), max_length=300)
    programme = models.CharField(_("template"), max_length=40, blank=True)
    cycle = models.ForeignKey(
        "cycles.Cycle", on_delete=models.PROTECT, null=True, blank=True, related_name="work_plans"
    )
    legal_bases = models.TextField(_("legal bases"), blank=True)
    recipients = models.TextField(_("recipients"), blank=True)
    number = models.CharField(_("number and symbol"), max_length=60, blank=True)
    adopted_on = models.DateField(_("adopted on"), null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta(PlacedModel.Meta):
        """The newest year comes first."""

        ordering = ["-year", "unit_kind", "unit_code", "title"]
        constraints = [
            models.CheckConstraint(condition=Q(year__gte=2000, year__lte=2100), name="followup_plan_year"),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(adopted_on__isnull=False), name="followup_plan_adopted"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Task(TimestampedModel):
    """One task of a plan: what, who leads, who takes part, until when, with which product."""

    class State(models.TextChoices):
        """What the unit of the plan says of the task."""

        OPEN = "open", _("Not begun")
        RUNNING = "running", _("Under way")
        DONE = "done", _("Done")
        DROPPED = "dropped", _("Dropped")

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="tasks")
    position = models.PositiveIntegerField()
    title = models.CharField(_("task"), max_length=300)
    detail = models.TextField(_("content"), blank=True)
    lead = models.CharField(_("in charge"), max_length=200, blank=True)
    support = models.CharField(_("taking part"), max_length=300, blank=True)
    starts_on = models.DateField(_("begins"))
    due_on = models.DateField(_("due"))
    product = models.CharField(_("product"), max_length=300, blank=True)
    fallback = models.TextField(_("contingency plan"), blank=True)
    step_number = models.PositiveSmallIntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    done_on = models.DateField(null=True, blank=True)
    outcome = models.CharField(_("what came of it"), max_length=500, blank=True)

    class Meta:
        """Tasks stand in the order of the plan."""

        ordering = ["position", "pk"]
        indexes = [models.Index(fields=["state", "due_on"], name="followup_task_due")]
        constraints = [
            models.CheckConstraint(condition=Q(due_on__gte=F("starts_on")), name="followup_task_days"),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(done_on__isnull=False), name="followup_task_done_on"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def is_late(self, today: datetime.date) -> bool:
        """Tell whether the task is open past its day."""
        return self.state in (self.State.OPEN, self.State.RUNNING) and self.due_on < today


class TaskLink(models.Model):
    """A task that begins when another is done."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="links")
    after = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="followers")

    class Meta:
        """Each pair once, and never a task after itself."""

        constraints = [
            models.UniqueConstraint(fields=["task", "after"], name="followup_link_once"),
            models.CheckConstraint(condition=~Q(task=F("after")), name="followup_link_not_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.after_id} → {self.task_id}"


class Duty(PlacedModel, TimestampedModel):
    """A task handed to a unit, which says itself when it has done it."""

    class State(models.TextChoices):
        """Reported by the unit, returned by who handed it out."""

        OPEN = "open", _("Not reported yet")
        DONE = "done", _("Reported done")
        RETURNED = "returned", _("Returned")

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="duties")
    due_on = models.DateField(_("due"))
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    done_on = models.DateField(null=True, blank=True)
    outcome = models.CharField(_("what came of it"), max_length=500, blank=True)
    returned_because = models.CharField(_("reason"), max_length=300, blank=True)
    sort_key = models.CharField(max_length=2000, editable=False, default="")

    class Meta(PlacedModel.Meta):
        """Units stand the Vietnamese way, each once."""

        ordering = ["sort_key", "unit_code"]
        indexes = [
            *PlacedModel.Meta.indexes,
            models.Index(fields=["state", "due_on"], name="followup_duty_due"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["task", "unit_kind", "unit_code"], name="followup_duty_once"),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(done_on__isnull=False), name="followup_duty_done_on"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit_name}: {self.task}"


class Risk(TimestampedModel):
    """Something that may go wrong: how likely, how grave, what prevents it, what is done if it happens."""

    class State(models.TextChoices):
        """A risk is watched until it happens or is over."""

        WATCHED = "watched", _("Watched")
        HAPPENED = "happened", _("Happened")
        OVER = "over", _("Over")

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="risks")
    title = models.CharField(_("what may happen"), max_length=300)
    cause = models.CharField(_("why it may happen"), max_length=300, blank=True)
    likelihood = models.PositiveSmallIntegerField(_("how likely, 1 to 5"))
    impact = models.PositiveSmallIntegerField(_("how grave, 1 to 5"))
    prevention = models.TextField(_("what prevents it"))
    fallback = models.TextField(_("what is done if it happens"))
    owner = models.CharField(_("who watches it"), max_length=200)
    review_on = models.DateField(_("looked at again on"))
    state = models.CharField(max_length=10, choices=State.choices, default=State.WATCHED)
    happened_on = models.DateField(null=True, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True)

    class Meta:
        """The gravest first."""

        ordering = [(F("likelihood") * F("impact")).desc(), "title"]
        constraints = [
            models.CheckConstraint(
                condition=Q(likelihood__gte=1, likelihood__lte=5, impact__gte=1, impact__lte=5),
                name="followup_risk_from_1_to_5",
            ),
            models.CheckConstraint(
                condition=~Q(state="happened") | Q(happened_on__isnull=False),
                name="followup_risk_happened_on",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def weight(self) -> int:
        """How likely times how grave, 1 to 25."""
        return self.likelihood * self.impact


class CalendarKey(models.Model):
    """A personal address under which a calendar program reads what is due; only its digest is kept."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="calendar_key"
    )
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"calendar of {self.user_id}"


class Reminder(models.Model):
    """A reminder that went out, so that none goes out twice."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    n_items = models.PositiveIntegerField()
    sent_at = models.DateTimeField()

    class Meta:
        """One a day and person."""

        constraints = [models.UniqueConstraint(fields=["user", "day"], name="followup_reminder_once_a_day")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.day:%Y-%m-%d}"
