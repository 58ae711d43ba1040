"""Commands that read files."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import click

from ..errors import InvalidInput
from ..imports import canceling, inbox, meter_changes, readings, sites, undo
from ..imports.canceling import Canceled
from ..imports.lines import FileError
from ..imports.profiles import service as profiles
from ..imports.profiles.reader import rows_of
from ..imports.recorded import Recorded
from ..imports.result import NAMED, ImportResult, Progress, unwatched
from ..imports.rows import Rows
from ..settings import service as settings
from ..storage.configuration import inbox_folder
from ..storage.leases import LeaseLost
from ..storage.vacuum import vacuum_analyze_after
from ..wording import pluralize
from .common import NUMBER, WRONG_USAGE, by_command, on_database
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
    recorded = Recorded(
        "command", _name_of(file) or "", by_command(), settings.current().settings.schedule.zone
    )
    if profile is not None:
        _through_profile(file, profile, recorded)
    _import(
        file, lambda progress: _record(recorded, readings.from_csv(file, ignore_column), progress), recorded
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


@click.command("import-inbox")
@on_database
def import_inbox() -> None:
    """Look into the watched folder once, and import what lies there."""
    if inbox_folder() is None:
        click.echo("Error: There is no watched folder. Set JOBAUTO_INBOX_PATH.", err=True)
        sys.exit(WRONG_USAGE)
    click.echo(f"{pluralize(inbox.look(), 'file')} taken")


@click.command("cancel-import")
@click.argument("import_id", metavar="ID", type=NUMBER)
@on_database
def cancel_import(import_id: int) -> None:
    """Have the import ID end before its end. What it has stored by then stays."""
    try:
        canceling.cancel(import_id, by_command())
    except (undo.UnknownImport, canceling.CannotCancel) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(WRONG_USAGE)
    click.echo(f"Import {import_id} is canceled")


@click.command("undo-import")
@click.argument("import_id", metavar="ID", type=NUMBER)
@on_database
def undo_import(import_id: int) -> None:
    """Take back what the import ID of readings did."""
    try:
        click.echo(undo.undo(import_id, by_command()).describe())
    except (undo.UnknownImport, undo.CannotUndo) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(WRONG_USAGE)


def _through_profile(file: BinaryIO, name: str, recorded: Recorded) -> None:
    try:
        recorded.profile = profiles.get(name)
        profile = recorded.profile.profile
    except InvalidInput as error:
        refuse(error)

    def load(progress: Progress) -> ImportResult:
        with rows_of(file, profile, _name_of(file), recorded.zone, recorded.author.now) as rows:
            return _record(recorded, rows, progress)

    _import(file, load, recorded)


def _record(recorded: Recorded, rows: Rows, progress: Progress) -> ImportResult:
    recorded.number()
    result = recorded.load(rows, now=recorded.author.now, progress=progress)
    vacuum_analyze_after(result.new + result.updated)
    return result


def _name_of(file: BinaryIO) -> str | None:
    name = getattr(file, "name", None)
    return name if isinstance(name, str) and name != STANDARD_INPUT else None


def _import(file: BinaryIO, load: Load, recorded: Recorded | None = None) -> None:
    try:
        with _progress_bar(file) as progress:
            result = load(progress)
    except FileError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(WRONG_USAGE)
    except (LeaseLost, Canceled) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    for sentence in _remarks(result):
        click.echo(sentence, err=True)
    for line, reason in result.errors:
        click.echo(f"line {line}: {reason}")
    if result.rejected > NAMED:
        click.echo(f"... and {result.rejected - NAMED} more")
    if recorded is not None:
        click.echo(f"import {recorded.import_id}", err=True)
    click.echo(result.describe())
    sys.exit(1 if result.rejected else 0)


def _remarks(result: ImportResult) -> Iterator[str]:
    """What is said beside the counts: warnings, columns that nobody takes, why rows were rejected."""
    yield from (f"warning: {warning}" for warning in result.warnings)
    if result.ignored_columns:
        yield f"ignored columns: {', '.join(result.ignored_columns)}"
    if result.left_out:
        yield result.left_out
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
