"""Authentication: the password, unless the door is locked."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from dienrong.accounts import operations
from dienrong.accounts.models import User
from dienrong.core import requests


class LockingBackend(BaseBackend):
    """Checks passwords, counts failures and keeps locked doors shut, for every way of signing in."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **_more: Any,
    ) -> User | None:
        """Give the person whose user name and password these are.

        Raises
        ------
        SignInLocked
            If too many failures came before, from here or for this account.
        """
        if not username or password is None:
            return None
        address = requests.address_of(request) if request is not None else ""
        operations.refuse_if_locked(username=username, address=address)
        try:
            user = User.objects.get_by_natural_key(username)
        except User.DoesNotExist:
            User().set_password(password)  # spend the time of a real check, so that names cannot be probed
            user = None
        if user is not None and user.check_password(password) and user.is_active:
            return user
        operations.note_failure(username=username, address=address)
        return None

    def get_user(self, user_id: int) -> User | None:
        """Give the person of a session, while the account may sign in."""
        return User.objects.filter(pk=user_id, is_active=True).first()
