"""Certificates of completion: numbering as data, batches, the register with every version, public look-ups."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from dienrong.capacity.models.people import Person
from dienrong.capacity.models.training import Enrolment, Training


class NumberSeries(models.Model):
    """How one issuer numbers its certificates in one year, and which number comes next."""

    organizer = models.ForeignKey(
        "registry.AdministrativeUnit",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("issuing province"),
    )
    year = models.PositiveSmallIntegerField(_("year"))
    pattern = models.CharField(_("pattern"), max_length=60)
    issuer_code = models.CharField(_("sign of the issuer"), max_length=20)
    issuer_name = models.CharField(_("name of the issuer"), max_length=160)
    next_serial = models.PositiveIntegerField(_("next number"), default=1)

    class Meta:
        """An issuer has one series a year; no two series share a sign in a year."""

        verbose_name = _("number series")
        verbose_name_plural = _("number series")
        ordering = ["-year", "issuer_code"]
        constraints = [
            models.UniqueConstraint(
                fields=["organizer", "year"],
                condition=Q(organizer__isnull=False),
                name="capacity_series_once_a_year",
            ),
            models.UniqueConstraint(
                fields=["year"],
                condition=Q(organizer__isnull=True),
                name="capacity_ministry_series_once_a_year",
            ),
            models.UniqueConstraint(fields=["issuer_code", "year"], name="capacity_series_sign_once_a_year"),
            models.CheckConstraint(condition=Q(next_serial__gte=1), name="capacity_serial_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.issuer_code} {self.year}"


class IssueBatch(models.Model):
    """Certificates issued together: who signed, by which decision, on which day; the sheet of all of them."""

    training = models.ForeignKey(Training, on_delete=models.PROTECT, related_name="batches")
    series = models.ForeignKey(NumberSeries, on_delete=models.PROTECT, related_name="batches")
    issued_on = models.DateField(_("day of issue"))
    decision = models.CharField(_("decision"), max_length=120)
    place = models.CharField(_("place of signing"), max_length=80)
    signer_title = models.CharField(_("title of the signer"), max_length=120)
    signer_name = models.CharField(_("name of the signer"), max_length=120)
    address = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    finished_at = models.DateTimeField(null=True, blank=True)
    n_issued = models.PositiveIntegerField(default=0)
    sheet_hash = models.CharField(max_length=71, blank=True)

    class Meta:
        """The newest first."""

        verbose_name = _("issue of certificates")
        verbose_name_plural = _("issues of certificates")
        ordering = ["-made_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.training_id} {self.issued_on}"


class Certificate(models.Model):
    """A certificate of completion: its number for ever, its check code, whether it holds.

    ``number_key`` is the number without marks, signs and blanks, by which it is looked up. What is printed lies in
    the versions; the highest is the one in force.
    """

    number = models.CharField(_("number"), max_length=80, unique=True)
    number_key = models.CharField(max_length=80, unique=True)
    check_code = models.CharField(max_length=12)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="certificates")
    enrolment = models.OneToOneField(Enrolment, on_delete=models.PROTECT, related_name="certificate")
    batch = models.ForeignKey(IssueBatch, on_delete=models.PROTECT, related_name="certificates")
    issued_on = models.DateField(_("day of issue"))
    valid_to = models.DateField(_("holds until"), null=True, blank=True)
    version = models.PositiveSmallIntegerField(default=1)
    revoked_on = models.DateField(null=True, blank=True)
    revoked_decision = models.CharField(_("decision"), max_length=120, blank=True)
    revoked_reason = models.CharField(_("reason"), max_length=300, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """The newest first; what is revoked says why; nothing is revoked before it is issued."""

        verbose_name = _("certificate")
        verbose_name_plural = _("certificates")
        ordering = ["-issued_on", "-pk"]
        indexes = [
            models.Index(fields=["person", "issued_on"], name="capacity_certs_of_person"),
            models.Index(fields=["issued_on"], name="capacity_certs_by_day"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(revoked_on__isnull=True)
                | (~Q(revoked_reason="") & Q(revoked_on__gte=F("issued_on"))),
                name="capacity_revoked_says_why",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("issued_on")),
                name="capacity_certificate_holds_some_time",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class CertificateVersion(models.Model):
    """What a certificate says: as issued, and again after each correction; the file is kept under its hash."""

    certificate = models.ForeignKey(Certificate, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveSmallIntegerField()
    holder_name = models.CharField(_("full name"), max_length=120)
    sealed_birth_date = models.BinaryField(null=True, blank=True)
    workplace = models.CharField(_("workplace"), max_length=200, blank=True)
    course_name = models.CharField(_("course"), max_length=200)
    n_hours = models.PositiveSmallIntegerField(_("hours"))
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"))
    reason = models.CharField(_("why it was corrected"), max_length=300, blank=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    file_hash = models.CharField(max_length=71)

    class Meta:
        """Versions are numbered from 1; a later one says why it was made."""

        verbose_name = _("version of a certificate")
        verbose_name_plural = _("versions of a certificate")
        ordering = ["certificate", "version"]
        constraints = [
            models.UniqueConstraint(
                fields=["certificate", "version"], name="capacity_certificate_version_once"
            ),
            models.CheckConstraint(
                condition=Q(version=1) | ~Q(reason=""), name="capacity_correction_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.certificate_id} {self.version}"


class LookUpAttempt(models.Model):
    """Somebody without an account asked for a certificate or typed a learner code; kept for a day, by a digest."""

    class What(models.TextChoices):
        """What was tried."""

        CERTIFICATE = "certificate", _("Certificate")
        LEARNER = "learner", _("Learner code")

    what = models.CharField(max_length=11, choices=What.choices)
    address_digest = models.CharField(max_length=64)
    at = models.DateTimeField()
    was_found = models.BooleanField()

    class Meta:
        """Counted by address and time."""

        verbose_name = _("public look-up")
        verbose_name_plural = _("public look-ups")
        indexes = [models.Index(fields=["address_digest", "what", "at"], name="capacity_lookups_by_address")]

    def __str__(self) -> str:
        return f"{self.what} {self.at}"
