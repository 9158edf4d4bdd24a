"""People, their roles within units, their sign-ins and the failures that lock a door."""

from __future__ import annotations

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

    class Meta(ValidityModel.Meta):
        verbose_name = _("role assignment")
        verbose_name_plural = _("role assignments")
        ordering = ["user_id", "valid_from", "id"]
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


class SignInFailure(models.Model):
    """One wrong password; enough of them lock an account or an address for a while."""

    username = models.CharField(max_length=150)
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
