"""Make the database, the people and the clients; serve until stopped: ``python -m oidc_provider PORT CALLBACK``."""

from __future__ import annotations

import os
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

CLIENTS = (("dienrong", "client-secret"), ("another-site", "another-secret"))
PEOPLE = ("hoa", "dung", "so-mfa", "nobody-here")
PASSWORD = "provider-password"


class Server(ThreadingMixIn, WSGIServer):
    """Serves each request in a thread of its own."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Says nothing of requests."""

    def log_message(self, *_parts: object) -> None:
        """Say nothing."""


def main(port: int, callback: str) -> None:
    """Serve the provider."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "oidc_provider.settings"
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from oauth2_provider.models import Application

    call_command("migrate", verbosity=0, interactive=False)
    for name in PEOPLE:
        User.objects.create_user(name, password=PASSWORD)
    for client_id, secret in CLIENTS:
        Application.objects.create(
            client_id=client_id,
            client_secret=secret,
            client_type=Application.CLIENT_CONFIDENTIAL,
            authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
            algorithm=Application.RS256_ALGORITHM,
            redirect_uris=callback,
        )
    make_server("127.0.0.1", port, get_wsgi_application(), Server, Quiet).serve_forever()


main(int(sys.argv[1]), sys.argv[2])
