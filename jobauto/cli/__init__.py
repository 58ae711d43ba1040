"""The commands: ``jobauto ...``, and the same under ``flask --app wsgi ...``."""

from typing import cast

from click import Group
from flask import Flask

from .accounts import create_token, create_user, first_login, list_users, set_password
from .assets import static_files
from .backup import backup, restore
from .common import in_sentences
from .database import distribute, partition
from .demo import demo
from .imports import import_readings, import_sites
from .notifications import send_notifications
from .runs import COMMANDS_OF_RULES, run_daily_job_automation, scheduler

__all__ = ["in_sentences", "init_app"]

COMMANDS = (
    create_user,
    set_password,
    list_users,
    create_token,
    first_login,
    import_sites,
    import_readings,
    *COMMANDS_OF_RULES,
    run_daily_job_automation,
    scheduler,
    send_notifications,
    demo,
    backup,
    restore,
    static_files,
)
OF_THE_DATABASE = (partition, distribute)
"""Beside Flask-Migrate's, in its group ``db``."""


def init_app(app: Flask) -> None:
    """Register the commands."""
    for command in COMMANDS:
        app.cli.add_command(command)
    of_migrations = cast("Group", app.cli.commands["db"])
    for command in OF_THE_DATABASE:
        of_migrations.add_command(command)
