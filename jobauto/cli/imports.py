"""Commands that read files."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import BinaryIO
from zoneinfo import ZoneInfo

import click

from ..clock import utcnow
from ..errors import InvalidInput
from ..imports import meter_changes, readings, sites
from ..imports.lines import FileError
from ..imports.profiles import service as profiles
from ..imports.profiles.reader import rows_of
from ..imports.result import NAMED, ImportResult, Progress, unwatched
from ..settings import service as settings
from .common import WRONG_USAGE, by_command, on_database
from .profiles import refuse

STANDARD_INPUT = "<stdin>"
Load = Callable[[Progress], ImportResult]


@click.command("import-sites")
@click.argument("file", type=click.File("rb"))
@on_database
def import_sites(file: BinaryIO) -> None:
    """Add or change sites from a CSV FILE (- for standard input)."""
    author = by_command()
    _import(
        file,
        lambda progress: sites.import_sites(sites.from_csv(file), author=author, progress=progress),
    )


@click.command("import-readings")
@click.argument("file", type=click.File("rb"))
@click.option("--ignore-column", metavar="NAME", multiple=True, help="Take the file without this column.")
@click.option("--profile", metavar="NAME", help="Read the file as this profile says.")
@on_database
def import_readings(file: BinaryIO, ignore_column: tuple[str, ...], profile: str | None) -> None:
    """Add readings from a CSV FILE (- for standard input), or from any file that a profile reads."""
    zone = settings.current().settings.schedule.zone
    now = utcnow()
    if profile is not None:
        _through_profile(file, profile, zone, now)
    _import(
        file,
        lambda progress: readings.import_readings(
            readings.from_csv(file, ignore_column), zone=zone, now=now, progress=progress
        ),
    )


@click.command("import-meter-changes")
@click.argument("file", type=click.File("rb"))
@on_database
def import_meter_changes(file: BinaryIO) -> None:
    """Record meter changes from a CSV FILE (- for standard input)."""
    zone = settings.current().settings.schedule.zone
    author = by_command()
    _import(
        file,
        lambda progress: meter_changes.import_meter_changes(
            meter_changes.from_csv(file), zone=zone, author=author, progress=progress
        ),
    )


def _through_profile(file: BinaryIO, name: str, zone: ZoneInfo, now: datetime) -> None:
    try:
        profile = profiles.get(name).profile
    except InvalidInput as error:
        refuse(error)
    named = getattr(file, "name", None)
    file_name = named if isinstance(named, str) and named != STANDARD_INPUT else None

    def load(progress: Progress) -> ImportResult:
        with rows_of(file, profile, file_name, zone, now) as rows:
            return readings.import_readings(rows, zone=zone, now=now, progress=progress)

    _import(file, load)


def _import(file: BinaryIO, load: Load) -> None:
    try:
        with _progress_bar(file) as progress:
            result = load(progress)
    except FileError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(WRONG_USAGE)
    for sentence in _remarks(result):
        click.echo(sentence, err=True)
    for line, reason in result.errors:
        click.echo(f"line {line}: {reason}")
    if result.rejected > NAMED:
        click.echo(f"... and {result.rejected - NAMED} more")
    click.echo(result.describe())
    sys.exit(1 if result.rejected else 0)


def _remarks(result: ImportResult) -> Iterator[str]:
    """What is said beside the counts: warnings, columns that nobody takes, why rows were rejected."""
    yield from (f"warning: {warning}" for warning in result.warnings)
    if result.ignored_columns:
        yield f"ignored columns: {', '.join(result.ignored_columns)}"
    yield from result.reasons.describe()


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
