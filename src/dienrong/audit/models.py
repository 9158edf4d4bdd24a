"""The audit entry: written once, never changed, never removed."""

from __future__ import annotations

from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from dienrong.core import clock


class AppendOnlyError(RuntimeError):
    """Somebody tried to change or remove audit entries."""


class AppendOnlyQuerySet(models.QuerySet["AuditEntry"]):
    """Reads and appends; the database's triggers refuse the rest a second time."""

    def update(self, **_values: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError("audit entries are never changed")

    def delete(self) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError("audit entries are never removed")

    def bulk_update(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError("audit entries are never changed")


class AuditEntry(models.Model):
    """Who did what to which object, when, from where, and what it was before and after.

    Each entry carries the hash of the one before it, so that a removed or changed line shows even to someone
    who reads a copy of the table (``operations.verify_chain``).
    """

    at = models.DateTimeField(_("when"), default=clock.now, editable=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("who")
    )
    actor_name = models.CharField(max_length=150, blank=True)
    action = models.CharField(_("action"), max_length=80)
    object_kind = models.CharField(_("kind of object"), max_length=80, blank=True)
    object_id = models.CharField(_("object"), max_length=200, blank=True)
    object_title = models.CharField(max_length=300, blank=True)
    before = models.JSONField(_("before"), null=True)
    after = models.JSONField(_("after"), null=True)
    request_id = models.CharField(_("request"), max_length=20, blank=True)
    address = models.CharField(_("address"), max_length=64, blank=True)
    previous_hash = models.CharField(max_length=64, editable=False, blank=True)
    entry_hash = models.CharField(max_length=64, editable=False, unique=True)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["object_kind", "object_id", "-id"]),
            models.Index(fields=["action", "-id"]),
            models.Index(fields=["actor", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.at} {self.action}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write a new entry; refuse to write an old one again."""
        if not self._state.adding:
            raise AppendOnlyError("audit entries are never changed")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError("audit entries are never removed")
