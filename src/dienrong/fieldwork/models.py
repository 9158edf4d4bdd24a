"""Who takes part: schools from letter to outcome, the people listed and taken there, test sessions and what happened.

A state is what the page shows; every change of it leaves a row in ``FieldEvent``, with who, when and why. Codes of
outcome are those of the platform (``docs/algorithms/response_rates.md``), mapped to each programme by its rules.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dienrong.core.models import TimestampedModel


class Fieldwork(models.Model):
    """The fieldwork of one drawn plan, from its start: until when schools answer and when they test."""

    plan = models.OneToOneField("sampling.Plan", on_delete=models.PROTECT, related_name="fieldwork")
    started_at = models.DateTimeField()
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    answer_due = models.DateField(_("schools answer until"))
    list_due = models.DateField(_("lists are sent in until"))
    test_from = models.DateField(_("tests from"))
    test_to = models.DateField(_("tests until"))

    class Meta:
        """The newest first; the days follow one another."""

        verbose_name = _("fieldwork")
        verbose_name_plural = _("fieldwork")
        ordering = ["-started_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(answer_due__lte=F("list_due"))
                & Q(list_due__lte=F("test_from"))
                & Q(test_from__lte=F("test_to")),
                name="fieldwork_days_in_order",
            )
        ]

    def __str__(self) -> str:
        return str(self.plan_id)


class FieldSchool(TimestampedModel):
    """A school in the field: a sampled one, or a replacement that was called on."""

    class State(models.TextChoices):
        """How far the school has come."""

        TO_NOTIFY = "to_notify", _("To be notified")
        NOTIFIED = "notified", _("Notified")
        CONFIRMED = "confirmed", _("Confirmed")
        LISTED = "listed", _("List sent in")
        SELECTED = "selected", _("People selected")
        TESTED = "tested", _("Tested")
        CLOSED = "closed", _("Concluded")
        NOT_TAKING_PART = "not_taking_part", _("Does not take part")

    class Attention(models.TextChoices):
        """What happened to the school itself between the draw and the test; a person decides what follows."""

        CLOSED = "closed", pgettext_lazy("attention", "School closed")
        MERGED = "merged", _("School merged or split")

    sampled = models.OneToOneField("sampling.SampledSchool", on_delete=models.PROTECT, related_name="field")
    school = models.ForeignKey("registry.School", on_delete=models.PROTECT, related_name="+")
    plan = models.ForeignKey("sampling.Plan", on_delete=models.PROTECT, related_name="field_schools")
    replaces = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by"
    )
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=15, choices=State.choices, default=State.TO_NOTIFY)
    attention = models.CharField(max_length=6, choices=Attention.choices, blank=True)
    participation_code = models.PositiveSmallIntegerField(_("participation code"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    coordinator_name = models.CharField(_("coordinator"), max_length=120, blank=True)
    coordinator_phone = models.CharField(_("telephone"), max_length=30, blank=True)
    notified_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    test_date = models.DateField(_("day of the test"), null=True, blank=True)
    n_listed = models.PositiveIntegerField(null=True, blank=True)
    n_classes = models.PositiveIntegerField(null=True, blank=True)
    list_explained = models.CharField(_("why the list differs"), max_length=300, blank=True)
    seed = models.CharField(max_length=40, blank=True)
    selection = models.JSONField(_("how people were selected"), default=dict)

    class Meta:
        """A school that does not take part has a code and a reason."""

        verbose_name = _("school in the field")
        verbose_name_plural = _("schools in the field")
        ordering = ["plan", "sampled__selection_order"]
        indexes = [models.Index(fields=["plan", "state"], name="fieldwork_schools_by_state")]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="fieldwork_school_number_once"),
            models.CheckConstraint(
                condition=~Q(state="not_taking_part") | (Q(participation_code__isnull=False) & ~Q(reason="")),
                name="fieldwork_not_taking_part_says_why",
            ),
            models.CheckConstraint(
                condition=Q(participation_code__isnull=True) | Q(participation_code__range=(1, 12)),
                name="fieldwork_school_code_known",
            ),
        ]

    def __str__(self) -> str:
        return str(self.sampled_id)


class FieldEvent(models.Model):
    """Something that happened to a school in the field; rows are added, never changed."""

    field_school = models.ForeignKey(FieldSchool, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    kind = models.SlugField(max_length=30)
    text = models.CharField(max_length=500, blank=True)

    class Meta:
        """The first first."""

        verbose_name = _("event of the field")
        verbose_name_plural = _("events of the field")
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["field_school", "at"], name="fieldwork_events_of_school")]

    def __str__(self) -> str:
        return self.kind


class ListedPerson(models.Model):
    """A person on the frozen list of a school in the field, known by study id alone."""

    field_school = models.ForeignKey(FieldSchool, on_delete=models.CASCADE, related_name="people")
    study_id = models.CharField(max_length=26)
    line = models.PositiveIntegerField()
    class_name = models.CharField(max_length=30, blank=True)
    drawn_class = models.CharField(max_length=120, blank=True)
    sex = models.CharField(max_length=6, blank=True)
    birth_year = models.PositiveSmallIntegerField(null=True, blank=True)
    birth_month = models.PositiveSmallIntegerField(null=True, blank=True)
    has_special_needs = models.BooleanField(default=False)
    is_selected = models.BooleanField(default=False)
    probability = models.FloatField(null=True, blank=True)
    booklet = models.PositiveSmallIntegerField(null=True, blank=True)
    person_code = models.CharField(max_length=20, blank=True)
    status = models.PositiveSmallIntegerField(_("participation code"), null=True, blank=True)
    status_note = models.CharField(max_length=200, blank=True)
    test_session = models.ForeignKey(
        "TestSession", null=True, blank=True, on_delete=models.SET_NULL, related_name="people"
    )

    class Meta:
        """A person stands once on a list; whoever is selected has a probability and a code of the form."""

        verbose_name = _("listed person")
        verbose_name_plural = _("listed people")
        ordering = ["field_school", "line"]
        indexes = [models.Index(fields=["field_school", "is_selected"], name="fieldwork_people_selected")]
        constraints = [
            models.UniqueConstraint(fields=["field_school", "study_id"], name="fieldwork_person_listed_once"),
            models.UniqueConstraint(fields=["field_school", "line"], name="fieldwork_line_once"),
            models.UniqueConstraint(
                fields=["person_code"], condition=~Q(person_code=""), name="fieldwork_person_code_once"
            ),
            models.CheckConstraint(
                condition=Q(is_selected=False, probability__isnull=True, status__isnull=True)
                | Q(is_selected=True, probability__gt=0, probability__lte=1),
                name="fieldwork_selected_has_probability",
            ),
        ]

    def __str__(self) -> str:
        return self.study_id


class TestSession(TimestampedModel):
    """A sitting at a school: planned, held, reported."""

    class Kind(models.TextChoices):
        """The sitting itself, or one for those who were absent."""

        MAIN = "main", _("Main session")
        MAKE_UP = "make_up", _("Make-up session")

    class State(models.TextChoices):
        """How far it has come."""

        PLANNED = "planned", pgettext_lazy("test session", "Planned")
        REPORTED = "reported", _("Reported")
        CANCELLED = "cancelled", _("Cancelled")

    field_school = models.ForeignKey(FieldSchool, on_delete=models.CASCADE, related_name="test_sessions")
    number = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=7, choices=Kind.choices, default=Kind.MAIN)
    state = models.CharField(max_length=9, choices=State.choices, default=State.PLANNED)
    on_date = models.DateField(_("day"))
    begins_at = models.TimeField(_("begins at"), null=True, blank=True)
    room = models.CharField(_("room"), max_length=60, blank=True)
    administrator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="test_sessions",
    )
    administrator_name = models.CharField(_("test administrator"), max_length=120, blank=True)
    started_at = models.TimeField(_("started at"), null=True, blank=True)
    ended_at = models.TimeField(_("ended at"), null=True, blank=True)
    answers = models.JSONField(_("answers of the report"), default=dict)
    reported_at = models.DateTimeField(null=True, blank=True)
    reported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """Sessions of a school are numbered; a reported one says when and by whom."""

        verbose_name = _("test session")
        verbose_name_plural = _("test sessions")
        ordering = ["on_date", "begins_at", "field_school", "number"]
        indexes = [models.Index(fields=["on_date", "state"], name="fieldwork_sessions_of_day")]
        constraints = [
            models.UniqueConstraint(fields=["field_school", "number"], name="fieldwork_session_number_once"),
            models.CheckConstraint(
                condition=~Q(state="reported") | Q(reported_at__isnull=False, reported_by__isnull=False),
                name="fieldwork_reported_says_by_whom",
            ),
            models.CheckConstraint(
                condition=Q(started_at__isnull=True)
                | Q(ended_at__isnull=True)
                | Q(ended_at__gte=F("started_at")),
                name="fieldwork_session_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.field_school_id} {self.number}"


class Incident(models.Model):
    """Something that went wrong at a school or in a session, until it is settled."""

    class Kind(models.TextChoices):
        """What went wrong."""

        POWER = "power", _("Power or network")
        DEVICE = "device", _("Computers")
        MATERIAL = "material", _("Booklets and materials")
        PEOPLE = "people", pgettext_lazy("incident", "People")
        SECURITY = "security", _("Confidentiality")
        WEATHER = "weather", _("Weather, disease")
        OTHER = "other", _("Other")

    field_school = models.ForeignKey(FieldSchool, on_delete=models.CASCADE, related_name="incidents")
    test_session = models.ForeignKey(
        TestSession, null=True, blank=True, on_delete=models.SET_NULL, related_name="incidents"
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    text = models.CharField(_("what happened"), max_length=1000)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    n_affected = models.PositiveSmallIntegerField(_("people affected"), default=0)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_text = models.CharField(_("how it was settled"), max_length=500, blank=True)

    class Meta:
        """The newest first."""

        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return self.kind


class QualityVisit(models.Model):
    """A visit of a quality monitor: what was looked at, and what was found."""

    field_school = models.ForeignKey(FieldSchool, on_delete=models.CASCADE, related_name="visits")
    test_session = models.ForeignKey(
        TestSession, null=True, blank=True, on_delete=models.SET_NULL, related_name="visits"
    )
    on_date = models.DateField(_("day"))
    visitor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    answers = models.JSONField(_("check list"), default=dict)
    text = models.CharField(_("remarks"), max_length=1000, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        """The newest first."""

        verbose_name = _("quality visit")
        verbose_name_plural = _("quality visits")
        ordering = ["-on_date", "-pk"]

    def __str__(self) -> str:
        return f"{self.field_school_id} {self.on_date}"


class WeightRun(models.Model):
    """Weights computed from the outcomes of a fieldwork: files named by their hashes, and what went in.

    ``files`` holds role, hash and name of each file; ``summary`` what the report shows of it.
    """

    plan = models.ForeignKey("sampling.Plan", on_delete=models.PROTECT, related_name="weight_runs")
    number = models.PositiveSmallIntegerField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    rules = models.SlugField(max_length=20)
    software = models.CharField(max_length=80)
    manifest_hash = models.CharField(max_length=71)
    files = models.JSONField(default=dict)
    summary = models.JSONField(default=dict)

    class Meta:
        """The newest first; runs of a plan are numbered."""

        verbose_name = _("weights")
        verbose_name_plural = _("weights")
        ordering = ["-made_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="fieldwork_weight_run_number_once")
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.number}"
