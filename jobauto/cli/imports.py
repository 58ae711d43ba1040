"""Commands that read files."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import click

from ..clock import utcnow
from ..imports import readings, rows, sites
from ..imports.result import NAMED, ImportResult, Progress, unwatched
from ..settings import service as settings
from .common import WRONG_USAGE, by_command, on_database

Load = Callable[[Progress], ImportResult]


@click.command("import-sites")
@click.argument("file", type=click.File("rb"))
@on_database
def import_sites(file: BinaryIO) -> None:
    """Add or change sites from a CSV FILE (- for standard input)."""
    author = by_command()
    _import(
        file,
        lambda progress: sites.import_sites(
            rows.from_csv(file, sites.REQUIRED, sites.OPTIONAL), author=author, progress=progress
        ),
    )


@click.command("import-readings")
@click.argument("file", type=click.File("rb"))
@on_database
def import_readings(file: BinaryIO) -> None:
    """Add readings from a CSV FILE (- for standard input)."""
    zone = settings.current().settings.schedule.zone
    now = utcnow()
    _import(
        file,
        lambda progress: readings.import_readings(
            rows.from_csv(file, readings.COLUMNS), zone=zone, now=now, progress=progress
        ),
    )


def _import(file: BinaryIO, load: Load) -> None:
    try:
        with _progress_bar(file) as progress:
            result = load(progress)
    except rows.FileError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(WRONG_USAGE)
    for line, reason in result.errors:
        click.echo(f"line {line}: {reason}")
    if result.rejected > NAMED:
        click.echo(f"... and {result.rejected - NAMED} more")
    click.echo(result.describe())
    sys.exit(1 if result.rejected else 0)


@contextmanager
def _progress_bar(file: BinaryIO) -> Iterator[Progress]:
    """A bar of the bytes read so far, on a terminal and for a file of known size."""
    if not (sys.stderr.isatty() and file.seekable()):
        yield unwatched
        return
    size = file.seek(0, 2)
    file.seek(0)
    with click.progressbar(length=size, label="Importing", file=sys.stderr) as bar:
        yield lambda _result, _rejected: bar.update(file.tell() - bar.pos)
