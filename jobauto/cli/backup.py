"""Commands for a backup and the way back."""

import fcntl
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import click
from flask.cli import with_appcontext

from ..clock import utcnow
from ..storage import backup as service
from ..storage.sent_backup import BackupError
from ..storage.snapshot import NeverQuiet
from .common import in_sentences, on_database

DRAFT = ".jobauto-backup-"
"""How the name of a backup begins that is being written."""


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@on_database
def backup(file: Path) -> None:
    """Write the whole database to FILE (- for standard output), readable by its owner only."""
    try:
        with _written(file) as target:
            contents = service.back_up(target, _told)
    except (OSError, NeverQuiet) as error:
        raise click.ClickException(f"The backup was not written: {error}") from error
    _tell_end(f"Backed up {contents.describe()}", err=str(file) == "-")
    if contents.wrong:
        raise click.ClickException(f"The backup is written, but a restore would refuse it: {contents.wrong}")


@click.command("restore")
@click.argument("file", type=click.File("rb"))
@click.option("--replace", is_flag=True, help="Lose what the database holds now.")
@with_appcontext
@in_sentences
def restore(file: BinaryIO, replace: bool) -> None:
    """Put a backup FILE (- for standard input) into an empty database, of either kind."""
    try:
        contents = service.restore(file, _told, replace=replace, now=utcnow())
    except BackupError as error:
        raise click.UsageError(str(error)) from error
    except (OSError, NeverQuiet) as error:
        raise click.ClickException(f"Nothing was restored: {error}") from error
    _tell_end(f"Restored {contents.describe()}")


@contextmanager
def _written(file: Path) -> Iterator[BinaryIO]:
    """A file that is there as a whole or not at all, also after a power cut."""
    if str(file) == "-":
        yield sys.stdout.buffer
        return
    _require_no_other_thing(file)
    _clear_abandoned(file.parent)
    draft = file.with_name(f"{DRAFT}{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
            with suppress(OSError):  # a mount without locks: nobody can have it to remove the file either
                fcntl.flock(target, fcntl.LOCK_EX)
            yield target
            target.flush()
            os.fsync(target.fileno())
        draft.replace(file)
        _sync_folder(file.parent)
    finally:
        draft.unlink(missing_ok=True)


def _require_no_other_thing(file: Path) -> None:
    """Refuse what is there and no file, for the backup would take its place: of a device, for everybody."""
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(file.lstat().st_mode):
            raise click.UsageError(f"{file} is no file, and would be lost. For standard output, write -.")


def _clear_abandoned(folder: Path) -> None:
    """Remove what killed processes have left of any backup: the lock goes with its process."""
    for draft in folder.glob(f"{DRAFT}*"):
        # Neither waiting at a pipe nor following a link: others may write in that folder, too.
        with suppress(OSError), open(draft, "rb", opener=_as_a_file) as left:
            fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
            draft.unlink()


def _as_a_file(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _told(table: str, rows: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{table}: {rows:,} rows\033[K", nl=False, err=True)


def _tell_end(sentence: str, *, err: bool = False) -> None:
    if sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)
    click.echo(sentence, err=err)
