"""The survey of a school in a cycle: answers, groups of machines, where it stands, and which mode was decided."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dienrong.core.models import TimestampedModel


class Mode(models.TextChoices):
    """In which way a school is tested."""

    COMPUTER = "computer", _("On computers")
    MIXED = "mixed", _("Mixed")
    PAPER = "paper", _("On paper")
    UNKNOWN = "unknown", _("Not known yet")


class SurveyRound(TimestampedModel):
    """A province (all provinces where none is named) is surveyed for a cycle until a day."""

    class Reach(models.TextChoices):
        """Which schools are asked."""

        SAMPLED = "sampled", _("Schools that take part in the cycle")
        ALL = "all", _("All open schools")

    cycle = models.ForeignKey("cycles.Cycle", on_delete=models.CASCADE, related_name="readiness_rounds")
    province = models.ForeignKey("registry.AdministrativeUnit", on_delete=models.PROTECT, related_name="+")
    reach = models.CharField(_("which schools"), max_length=8, choices=Reach.choices)
    due_on = models.DateField(_("until"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """One round of a province in a cycle."""

        verbose_name = _("survey round")
        verbose_name_plural = _("survey rounds")
        ordering = ["cycle", "province"]
        constraints = [
            models.UniqueConstraint(fields=["cycle", "province"], name="readiness_round_once"),
        ]

    def __str__(self) -> str:
        return f"{self.cycle_id} {self.province_id}"


class Survey(TimestampedModel):
    """One school in one cycle. The columns from ``suggested`` on are derived, and rebuilt by ``judging.judge_again``."""

    class State(models.TextChoices):
        """Where the survey is."""

        EMPTY = "empty", _("Not begun")
        DRAFT = "draft", _("Being filled in")
        SUBMITTED = "submitted", _("Submitted")
        CHECKED = "checked", _("Checked by the commune")
        RETURNED = "returned", _("Returned")
        ACCEPTED = "accepted", _("Accepted by the province")

    school = models.ForeignKey("registry.School", on_delete=models.PROTECT, related_name="readiness_surveys")
    cycle = models.ForeignKey("cycles.Cycle", on_delete=models.CASCADE, related_name="readiness_surveys")
    form_version = models.CharField(_("version of the form"), max_length=20)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.EMPTY)
    started_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    return_reason = models.CharField(_("why it was returned"), max_length=300, blank=True)

    suggested = models.CharField(max_length=8, choices=Mode.choices, default=Mode.UNKNOWN)
    decided = models.CharField(max_length=8, choices=Mode.choices, blank=True)
    n_students = models.PositiveIntegerField(default=0)
    n_needed = models.PositiveIntegerField(default=0)
    n_machines = models.PositiveIntegerField(default=0)
    n_meeting = models.PositiveIntegerField(default=0)
    n_passed = models.PositiveIntegerField(default=0)
    n_failed = models.PositiveIntegerField(default=0)
    n_usable = models.PositiveIntegerField(default=0)
    lack_machines = models.PositiveIntegerField(default=0)
    lack_headphones = models.PositiveIntegerField(default=0)
    lack_power = models.PositiveIntegerField(default=0)
    lack_server = models.PositiveIntegerField(default=0)
    lack_network = models.PositiveIntegerField(default=0)

    class Meta:
        """One survey of a school in a cycle; a returned one says why."""

        verbose_name = _("survey of a school")
        verbose_name_plural = _("surveys of schools")
        ordering = ["cycle", "school"]
        indexes = [
            models.Index(fields=["cycle", "state"], name="readiness_survey_state"),
            models.Index(fields=["cycle", "suggested"], name="readiness_survey_mode"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["school", "cycle"], name="readiness_survey_once"),
            models.CheckConstraint(
                condition=~Q(state="returned") | ~Q(return_reason=""), name="readiness_returned_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school_id} {self.cycle_id} {self.state}"

    @property
    def mode(self) -> str:
        """The mode that holds: the decided one, else the suggested."""
        return self.decided or self.suggested

    @property
    def is_open(self) -> bool:
        """Whether answers may still change."""
        return self.state in (self.State.EMPTY, self.State.DRAFT, self.State.RETURNED)


class Answer(models.Model):
    """One answer as text, in the way the form's version names for its question."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="answers")
    question = models.SlugField(max_length=40)
    value = models.CharField(max_length=600)

    class Meta:
        """One answer to a question."""

        verbose_name = _("answer to the survey")
        verbose_name_plural = _("answers to the survey")
        ordering = ["survey", "question"]
        constraints = [models.UniqueConstraint(fields=["survey", "question"], name="readiness_answer_once")]

    def __str__(self) -> str:
        return f"{self.question}={self.value}"


class MachineGroup(models.Model):
    """Machines of a school that are alike."""

    class Kind(models.TextChoices):
        """What kind of machine."""

        DESKTOP = "desktop", _("Desktop computers")
        LAPTOP = "laptop", _("Laptops")
        TABLET = "tablet", _("Tablets")

    class System(models.TextChoices):
        """Operating system."""

        WINDOWS_7 = "windows_7", "Windows 7"
        WINDOWS_8 = "windows_8", "Windows 8, 8.1"
        WINDOWS_10 = "windows_10", "Windows 10"
        WINDOWS_11 = "windows_11", "Windows 11"
        LINUX = "linux", "Linux"
        OTHER = "other", _("Another system")

    class Browser(models.TextChoices):
        """The browser that is used."""

        CHROMIUM = "chromium", "Chrome, Edge, Cốc Cốc"
        FIREFOX = "firefox", "Firefox"
        OTHER = "other", _("Another browser")

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="groups")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(_("which machines"), max_length=8, choices=Kind.choices)
    n_working = models.PositiveSmallIntegerField(_("machines that work"))
    year_bought = models.PositiveSmallIntegerField(_("year bought"))
    memory_gb = models.PositiveSmallIntegerField(_("memory, GB"))
    screen_width = models.PositiveSmallIntegerField(_("screen width, points"))
    screen_height = models.PositiveSmallIntegerField(_("screen height, points"))
    system = models.CharField(_("system"), max_length=10, choices=System.choices)
    browser = models.CharField(_("browser"), max_length=8, choices=Browser.choices)
    browser_version = models.PositiveSmallIntegerField(_("main version of the browser"))

    class Meta:
        """Groups of a school are numbered."""

        verbose_name = _("group of machines")
        verbose_name_plural = _("groups of machines")
        ordering = ["survey", "position"]
        constraints = [
            models.UniqueConstraint(fields=["survey", "position"], name="readiness_group_once"),
            models.CheckConstraint(condition=Q(n_working__gte=1), name="readiness_group_has_machines"),
        ]

    def __str__(self) -> str:
        return f"{self.n_working} {self.kind}"


class ModeDecision(models.Model):
    """An officer decided how a school is tested; a later decision is a further row."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="decisions")
    mode = models.CharField(_("mode"), max_length=8, choices=Mode.choices)
    suggested = models.CharField(max_length=8, choices=Mode.choices)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    decided_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        """Who deviates says why."""

        verbose_name = _("decision of the mode")
        verbose_name_plural = _("decisions of the mode")
        ordering = ["survey", "-decided_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(mode=models.F("suggested")) | ~Q(reason=""), name="readiness_deviation_says_why"
            ),
            models.CheckConstraint(condition=~Q(mode="unknown"), name="readiness_decision_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.survey_id} {self.mode}"
