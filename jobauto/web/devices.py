"""The cookie by which a browser that has logged in before is known: see :mod:`jobauto.auth.devices`."""

import hashlib
from datetime import timedelta

from flask import Response, current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer

from ..auth.devices import Device, new_device
from ..models import User
from ..storage.configuration import secret_keys

LIFETIME = timedelta(days=180)
RENEWED_AFTER = timedelta(days=30)


def device_of_request() -> Device | None:
    """The browser of this request, as its cookie says; None where it has none of ours, or an old one."""
    return _of_request(LIFETIME)


def remember(response: Response, user: User) -> None:
    """Let the browser be known as one of this user's, who is logged in with it."""
    recent = _of_request(RENEWED_AFTER)
    if recent is not None and recent.knows(user):
        return
    device = (device_of_request() or new_device()).with_user(user)
    config = current_app.config
    response.set_cookie(
        config["DEVICE_COOKIE_NAME"],
        _serializer().dumps([device.name, list(device.users.items())]),
        max_age=LIFETIME,
        path=config["SESSION_COOKIE_PATH"] or config["APPLICATION_ROOT"],
        domain=config["SESSION_COOKIE_DOMAIN"],
        secure=config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )


def _of_request(no_older_than: timedelta) -> Device | None:
    cookie = request.cookies.get(current_app.config["DEVICE_COOKIE_NAME"], "")
    try:
        name, users = _serializer().loads(cookie, max_age=int(no_older_than.total_seconds()))
    except BadData:
        return None
    return Device(name, {user_id: mark for user_id, mark in users})  # noqa: C416


def _serializer() -> URLSafeTimedSerializer:
    # The newest key comes last there, and signs.
    digest = {"digest_method": hashlib.sha256}
    return URLSafeTimedSerializer(secret_keys()[::-1], salt="jobauto-device", signer_kwargs=digest)
