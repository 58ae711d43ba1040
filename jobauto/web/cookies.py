"""The session cookie, signed with SHA-256 instead of Flask's SHA-1.

One that was signed otherwise, as before this was so, is like none: its owner logs in again.
"""

import hashlib

from flask import Flask
from flask.sessions import SecureCookieSessionInterface


class Sha256Sessions(SecureCookieSessionInterface):
    """Flask's own, with another digest."""

    digest_method = staticmethod(hashlib.sha256)


def init_app(app: Flask) -> None:
    """Sign the cookies of an app so."""
    app.session_interface = Sha256Sessions()
