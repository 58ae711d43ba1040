"""``jobauto`` and ``python -m jobauto``: the commands, on an application of their own."""

import signal
import sys
from typing import Any, NoReturn

import click
from flask.cli import FlaskGroup

from . import create_app
from .cli import in_sentences
from .config import ConfigError


def main() -> None:
    """Run a command. A configuration that cannot be meant ends it with exit status 2."""
    signal.signal(signal.SIGTERM, _end)
    try:
        app = create_app()
    except ConfigError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
    group = FlaskGroup(
        create_app=lambda: app,
        add_version_option=False,
        set_debug_flag=False,
        help="Finds metered sites that went silent or stand still, and opens one job for each fault.",
    )
    del group.commands["run"]  # its server would serve pages without the schedule
    in_sentences(group.main)(prog_name="jobauto")


def _end(number: int, _frame: Any) -> NoReturn:
    # An exception, so that what is half done is rolled back and a run says that it was interrupted.
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
