"""What this process was configured with, for services that know nothing of Flask. Needs an app context."""

from dataclasses import dataclass, field
from pathlib import Path

from flask import current_app

from .. import config
from ..config import MailServer


@dataclass(frozen=True)
class Issuer:
    """The OpenID Connect issuer that logins are left to, and what this program is to it."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: str
    username_claim: str
    role_claim: str
    roles: dict[str, str]


def instance_folder() -> Path:
    """The folder of what the program keeps beside the database."""
    return Path(current_app.instance_path)


def inbox_folder() -> Path | None:
    """The watched folder; None where there is none."""
    given = current_app.config["INBOX_PATH"]
    return Path(given) if given else None


def secret_key() -> str:
    """The secret that keys what is signed, hashed or encrypted."""
    return str(current_app.config["SECRET_KEY"])


def secret_keys() -> list[str]:
    """The secret of now, and those of before that are still honoured, in their order."""
    return [secret_key(), *current_app.config["SECRET_KEY_FALLBACKS"]]


def send_to() -> list[str]:
    """The hosts and networks in private ranges that messages may go to."""
    return list(current_app.config["SEND_TO"])


def mail_server() -> MailServer | None:
    """The server that mail is left to; None where the operator has set up none."""
    url = str(current_app.config["MAIL_URL"])
    return config.mail_server(url) if url else None


def public_url() -> str:
    """Where people reach the program; empty where it is not known."""
    return str(current_app.config["PUBLIC_URL"])


def second_factor_roles() -> list[str]:
    """The roles whose logins need a second factor."""
    return list(current_app.config["SECOND_FACTOR_ROLES"])


def break_glass_admin() -> str:
    """The only user whose password counts; empty where everybody's does."""
    return str(current_app.config["BREAK_GLASS_ADMIN"])


def issuer() -> Issuer | None:
    """The issuer of single sign-on, where there is one."""
    given = current_app.config
    if not given["OIDC_ISSUER"]:
        return None
    return Issuer(
        url=given["OIDC_ISSUER"],
        client_id=given["OIDC_CLIENT_ID"],
        client_secret=given["OIDC_CLIENT_SECRET"],
        scopes=given["OIDC_SCOPES"],
        username_claim=given["OIDC_USERNAME_CLAIM"],
        role_claim=given["OIDC_ROLE_CLAIM"],
        roles=given["OIDC_ROLES"],
    )
