"""What plans ask for, where units stood, and what was reported: phases, documents, targets, readings, reports."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from dienrong.core.models import TimestampedModel


class Phase(models.Model):
    """A phase of the project, with the days as which the words of the plans are read."""

    code = models.CharField(_("phase"), max_length=9, unique=True)
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"))
    words_vi = models.CharField(max_length=300)
    words_en = models.CharField(max_length=300)

    class Meta:
        """Phases follow one another."""

        verbose_name = _("phase")
        verbose_name_plural = _("phases")
        ordering = ["first_day"]
        constraints = [
            models.CheckConstraint(condition=Q(last_day__gt=F("first_day")), name="plans_phase_days_in_order")
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def words(self) -> str:
        """How the days are read, in the reader's language."""
        return self.words_vi if (get_language() or "vi").startswith("vi") else self.words_en


class PlanDocument(models.Model):
    """A document that sets targets: the national project, or the plan of a province, as written."""

    class Source(models.TextChoices):
        """How much of the document is at hand."""

        TEXT = "text", _("Full text")
        QUOTED = "quoted", _("As quoted by other documents")
        NEWS = "news", _("As told by a news article")
        OWN = "own", _("Entered by the unit")

    code = models.SlugField(max_length=60, unique=True)
    unit = models.ForeignKey(
        "registry.AdministrativeUnit",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("province"),
    )
    source_kind = models.CharField(max_length=6, choices=Source.choices)
    source_note = models.CharField(max_length=400, blank=True)
    number = models.CharField(_("number and symbol"), max_length=60)
    issued_on = models.DateField(_("day of the document"), null=True, blank=True)
    issuer = models.CharField(_("issued by"), max_length=200)
    kind_word = models.CharField(max_length=60)
    title = models.CharField(_("title"), max_length=500)
    place_and_day = models.CharField(max_length=120, blank=True)
    preamble = models.TextField(blank=True)
    closing = models.TextField(blank=True)
    signer_title = models.CharField(max_length=120, blank=True)
    signer = models.CharField(max_length=120, blank=True)
    recipients = models.JSONField(default=list)
    digest = models.CharField(max_length=71)
    loaded_at = models.DateTimeField()
    loaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """The newest first; a document without a day comes last."""

        verbose_name = _("plan document")
        verbose_name_plural = _("plan documents")
        ordering = [F("issued_on").desc(nulls_last=True), "code"]

    def __str__(self) -> str:
        return self.number


class PlanSection(models.Model):
    """One heading of a document with its paragraphs, word by word."""

    class Topic(models.TextChoices):
        """What the section is about."""

        GROUP = "group", pgettext_lazy("section of a plan", "Heading")
        PURPOSE = "purpose", _("Purpose")
        DEMANDS = "demands", _("Demands")
        GENERAL_GOAL = "general_goal", _("General goal")
        GOALS = "goals", _("Specific goals")
        TASKS = "tasks", _("Tasks")
        SOLUTIONS = "solutions", _("Solutions")
        FUNDING = "funding", _("Funding")
        ORGANIZATION = "organization", _("Who does what")
        OTHER = "other", pgettext_lazy("section of a plan", "Other")

    document = models.ForeignKey(PlanDocument, on_delete=models.CASCADE, related_name="sections")
    position = models.PositiveSmallIntegerField()
    path = models.CharField(max_length=20)
    heading = models.CharField(max_length=300)
    is_heading_ours = models.BooleanField(default=False)
    topic = models.CharField(max_length=12, choices=Topic.choices)
    phase = models.ForeignKey(Phase, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    paragraphs = models.JSONField(default=list)

    class Meta:
        """Sections stand in the order of the document."""

        verbose_name = _("section of a plan")
        verbose_name_plural = _("sections of a plan")
        ordering = ["document", "position"]
        constraints = [
            models.UniqueConstraint(fields=["document", "position"], name="plans_section_position_once"),
            models.UniqueConstraint(fields=["document", "path"], name="plans_section_path_once"),
        ]

    def __str__(self) -> str:
        return self.path


class Target(TimestampedModel):
    """What a document asks of an indicator in a phase: a share, or words without one; with its quote and place."""

    document = models.ForeignKey(PlanDocument, on_delete=models.CASCADE, related_name="targets")
    phase = models.ForeignKey(
        Phase, on_delete=models.PROTECT, related_name="targets", verbose_name=_("phase")
    )
    indicator = models.SlugField(_("indicator"), max_length=40)
    share = models.DecimalField(_("target, per cent"), max_digits=5, decimal_places=4, null=True, blank=True)
    place = models.CharField(_("place in the document"), max_length=40)
    paragraph = models.PositiveSmallIntegerField(null=True, blank=True)
    quote = models.TextField(_("words of the document"))
    is_added = models.BooleanField(default=False)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        """A document asks once of an indicator in a phase; a withdrawn target says why."""

        verbose_name = _("target")
        verbose_name_plural = _("targets")
        ordering = ["phase", "document", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["document", "phase", "indicator"],
                condition=Q(withdrawn_at__isnull=True),
                name="plans_target_once_a_phase",
            ),
            models.CheckConstraint(
                condition=Q(share__isnull=True) | Q(share__gt=0, share__lte=1),
                name="plans_target_is_a_share",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | ~Q(withdrawn_reason=""),
                name="plans_withdrawn_target_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.indicator} {self.share}"


class Reading(models.Model):
    """How a unit reads an indicator where the plans leave it open; versions are added, never changed."""

    unit = models.ForeignKey(
        "registry.AdministrativeUnit", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    indicator = models.SlugField(max_length=40)
    version = models.PositiveSmallIntegerField()
    choices = models.JSONField(default=dict)
    reason = models.CharField(_("reason"), max_length=300)
    valid_from = models.DateField(_("valid from"))
    set_at = models.DateTimeField()
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """The newest version first."""

        verbose_name = _("reading of an indicator")
        verbose_name_plural = _("readings of indicators")
        ordering = ["indicator", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "indicator", "version"],
                condition=Q(unit__isnull=False),
                name="plans_reading_version_once",
            ),
            models.UniqueConstraint(
                fields=["indicator", "version"],
                condition=Q(unit__isnull=True),
                name="plans_national_reading_version_once",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="plans_reading_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.indicator} {self.version}"


class Snapshot(models.Model):
    """The values of a unit on a day as they were computed, with definitions and hashes of what stood behind."""

    unit = models.ForeignKey(
        "registry.AdministrativeUnit", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    day = models.DateField(_("as of"))
    taken_at = models.DateTimeField()
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    values = models.JSONField(default=list)
    digest = models.CharField(max_length=71)

    class Meta:
        """The newest first."""

        verbose_name = _("snapshot of values")
        verbose_name_plural = _("snapshots of values")
        ordering = ["-taken_at", "-pk"]
        indexes = [models.Index(fields=["unit", "day"], name="plans_snapshots_of_unit")]

    def __str__(self) -> str:
        return f"{self.unit_id} {self.day}"


class ReportCall(models.Model):
    """A report that is due: for which period, until when, by which document, from all provinces or one."""

    class Kind(models.TextChoices):
        """How long a period a report tells of."""

        MONTH = "month", pgettext_lazy("report", "Monthly progress")
        YEAR = "year", pgettext_lazy("report", "Annual report")
        PHASE = "phase", pgettext_lazy("report", "Report of the phase")

    kind = models.CharField(_("kind of report"), max_length=5, choices=Kind.choices)
    phase = models.ForeignKey(Phase, on_delete=models.PROTECT, related_name="calls", verbose_name=_("phase"))
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"))
    due_on = models.DateField(_("due on"))
    basis = models.CharField(_("legal ground"), max_length=300)
    unit = models.ForeignKey(
        "registry.AdministrativeUnit", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    called_at = models.DateTimeField()
    called_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """The next one due first; a period is asked for once."""

        verbose_name = _("report asked for")
        verbose_name_plural = _("reports asked for")
        ordering = ["-due_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")), name="plans_call_days_in_order"
            ),
            models.UniqueConstraint(
                fields=["kind", "first_day", "last_day"],
                condition=Q(unit__isnull=True),
                name="plans_call_once",
            ),
            models.UniqueConstraint(
                fields=["kind", "first_day", "last_day", "unit"],
                condition=Q(unit__isnull=False),
                name="plans_own_call_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.first_day}"


class ReportHead(models.Model):
    """What the reports of a unit bear as official documents; without unit those of the ministry."""

    unit = models.OneToOneField(
        "registry.AdministrativeUnit", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    parent_agency = models.CharField(_("agency above"), max_length=160, blank=True)
    agency = models.CharField(_("agency"), max_length=160)
    symbol = models.CharField(_("symbol"), max_length=40)
    place = models.CharField(_("place"), max_length=80)
    addressees = models.JSONField(_("addressed to"), default=list)
    bases = models.JSONField(_("legal bases"), default=list)
    authority = models.JSONField(_("authority of the signer"), default=list)
    signer = models.CharField(_("signer"), max_length=120, blank=True)
    recipients = models.JSONField(_("recipients"), default=list)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """One a unit."""

        verbose_name = _("head of reports")
        verbose_name_plural = _("heads of reports")

    def __str__(self) -> str:
        return self.agency


class PlanReport(TimestampedModel):
    """The report of a unit in answer to a call; without unit that of the ministry, which sums up the provinces'."""

    class State(models.TextChoices):
        """How far it is."""

        DRAFT = "draft", pgettext_lazy("report", "Draft")
        SENT = "sent", pgettext_lazy("report", "Sent")
        CORRECTING = "correcting", pgettext_lazy("report", "Being corrected")

    call = models.ForeignKey(ReportCall, on_delete=models.PROTECT, related_name="reports")
    unit = models.ForeignKey(
        "registry.AdministrativeUnit", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    begun_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """A unit answers a call once."""

        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering = ["-call__due_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["call", "unit"], condition=Q(unit__isnull=False), name="plans_report_once_a_unit"
            ),
            models.UniqueConstraint(
                fields=["call"], condition=Q(unit__isnull=True), name="plans_report_of_ministry_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.call_id} {self.unit_id}"


class ReportText(models.Model):
    """The officer's own words in one part of a report; every version is kept."""

    report = models.ForeignKey(PlanReport, on_delete=models.CASCADE, related_name="texts")
    part = models.SlugField(max_length=40)
    version = models.PositiveIntegerField()
    text = models.TextField(blank=True)
    saved_at = models.DateTimeField()
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """The newest version first."""

        verbose_name = _("words of a report")
        verbose_name_plural = _("words of a report")
        ordering = ["report", "part", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["report", "part", "version"], name="plans_text_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.part} {self.version}"


class ReportVersion(models.Model):
    """A report as it was sent: content, files and their hashes; nothing of it changes any more."""

    report = models.ForeignKey(PlanReport, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    sent_at = models.DateTimeField()
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    document_number = models.CharField(_("number"), max_length=20, blank=True)
    signed_on = models.DateField(_("day of signing"), null=True, blank=True)
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="+")
    content = models.JSONField()
    content_hash = models.CharField(max_length=71)
    files = models.JSONField(default=dict)
    reason = models.CharField(_("why it was corrected"), max_length=300, blank=True)
    changes = models.JSONField(default=dict)
    signed_hash = models.CharField(max_length=71, blank=True)
    signed_name = models.CharField(max_length=160, blank=True)
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """Versions are numbered from 1; a later one says why it was made."""

        verbose_name = _("version of a report")
        verbose_name_plural = _("versions of a report")
        ordering = ["report", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["report", "number"], name="plans_report_version_once"),
            models.CheckConstraint(
                condition=Q(number=1) | ~Q(reason=""), name="plans_corrected_report_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.report_id} {self.number}"


class Reminder(models.Model):
    """The ministry reminded a province of a report; the words are those that were sent or copied."""

    call = models.ForeignKey(ReportCall, on_delete=models.PROTECT, related_name="reminders")
    unit = models.ForeignKey("registry.AdministrativeUnit", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    text = models.TextField()

    class Meta:
        """The newest first."""

        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.call_id} {self.unit_id}"
