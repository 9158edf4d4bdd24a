"""Make an account from the terminal: the first person of an installation has nobody to ask."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from dienrong.accounts import operations
from dienrong.accounts.models import Role
from dienrong.core.refusals import Refusal


class Command(BaseCommand):
    """``dienrong createuser``."""

    help = "Make an account and give it one role."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the parameters."""
        parser.add_argument("username", help="the name the person signs in with")
        parser.add_argument("--full-name", required=True, help="family, middle and given name")
        parser.add_argument(
            "--role", choices=Role.values, help="role to give; none gives an account without role"
        )
        parser.add_argument("--unit", default="", help="code of the province, commune or school of the role")
        parser.add_argument("--unit-name", default="", help="name of that unit, as pages show it")
        parser.add_argument("--email", default="")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input, one line"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Ask for the password twice, or read it, and make the account."""
        password = self._password(from_stdin=options["password_stdin"])
        try:
            with transaction.atomic():
                user = operations.create_person(
                    username=options["username"],
                    full_name=options["full_name"],
                    email=options["email"],
                    password=password,
                    by=None,
                )
                if options["role"]:
                    operations.assign_role(
                        user=user,
                        role=options["role"],
                        unit_code=options["unit"],
                        unit_name=options["unit_name"],
                        by=None,
                    )
        except Refusal as refusal:
            raise CommandError(str(refusal), returncode=2) from refusal
        self.stdout.write(f"The account {user.username} was made.")

    def _password(self, *, from_stdin: bool) -> str:
        """Give the password; never as an argument, which other people of the machine could read."""
        if from_stdin:
            return sys.stdin.readline().rstrip("\n")
        first, second = getpass.getpass("Password: "), getpass.getpass("Password again: ")
        if first != second:
            raise CommandError("The two passwords differ. Nothing was made; try again.", returncode=2)
        return first
