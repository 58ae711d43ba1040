"""The session cookie, signed with SHA-256 instead of Flask's SHA-1.

One that was signed otherwise, as before this was so, is like none: its owner logs in again. A form of another
site comes without the cookie: an answer with another one would take its place, and log its owner out.
"""

import hashlib

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin


class Sha256Sessions(SecureCookieSessionInterface):
    """Flask's own, with another digest, and not for forms of other sites."""

    digest_method = staticmethod(hashlib.sha256)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send the cookie, if there is anything new in it."""
        # Browsers say so themselves; to what else asks, nobody can send a form.
        is_ours = request.headers.get("Sec-Fetch-Site", "none") in ("same-origin", "none")
        if is_ours or request.method == "GET":
            super().save_session(app, session, response)


def init_app(app: Flask) -> None:
    """Sign the cookies of an app so."""
    app.session_interface = Sha256Sessions()
