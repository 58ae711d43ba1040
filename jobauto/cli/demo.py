"""The command for the demo fleet."""

import click

from ..clock import utcnow
from ..demo import service
from .common import on_database


@click.command("demo")
@click.option("--remove", is_flag=True, help="Take the demo fleet away again.")
@click.option("--if-empty", is_flag=True, help="Do nothing, quietly, where there is a fleet already.")
@on_database
def demo(remove: bool, if_empty: bool) -> None:
    """Fill an empty database with a made-up fleet, marked as demo data on every page."""
    if remove:
        click.echo(f"Removed {service.remove()} demo sites")
        return
    if if_empty and not service.is_empty():
        return
    try:
        click.echo(
            f"Made {service.fill(utcnow())} demo sites with readings, and the jobs of their past weeks"
        )
    except service.NotEmpty as error:
        raise click.UsageError(
            "The database is not empty: the demo would mix with your own fleet."
        ) from error
