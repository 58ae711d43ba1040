"""Commands about profiles."""

import json
import sys
from typing import BinaryIO, NoReturn

import click

from ..errors import InvalidInput
from ..extensions import db
from ..imports.profiles import service
from .common import WRONG_USAGE, by_command, on_database


@click.command("list-profiles")
@on_database
def list_profiles() -> None:
    """Print all profiles as JSON."""
    _print([{"name": row.name, **(row.document or {})} for row in db.session.scalars(service.current())])


@click.command("show-profile")
@click.argument("name")
@on_database
def show_profile(name: str) -> None:
    """Print the profile NAME as JSON."""
    try:
        _print(service.get(name).document)
    except InvalidInput as error:
        refuse(error)


@click.command("save-profile")
@click.argument("name")
@click.argument("file", type=click.File("rb"))
@on_database
def save_profile(name: str, file: BinaryIO) -> None:
    """Save the profile NAME from a JSON FILE (- for standard input)."""
    most = 4 * service.MOST_TOGETHER  # in bytes; of standard input nobody knows the length
    content = file.read(most + 1)
    if len(content) > most:
        refuse(InvalidInput("The file is too large."))
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        refuse(InvalidInput("The file is not JSON."))
    try:
        service.save(name, document, by_command())
    except InvalidInput as error:
        refuse(error)


def refuse(error: InvalidInput) -> NoReturn:
    """Tell what is wrong, field by field, and end as for wrong usage."""
    lines = [f"{name}: {' '.join(why)}" for name, why in error.fields.items()] or [str(error)]
    for line in lines:
        click.echo(f"Error: {line}", err=True)
    sys.exit(WRONG_USAGE)


def _print(document: object) -> None:
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))
