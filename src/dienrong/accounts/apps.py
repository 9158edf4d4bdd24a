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
        from django.db.models.signals import post_migrate

        from dienrong.accounts import actions, operations, queries
        from dienrong.core import recording, shell
        from dienrong.core.signals import language_chosen

        # Moments come from the core clock; operations.note_sign_in writes last_login.
        user_logged_in.disconnect(dispatch_uid="update_last_login")
        recording.name_actions(actions.WORDS)
        shell.register_identity(queries.identity_of_request)
        shell.register_links(queries.links_of_request)
        post_migrate.connect(_fill_places, sender=self, dispatch_uid="accounts.fill_places")
        language_chosen.connect(operations.keep_language, dispatch_uid="accounts.keep_language")


def _fill_places(using: str = "default", **_more: object) -> None:
    """Write where the units of roles lie that were given before places were kept."""
    from dienrong.accounts import operations

    if using == "default":
        operations.refresh_places()
