"""Freezes, releases with their files, requests for restricted files, grants and downloads."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from dienrong.core import clock


class Freeze(models.Model):
    """The data of one grade of one run, held for ever: the artefacts by their hashes, and the hash of them all."""

    run = models.ForeignKey("analysis.AnalysisRun", on_delete=models.PROTECT, related_name="freezes")
    grade = models.PositiveSmallIntegerField(_("grade"))
    content_hash = models.CharField(max_length=80)
    n_students = models.PositiveIntegerField()
    n_schools = models.PositiveIntegerField()
    note = models.CharField(_("note"), max_length=300, blank=True)
    frozen_at = models.DateTimeField()
    frozen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """A grade of a run is frozen once."""

        ordering = ["-frozen_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["run", "grade"], name="datasets_freeze_once")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.grade}"


class FrozenArtefact(models.Model):
    """One table of a freeze, by the hash of its values."""

    freeze = models.ForeignKey(Freeze, on_delete=models.CASCADE, related_name="artefacts")
    role = models.CharField(max_length=40)
    artefact_hash = models.CharField(max_length=80)

    class Meta:
        """Each role once."""

        ordering = ["role"]
        constraints = [models.UniqueConstraint(fields=["freeze", "role"], name="datasets_artefact_once")]

    def __str__(self) -> str:
        return self.role


class Release(models.Model):
    """Files made from a freeze under a plan, on their way from a draft to the public or to named people."""

    class Kind(models.TextChoices):
        """For whom the files are."""

        PUBLIC = "public", _("Public use")
        RESTRICTED = "restricted", _("Restricted use")

    class State(models.TextChoices):
        """The life of a release."""

        BUILDING = "building", _("Being built")
        FAILED = "failed", _("Refused by the plan")
        BUILT = "built", _("Waits for a second person")
        RETURNED = "returned", _("Sent back")
        APPROVED = "approved", _("Approved")
        PUBLISHED = "published", _("Published")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    freeze = models.ForeignKey(Freeze, on_delete=models.PROTECT, related_name="releases")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    version = models.CharField(_("version"), max_length=20)
    title_vi = models.CharField(_("title in Vietnamese"), max_length=200)
    title_en = models.CharField(_("title in English"), max_length=200)
    license_name = models.CharField(_("license"), max_length=120)
    license_url = models.CharField(max_length=200, blank=True)
    doi = models.CharField("DOI", max_length=120, blank=True)
    errata = models.TextField(_("what changed since the version before"), blank=True)
    formats = models.CharField(max_length=40, default="sav,dta,csv,parquet")
    with_responses = models.BooleanField(_("with the answers to items"), default=True)
    plan_text = models.TextField()
    seed = models.PositiveBigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.BUILDING)
    refusal = models.TextField(blank=True)
    job_id = models.CharField(max_length=40, blank=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    built_at = models.DateTimeField(null=True, blank=True)
    archive_name = models.CharField(max_length=80, blank=True)
    archive_hash = models.CharField(max_length=64, blank=True)
    n_bytes = models.PositiveBigIntegerField(default=0)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    review_note = models.CharField(_("note of the reviewer"), max_length=500, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_reason = models.CharField(_("why it was withdrawn"), max_length=300, blank=True)

    class Meta:
        """One version of a kind for each freeze; nobody reviews what they made."""

        ordering = ["-made_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["freeze", "kind", "version"], name="datasets_version_once"),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True)
                | Q(made_by__isnull=True)
                | ~Q(reviewed_by=F("made_by")),
                name="datasets_maker_is_no_reviewer",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | ~Q(withdrawn_reason=""),
                name="datasets_withdrawn_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title_vi} {self.version}"

    @property
    def is_public(self) -> bool:
        """Whether anybody may have the files."""
        return bool(self.kind == self.Kind.PUBLIC)

    @property
    def slug(self) -> str:
        """Name the release for files and metadata."""
        short = "puf" if self.is_public else "ruf"
        return f"{self.freeze.run.cycle.slug}-g{self.freeze.grade}-{short}"


class ReleaseFile(models.Model):
    """One file of a release."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=80)
    n_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        """Each name once."""

        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["release", "name"], name="datasets_file_once")]

    def __str__(self) -> str:
        return self.name


class DataRequest(models.Model):
    """Somebody asks for a restricted file: who, where, what for, under which undertaking."""

    class State(models.TextChoices):
        """What became of it."""

        WAITING = "waiting", _("Waits for a decision")
        GRANTED = "granted", _("Granted")
        REFUSED = "refused", _("Refused")

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="requests")
    full_name = models.CharField(_("full name"), max_length=120)
    email = models.EmailField(_("e-mail"))
    institution = models.CharField(_("institution"), max_length=200)
    purpose = models.TextField(_("purpose of the study"))
    ethics = models.CharField(_("decision of the ethics board"), max_length=300, blank=True)
    undertaken_at = models.DateTimeField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField()
    address_digest = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decision_note = models.CharField(_("reason of the decision"), max_length=500, blank=True)

    class Meta:
        """The oldest that waits comes first; a refusal says why."""

        ordering = ["asked_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="refused") | ~Q(decision_note=""), name="datasets_refusal_says_why"
            )
        ]

    def __str__(self) -> str:
        return f"{self.full_name} {self.asked_at:%Y-%m-%d}"


class Grant(models.Model):
    """A personal link to one copy: known by a digest alone, for one e-mail, for some days and downloads."""

    request = models.ForeignKey(DataRequest, on_delete=models.PROTECT, related_name="grants")
    token_digest = models.CharField(max_length=64, unique=True)
    copy_id = models.CharField(max_length=20, unique=True)
    archive_hash = models.CharField(max_length=64, blank=True)
    n_bytes = models.PositiveBigIntegerField(default=0)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    expires_at = models.DateTimeField()
    most_downloads = models.PositiveSmallIntegerField()
    n_downloads = models.PositiveSmallIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.CharField(_("why the link was revoked"), max_length=300, blank=True)
    destroyed_at = models.DateTimeField(null=True, blank=True)
    destroyed_note = models.CharField(_("how the copies were destroyed"), max_length=300, blank=True)

    class Meta:
        """The newest first; never more downloads than allowed; a revocation says why."""

        ordering = ["-made_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(n_downloads__lte=F("most_downloads")), name="datasets_grant_within_limit"
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True) | ~Q(revoked_reason=""), name="datasets_revoked_says_why"
            ),
        ]

    def __str__(self) -> str:
        return self.copy_id

    @property
    def state(self) -> str:
        """``open``, ``used``, ``expired``, ``revoked`` or ``destroyed``."""
        if self.destroyed_at is not None:
            return "destroyed"
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at <= clock.now():
            return "expired"
        return "used" if self.n_downloads >= self.most_downloads else "open"


class Download(models.Model):
    """A file was taken: which, when, under which grant; the address by a digest alone."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="downloads")
    grant = models.ForeignKey(
        Grant, null=True, blank=True, on_delete=models.PROTECT, related_name="downloads"
    )
    name = models.CharField(max_length=80)
    at = models.DateTimeField()
    address_digest = models.CharField(max_length=64)

    class Meta:
        """Counted by address and time."""

        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["address_digest", "at"], name="datasets_downloads_by_address")]

    def __str__(self) -> str:
        return f"{self.name} {self.at}"


class LinkMiss(models.Model):
    """Somebody opened a personal link with a wrong e-mail; many lock the link for a while."""

    token_digest = models.CharField(max_length=64)
    address_digest = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        """Counted by link and time."""

        indexes = [models.Index(fields=["token_digest", "at"], name="datasets_misses_by_link")]

    def __str__(self) -> str:
        return f"{self.at}"
