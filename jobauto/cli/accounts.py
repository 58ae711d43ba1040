"""Commands for people and their tokens."""

import secrets
import sys
from importlib import import_module
from pathlib import Path

import click
from flask import current_app
from sqlalchemy import select

from ..auth import service
from ..auth.tokens import DAYS, MOST_DAYS, NewToken
from ..extensions import db
from ..models import User
from ..models.user import ROLES, SCOPES
from ..storage.configuration import issuer
from .common import by_command, on_database

PASSWORD_FILE = "first-login"  # noqa: S105 (a file's name)
FIRST_USER = "admin"
SECOND_FACTORS = "jobauto.users.second_factors"
SINGLE_SIGN_ON = "jobauto.users.single_sign_on"
"""Loaded by the commands that need them."""


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt="Once more")
    return password


_must_change = click.option(
    "--must-change", is_flag=True, help="The password must be changed at the next login, within 7 days."
)


@click.command("create-user")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the user may do.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@_must_change
@on_database
def create_user(name: str, role: str, password_stdin: bool, must_change: bool) -> None:
    """Make an account for NAME."""
    try:
        user = service.create_user(
            name, _password(password_stdin), role, by_command(), must_change=must_change
        )
    except service.AccountError as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"Created {user.role} {user.username}")


@click.command("set-password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--revoke-tokens", is_flag=True, help="Revoke the API tokens of that user, too.")
@_must_change
@on_database
def set_password(name: str, password_stdin: bool, revoke_tokens: bool, must_change: bool) -> None:
    """Change the password of NAME and end the sessions of that user."""
    try:
        service.by_name(name)
        db.session.rollback()  # or PostgreSQL would end the transaction of somebody who is slow to type
        password, author = _password(password_stdin), by_command()
        service.set_password(name, password, author, must_change=must_change, revoke_tokens=revoke_tokens)
    except service.AccountError as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"Changed the password of {name.lower()}")


@click.command("list-users")
@on_database
def list_users() -> None:
    """Print name, role and state of every account."""
    for user in db.session.scalars(select(User).order_by(User.username)):
        click.echo(f"{user.username}\t{user.role}\t{'active' if user.active else 'deactivated'}")


@click.command("create-token")
@click.argument("user")
@click.option("--name", "label", required=True, help="What the token is for.")
@click.option("--scope", type=click.Choice(SCOPES), default="full", show_default=True, help="What it may do.")
@click.option(
    "--days",
    type=click.IntRange(1, MOST_DAYS),
    default=DAYS,
    show_default=True,
    help="For how long it may be used.",
)
@on_database
def create_token(user: str, label: str, scope: str, days: int) -> None:
    """Print a new API token of USER. It cannot be shown again."""
    try:
        click.echo(service.issue_token(user, NewToken(label, scope, days), by_command()))
    except service.AccountError as error:
        raise click.UsageError(str(error)) from error


@click.command("reset-second-factor")
@click.argument("name")
@on_database
def reset_second_factor(name: str) -> None:
    """Take away the second factor of NAME, who has lost the device, and end the sessions of that user."""
    try:
        done = import_module(SECOND_FACTORS).reset(name, author=by_command())
    except service.AccountError as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"Reset the second factor of {name.lower()}" if done else "There is no second factor.")


@click.command("connect-user")
@click.argument("name")
@click.argument("subject")
@on_database
def connect_user(name: str, subject: str) -> None:
    """Let SUBJECT of the single sign-on issuer be the user NAME, whoever either was before."""
    configured = issuer()
    if configured is None:
        raise click.UsageError("There is no single sign-on here: JOBAUTO_OIDC_ISSUER is not set.")
    try:
        import_module(SINGLE_SIGN_ON).connect(name, configured.url, subject, by_command())
    except service.AccountError as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"Connected {name.lower()} with {subject} at {configured.url}")


@click.command("first-login")
@on_database
def first_login() -> None:
    """Print a first administrator's login, making it where nobody has an account yet.

    The random password is kept in the instance folder, readable by its owner only, so that it can be
    printed again until it is changed.
    """
    kept = Path(current_app.instance_path) / PASSWORD_FILE
    if db.session.scalar(select(User).limit(1)) is None:
        kept.unlink(missing_ok=True)
        kept.touch(mode=0o600)
        kept.write_text(secrets.token_urlsafe(12))
        service.create_user(FIRST_USER, kept.read_text(), "admin", by_command())
    if kept.exists() and service.authenticate(FIRST_USER, kept.read_text()):
        click.echo(f"Log in as {FIRST_USER} with the password {kept.read_text()}")
    else:
        click.echo("Log in with your own account.")
