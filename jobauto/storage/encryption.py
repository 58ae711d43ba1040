"""Encryption of what the database keeps and nobody who reads a copy of it may know.

Each purpose has keys of its own, derived from the program's secret keys: the newest encrypts, any decrypts.
"""

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .configuration import secret_key, secret_keys


def ciphers(purpose: bytes) -> MultiFernet:
    """What encrypts and decrypts for a purpose. Needs an app context."""
    return MultiFernet([_cipher(purpose, secret) for secret in secret_keys()])


def newest_cipher(purpose: bytes) -> Fernet:
    """Only the newest of them."""
    return _cipher(purpose, secret_key())


def _cipher(purpose: bytes, secret: str) -> Fernet:
    # A key of its own for each purpose, so that what signs sessions encrypts nothing.
    derived = HKDF(SHA256(), length=32, salt=None, info=purpose)
    return Fernet(urlsafe_b64encode(derived.derive(secret.encode())))
