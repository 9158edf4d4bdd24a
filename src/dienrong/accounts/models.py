"""People, their roles within units, their sign-ins and the failures that lock a door."""

from __future__ import annotations

import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from dienrong.core import clock, text
from dienrong.core.models import TimestampedModel, ValidityModel


class Role(models.TextChoices):
    """What a person does here."""

    MINISTRY_EXPERT = "ministry_expert", _("Ministry expert")
    PROVINCE_OFFICER = "province_officer", _("Province officer")
    COMMUNE_OFFICER = "commune_officer", _("Commune officer")
    SCHOOL_COORDINATOR = "school_coordinator", _("School coordinator")
    TEST_ADMINISTRATOR = "test_administrator", _("Test administrator")
    CODER = "coder", _("Coder of answers")
    RESEARCHER = "researcher", _("Researcher")


class UnitKind(models.TextChoices):
    """The kinds of unit a role is held in."""

    NATION = "nation", _("Whole country")
    PROVINCE = "province", _("Province")
    COMMUNE = "commune", _("Commune")
    SCHOOL = "school", _("School")


UNIT_KIND_OF_ROLE: dict[str, tuple[str, ...]] = {
    Role.MINISTRY_EXPERT: (UnitKind.NATION,),
    Role.PROVINCE_OFFICER: (UnitKind.PROVINCE,),
    Role.COMMUNE_OFFICER: (UnitKind.COMMUNE,),
    Role.SCHOOL_COORDINATOR: (UnitKind.SCHOOL,),
    Role.TEST_ADMINISTRATOR: (UnitKind.SCHOOL,),
    Role.CODER: (UnitKind.NATION, UnitKind.PROVINCE),
    Role.RESEARCHER: (UnitKind.NATION,),
}


class UserManager(models.Manager["User"]):
    """Finds people by the name they sign in with; Django's authentication asks for this."""

    def get_by_natural_key(self, username: str | None) -> User:
        """Give the person with this user name, whatever its case."""
        return self.get(username=normal_username(username or ""))


def normal_username(username: str) -> str:
    """Give the one form in which a user name is kept: composed, without outer blanks, lower case."""
    return text.clean_text(username).lower()


class User(AbstractBaseUser, TimestampedModel):
    """A person who signs in."""

    username = models.CharField(
        _("user name"), max_length=150, unique=True, validators=[UnicodeUsernameValidator()]
    )
    full_name = models.CharField(_("full name"), max_length=150)
    email = models.EmailField(_("e-mail"), blank=True)
    language = models.CharField(_("language"), max_length=5, blank=True)
    is_active = models.BooleanField(_("may sign in"), default=True)
    is_demo = models.BooleanField(_("demonstration account"), default=False)
    sort_key = models.CharField(max_length=2000, editable=False, default="", db_index=True)
    search_key = models.CharField(max_length=300, editable=False, default="")

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["full_name"]

    objects = UserManager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["sort_key", "username"]

    def __str__(self) -> str:
        return self.full_name or self.username

    def get_full_name(self) -> str:
        """Give the full name, as password rules ask for it."""
        return self.full_name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row with its keys in step with the name."""
        self.username = normal_username(self.username)
        self.full_name = text.clean_text(self.full_name)
        self.sort_key = text.person_sort_key(self.full_name)
        self.search_key = text.search_key(f"{self.full_name} {self.username}")[:300]
        fields = kwargs.get("update_fields")
        if fields is not None and {"full_name", "username"} & set(fields):
            kwargs["update_fields"] = {*fields, "sort_key", "search_key"}
        super().save(*args, **kwargs)


class Assignment(ValidityModel, TimestampedModel):
    """A role that a person holds in one unit, from a day until a day."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="assignments")
    role = models.CharField(_("role"), max_length=30, choices=Role.choices)
    unit_kind = models.CharField(_("kind of unit"), max_length=10, choices=UnitKind.choices)
    unit_code = models.CharField(_("unit code"), max_length=20, blank=True)
    unit_name = models.CharField(_("unit name"), max_length=200, blank=True)
    province_code = models.CharField(_("province of the unit"), max_length=20, blank=True, editable=False)
    commune_code = models.CharField(_("commune of the unit"), max_length=20, blank=True, editable=False)
    delegated_from = models.ForeignKey(
        "self",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="delegations",
        verbose_name=_("delegated from"),
    )

    class Meta(ValidityModel.Meta):
        verbose_name = _("role assignment")
        verbose_name_plural = _("role assignments")
        ordering = ["user_id", "valid_from", "id"]
        indexes = [
            models.Index(fields=["province_code"], name="accounts_assignment_province"),
            models.Index(fields=["commune_code"], name="accounts_assignment_commune"),
            models.Index(fields=["unit_kind", "unit_code"], name="accounts_assignment_unit"),
        ]
        constraints = [
            *ValidityModel.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(unit_kind=UnitKind.NATION, unit_code="")
                | (~models.Q(unit_kind=UnitKind.NATION) & ~models.Q(unit_code="")),
                name="accounts_assignment_unit_has_code",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="accounts_assignment_role_known"
            ),
        ]

    def __str__(self) -> str:
        return (
            f"{self.get_role_display()} · {self.unit_name or self.unit_code or self.get_unit_kind_display()}"
        )

    @property
    def last_day(self) -> datetime.date | None:
        """The last day on which the role holds; None without end."""
        return self.valid_to - datetime.timedelta(days=1) if self.valid_to else None


class FailureKind(models.TextChoices):
    """What was tried in vain."""

    PASSWORD = "password", _("Password")
    CODE = "code", _("Confirmation code")
    LINK = "link", _("One-time link")


class SignInFailure(models.Model):
    """One wrong password, code or link; enough of them lock an account or an address for a while."""

    kind = models.CharField(max_length=10, choices=FailureKind.choices, default=FailureKind.PASSWORD)
    username = models.CharField(max_length=150, blank=True)
    address = models.CharField(max_length=64)
    failed_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("failed sign-in")
        verbose_name_plural = _("failed sign-ins")
        indexes = [
            models.Index(fields=["username", "failed_at"]),
            models.Index(fields=["address", "failed_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.username} · {self.failed_at}"


class SignIn(models.Model):
    """One browser in which a person is signed in."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sign_ins")
    session_key = models.CharField(max_length=40, unique=True)
    address = models.CharField(max_length=64, blank=True)
    device = models.CharField(max_length=300, blank=True)
    signed_in_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("sign-in")
        verbose_name_plural = _("sign-ins")
        ordering = ["-signed_in_at", "-id"]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.signed_in_at}"


class InvitationPurpose(models.TextChoices):
    """What a one-time link is for."""

    NEW_ACCOUNT = "new_account", _("New account")
    RESET = "reset", _("New password")


class Invitation(TimestampedModel):
    """A one-time link that an officer gave; the link itself is not kept, only the SHA-256 of its secret."""

    purpose = models.CharField(_("purpose"), max_length=20, choices=InvitationPurpose.choices)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    full_name = models.CharField(_("full name"), max_length=150)
    email = models.EmailField(_("e-mail"), blank=True)
    role = models.CharField(_("role"), max_length=30, choices=Role.choices, blank=True)
    unit_kind = models.CharField(_("kind of unit"), max_length=10, choices=UnitKind.choices, blank=True)
    unit_code = models.CharField(_("unit code"), max_length=20, blank=True)
    unit_name = models.CharField(_("unit name"), max_length=200, blank=True)
    province_code = models.CharField(max_length=20, blank=True, editable=False)
    commune_code = models.CharField(max_length=20, blank=True, editable=False)
    role_until = models.DateField(_("last day of the role"), null=True, blank=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="invitations"
    )
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="invitations_given"
    )
    expires_at = models.DateTimeField(_("valid until"))
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("one-time link")
        verbose_name_plural = _("one-time links")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(purpose=InvitationPurpose.RESET, person__isnull=False)
                | (models.Q(purpose=InvitationPurpose.NEW_ACCOUNT) & ~models.Q(role="")),
                name="accounts_invitation_says_for_what",
            ),
            models.CheckConstraint(
                condition=models.Q(used_at__isnull=True) | models.Q(revoked_at__isnull=True),
                name="accounts_invitation_used_or_revoked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} · {self.full_name}"

    @property
    def state(self) -> str:
        """``open``, ``used``, ``revoked`` or ``expired``."""
        if self.used_at is not None:
            return "used"
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at <= clock.now() else "open"


class Totp(TimestampedModel):
    """The second factor of a person: a secret shared with an app on their phone, sealed."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="totp")
    sealed_secret = models.BinaryField(editable=False)
    confirmed_at = models.DateTimeField(_("set up at"), null=True, blank=True)
    last_step = models.BigIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("authenticator app")
        verbose_name_plural = _("authenticator apps")

    def __str__(self) -> str:
        return f"{self.user_id} · {self.confirmed_at}"


class RecoveryCode(models.Model):
    """One of the codes for the day on which the phone is lost; kept as a keyed digest, used once."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="recovery_codes")
    code_digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes")
        constraints = [
            models.UniqueConstraint(fields=["user", "code_digest"], name="accounts_recoverycode_once")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.used_at}"


class ExternalIdentity(TimestampedModel):
    """A person as a provider of OpenID Connect knows them: its address and its subject."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="external_identities")
    issuer = models.CharField(_("provider"), max_length=300)
    subject = models.CharField(_("subject"), max_length=255)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)

    class Meta:
        verbose_name = _("external identity")
        verbose_name_plural = _("external identities")
        ordering = ["issuer", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "subject"], name="accounts_externalidentity_one_person"
            ),
            models.UniqueConstraint(fields=["user", "issuer"], name="accounts_externalidentity_one_each"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.issuer}"


class ApiToken(TimestampedModel):
    """A key with which a program works in a person's name; only the SHA-256 of it is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=100)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    unit_kind = models.CharField(_("kind of unit"), max_length=10, choices=UnitKind.choices, blank=True)
    unit_code = models.CharField(_("unit code"), max_length=20, blank=True)
    unit_name = models.CharField(_("unit name"), max_length=200, blank=True)
    expires_at = models.DateTimeField(_("valid until"))
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(unit_kind="", unit_code="")
                | (~models.Q(unit_kind__in=["", UnitKind.NATION]) & ~models.Q(unit_code="")),
                name="accounts_apitoken_unit_has_code",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> str:
        """``open``, ``revoked`` or ``expired``."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at <= clock.now() else "open"
