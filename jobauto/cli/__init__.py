"""The commands: ``jobauto ...``, and the same under ``flask --app wsgi ...``.

Each is loaded when it is called, for what one command needs the others do not: their list is a table.
"""

from dataclasses import dataclass
from importlib import import_module

import click
from flask import Flask
from flask.cli import AppGroup

from ..rules import NAMES, command_of


@dataclass(frozen=True)
class Command:
    """A command: its name, the module of this package and the name in it, and what the list says of it.

    With a ``rule`` the name is a function that makes the rule's command."""

    name: str
    place: str
    help: str
    rule: str | None = None

    def load(self) -> click.Command:
        """The command itself."""
        module, _, name = self.place.partition(":")
        found = getattr(import_module(f".{module}", __name__), name)
        command: click.Command = found(self.rule) if self.rule else found
        return command


COMMANDS = (
    Command("backup", "backup:backup", "Write the whole database to a file."),
    *(
        Command(command_of(name), "runs:command_of_rule", f"Run the rule {name} alone.", name)
        for name in NAMES
    ),
    Command("cancel-import", "imports:cancel_import", "Have an import end before its end."),
    Command("connect-user", "accounts:connect_user", "Let somebody of the issuer be a user."),
    Command("create-token", "accounts:create_token", "Print a new API token of a user."),
    Command("create-user", "accounts:create_user", "Make an account."),
    Command("db", "database:db", "Create, upgrade, partition or distribute the database."),
    Command("demo", "demo:demo", "Fill an empty database with a made-up fleet."),
    Command("first-login", "accounts:first_login", "Print a first administrator's login."),
    Command("import-inbox", "imports:import_inbox", "Look into the watched folder once."),
    Command("import-meter-changes", "imports:import_meter_changes", "Record meter changes from a CSV file."),
    Command("import-readings", "imports:import_readings", "Add readings from a CSV file."),
    Command("import-sites", "imports:import_sites", "Add or change sites from a CSV file."),
    Command("list-profiles", "profiles:list_profiles", "Print all profiles as JSON."),
    Command("list-users", "accounts:list_users", "Print name, role and state of every account."),
    Command("reset-second-factor", "accounts:reset_second_factor", "Take away a lost second factor."),
    Command("restore", "backup:restore", "Put a backup into an empty database."),
    Command("run-daily-job-automation", "runs:run_daily_job_automation", "Run all rules."),
    Command("save-profile", "profiles:save_profile", "Save a profile from a JSON file."),
    Command("scheduler", "scheduler:scheduler", "Run the daily schedule in the foreground."),
    Command("send-notifications", "notifications:send_notifications", "Send the messages that are due."),
    Command("set-password", "accounts:set_password", "Change a password."),
    Command("show-profile", "profiles:show_profile", "Print a profile as JSON."),
    Command("shell", "shell:shell", "Open a Python shell with the program loaded."),
    Command("undo-import", "imports:undo_import", "Take back what an import of readings did."),
    Command("static-files", "assets:static_files", "Copy static files to a folder for nginx."),
)


class Commands(AppGroup):
    """The commands as a group that loads the one that is called, and none to list them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in order."""
        return sorted({*super().list_commands(ctx), *(command.name for command in COMMANDS)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, loaded."""
        known = next((command for command in COMMANDS if command.name == cmd_name), None)
        return known.load() if known else super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list, from the table alone."""
        said = {command.name: command.help for command in COMMANDS}
        with formatter.section("Commands"):
            formatter.write_dl([(name, said.get(name, "")) for name in self.list_commands(ctx)])


def init_app(app: Flask) -> None:
    """Let ``flask`` offer the same commands."""
    app.cli = Commands(app.name)
