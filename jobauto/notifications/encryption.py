"""URLs of channels, with their passwords, encrypted in the database under the program's secret key."""

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..storage.configuration import secret_key

_PURPOSE = b"jobauto: addresses of notifications"


class CannotDecrypt(Exception):
    """What was encrypted cannot be decrypted with the secret key of now."""

    def __init__(self) -> None:
        super().__init__(
            "The URL cannot be decrypted: JOBAUTO_SECRET_KEY has changed since it was added. "
            "Remove it and add it again."
        )


def encrypt(url: str) -> str:
    """The URL as it may be stored."""
    return _cipher().encrypt(url.encode()).decode()


def decrypt(encrypted: str) -> str:
    """The URL itself. Raises CannotDecrypt."""
    try:
        return _cipher().decrypt(encrypted).decode()
    except InvalidToken as error:
        raise CannotDecrypt from error


def can_decrypt(encrypted: str) -> bool:
    """Whether it can be decrypted."""
    try:
        decrypt(encrypted)
    except CannotDecrypt:
        return False
    return True


def _cipher() -> Fernet:
    # A key of its own for this purpose, so that what signs sessions encrypts nothing.
    derived = HKDF(SHA256(), length=32, salt=None, info=_PURPOSE)
    return Fernet(urlsafe_b64encode(derived.derive(secret_key().encode())))
