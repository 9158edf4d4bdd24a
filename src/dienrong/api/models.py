"""What the API remembers between requests: how often somebody asked, and which calls were made once."""

from __future__ import annotations

from django.db import models


class RequestCount(models.Model):
    """Requests of one token, or failures of one network address, in one minute; a row per key, not per minute."""

    key = models.CharField(max_length=80, unique=True)
    minute = models.BigIntegerField(db_index=True)
    n_requests = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.key}: {self.n_requests}"


class MadeCall(models.Model):
    """A writing call that carried an idempotency key: made a second time, it gives what it made the first time.

    Neither the rows sent nor the answer is kept, only the fingerprint of the one and the number of the import.
    """

    token_id = models.BigIntegerField()
    key = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64)
    import_id = models.CharField(max_length=40)
    made_at = models.DateTimeField()

    class Meta:
        """A key stands once per token."""

        constraints = [
            models.UniqueConstraint(fields=["token_id", "key"], name="api_call_made_once"),
        ]

    def __str__(self) -> str:
        return f"{self.token_id} · {self.key}"
