"""``jobauto`` and ``python -m jobauto``: the commands, on an application without pages."""

import gc
import signal
import sys
from importlib import import_module
from typing import Any, NoReturn

import click
from flask import Flask
from flask.cli import ScriptInfo

from .cli import Commands
from .config import ConfigError


def main() -> None:
    """Run a command. A configuration that cannot be meant ends it with exit status 2."""
    signal.signal(signal.SIGTERM, _end)
    gc.disable()  # until all is loaded: to look for garbage in what stays takes a tenth of a second
    group = Commands(
        "jobauto",
        help="Finds metered sites that went silent or stand still, and opens one job for each fault.",
    )
    group.main(prog_name="jobauto", obj=ScriptInfo(create_app=_application, set_debug_flag=False))


def _application() -> Flask:
    try:
        app: Flask = import_module("jobauto.core").create_core()  # not before a command wants it
    except ConfigError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
    gc.freeze()
    gc.enable()
    return app


def _end(number: int, _frame: Any) -> NoReturn:
    # An exception, so that what is half done is rolled back and a run says that it was interrupted.
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
