"""The command that ticks."""

import click
from flask import current_app

from ..work import scheduler as daily_schedule
from .common import on_database


@click.command("scheduler")
@on_database
def scheduler() -> None:
    """Run the daily schedule in the foreground, until SIGTERM."""
    daily_schedule.serve(current_app._get_current_object())  # type: ignore[attr-defined] # threads need the app itself
