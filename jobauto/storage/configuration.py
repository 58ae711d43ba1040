"""What this process was configured with, for services that know nothing of Flask. Needs an app context."""

from pathlib import Path

from flask import current_app


def instance_folder() -> Path:
    """The folder of what the program keeps beside the database."""
    return Path(current_app.instance_path)


def secret_key() -> str:
    """The secret that keys what is signed, hashed or encrypted."""
    return str(current_app.config["SECRET_KEY"])


def secret_keys() -> list[str]:
    """The secret of now, and those of before that are still honoured, in their order."""
    return [secret_key(), *current_app.config["SECRET_KEY_FALLBACKS"]]


def send_to() -> list[str]:
    """The hosts and networks in private ranges that messages may go to."""
    return list(current_app.config["SEND_TO"])


def public_url() -> str:
    """Where people reach the program; empty where it is not known."""
    return str(current_app.config["PUBLIC_URL"])
