"""The accounts room."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """People, roles, scope and sign-in."""

    name = "dienrong.accounts"
    label = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        """Fill the shell with the person at work; keep the language a person chose."""
        from django.contrib.auth.signals import user_logged_in

        from dienrong.accounts import actions, operations, queries
        from dienrong.core import recording, shell
        from dienrong.core.signals import language_chosen

        # Moments come from the core clock; operations.note_sign_in writes last_login.
        user_logged_in.disconnect(dispatch_uid="update_last_login")
        recording.name_actions(actions.WORDS)
        shell.register_identity(queries.identity_of_request)
        language_chosen.connect(operations.keep_language, dispatch_uid="accounts.keep_language")
