"""What all commands share: errors in a sentence, and a database that is ready."""

import getpass
import sqlite3
import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click
import psycopg
from flask.cli import with_appcontext
from sqlalchemy.exc import DatabaseError

from ..audit.service import Author
from ..clock import utcnow
from ..storage.connections import DatabaseNotReady, require_ready, unreachable

P = ParamSpec("P")
R = TypeVar("R")

WRONG_USAGE = 2
RUN_IN_PROGRESS = 3
NUMBER = click.IntRange(max=2**63 - 1)
"""A number of something in the database, which holds no greater one."""
LONGEST_NAME = 100
"""As long as who did something may be in the database; the environment may say any."""


def in_sentences(function: Callable[P, R]) -> Callable[P, R]:
    """End with a sentence, not with a traceback, when the database is not ready or an argument is no text."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except DatabaseNotReady as error:
            sentence = str(error)
        except (DatabaseError, sqlite3.Error, psycopg.Error) as error:  # SQLite copies itself past SQLAlchemy
            sentence = str(unreachable(error))
        except UnicodeEncodeError as error:
            # Without the text itself, which may be a password.
            why = f"A text that is given, or to be printed, is not {error.encoding}."
            raise click.UsageError(why) from error
        click.echo(f"Error: {sentence}", err=True)
        sys.exit(1)

    return wrapped


def operating_user() -> str:
    """Who runs the command, as the operating system knows them."""
    try:
        return getpass.getuser()[:LONGEST_NAME].encode(errors="replace").decode()
    except (KeyError, OSError):
        return "cli"  # a user id without a name, as in some containers


def by_command() -> Author:
    """Whoever runs the command, now: the author of what it changes."""
    return Author(operating_user(), utcnow())


def on_database(function: Callable[P, R]) -> Callable[P, R]:
    """A command that needs a database with this program's schema."""

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        require_ready()
        return function(*args, **kwargs)

    return with_appcontext(in_sentences(checked))
