"""Commands that tell somebody."""

import click

from ..clock import utcnow
from ..notifications import sending
from .common import on_database


@click.command("send-notifications")
@on_database
def send_notifications() -> None:
    """Send the messages that are due; for cron, where no process ticks."""
    sent = sending.process_pending(utcnow)
    click.echo(f"Sent {sent} message{'' if sent == 1 else 's'}")
