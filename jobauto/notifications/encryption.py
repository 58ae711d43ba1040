"""URLs of channels, with their passwords, encrypted in the database under the program's secret key.

They are encrypted with the newest key, and decrypted with that or a former one that is configured.
"""

from cryptography.fernet import InvalidToken, MultiFernet

from ..storage.encryption import ciphers, newest_cipher

_PURPOSE = b"jobauto: addresses of notifications"


class CannotDecrypt(Exception):
    """What was encrypted cannot be decrypted with any secret key of now."""

    def __init__(self) -> None:
        super().__init__(
            "The URL cannot be decrypted: JOBAUTO_SECRET_KEY has changed since it was added. "
            "Name the former key in JOBAUTO_SECRET_KEY_FALLBACKS, or add the channel again."
        )


def encrypt(url: str) -> str:
    """The URL as it may be stored."""
    return _ciphers().encrypt(url.encode()).decode()


def decrypt(encrypted: str) -> str:
    """The URL itself. Raises CannotDecrypt."""
    try:
        return _ciphers().decrypt(encrypted).decode()
    except InvalidToken as error:
        raise CannotDecrypt from error


def can_decrypt(encrypted: str) -> bool:
    """Whether it can be decrypted."""
    try:
        decrypt(encrypted)
    except CannotDecrypt:
        return False
    return True


def needs_former_key(encrypted: str) -> bool:
    """Whether it can be decrypted, but not with the newest key."""
    try:
        newest_cipher(_PURPOSE).decrypt(encrypted)
    except InvalidToken:
        return can_decrypt(encrypted)
    return False


def renewed(encrypted: str) -> str:
    """The same, encrypted with the newest key; as it was if it cannot be decrypted."""
    try:
        return _ciphers().rotate(encrypted).decode()
    except InvalidToken:
        return encrypted


def _ciphers() -> MultiFernet:
    return ciphers(_PURPOSE)
