"""The same form with the same contents, sent again by the same person within ten seconds, is taken once.

1. Before the view, the form claims the key that stands for it: a keyed hash of who sends what to where.
2. Whoever comes second, even at the same time, does nothing. It waits until the first is done, then leads
   where the first led and says what the first said: the browser may never have shown that answer. Few wait.
3. A form that was refused has done nothing. It gives its key back, and may be sent again.
4. So may one after which the same person has sent another one to the same address: close, reopen, close.
"""

import hashlib
import hmac
import json
import logging
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

from flask import Flask, Response, flash, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.exc import OperationalError
from werkzeug.datastructures import FileStorage

from ..clock import utcnow
from ..logs import LogEvent
from ..storage import sent_forms
from ..storage.configuration import secret_key
from ..storage.sent_forms import Outcome, Sending
from ..turns import NoTurn, Turns
from .routing import page_at

log = logging.getLogger("jobauto.errors")

PATIENCE = timedelta(seconds=10)
LOOKED_EVERY = 0.1
"""Seconds between two looks whether the first sending is done."""

WAITING = Turns(2)
"""So many wait in a process, as after a second click: whoever waits holds a thread that pages need. Others
are told at once that the first is being worked on."""

EXEMPT = {"auth.logout", "imports.kind", "profiles.try_out", "proposals.look"}
"""A session that has begun since is ended all the same; a look changes nothing, and may be had again."""


def init_app(app: Flask) -> None:
    """Note what becomes of each form."""
    app.after_request(_note_the_outcome)


def answer_of_the_first() -> ResponseReturnValue | None:
    """None where the form of this request is to be taken; otherwise where its first sending led."""
    if request.method != "POST" or request.endpoint in EXEMPT or request.path.startswith("/api/"):
        return None
    sending = Sending(_digest(), utcnow())
    waits_until = time.monotonic() + PATIENCE.total_seconds()
    while not sent_forms.claim(sending):
        if (first := _outcome(sending.digest, waits_until)) is not None:
            return _lead_on(first)
    g.sending = sending
    return None


def give_back() -> None:
    """Let the form of this request be sent again: nothing is done with it, though its answer leads on."""
    sending: Sending | None = g.pop("sending", None)
    if sending is not None:
        sent_forms.give_back(sending)


def _outcome(digest: str, waits_until: float) -> Outcome | None:
    """What became of the first sending, awaited where few others wait; None where it was given back."""
    first = sent_forms.outcome(digest)
    with suppress(NoTurn), WAITING.turn():
        while first is not None and first.location is None and time.monotonic() < waits_until:
            time.sleep(LOOKED_EVERY)
            first = sent_forms.outcome(digest)
    return first


def _lead_on(first: Outcome) -> ResponseReturnValue:
    if first.location is not None:
        _say_again(first.messages)
        return redirect(first.location)
    flash("This was sent already, and is still being worked on.", "info")
    return redirect(page_at(request.path) or url_for("dashboard.show"))


def _digest() -> str:
    fields = sorted(item for item in request.form.items(multi=True) if item[0] != "csrf_token")
    files = [(name, file.filename, _content(file)) for name, file in request.files.items(multi=True)]
    place = [current_user.id, request.full_path]
    return _keyed(place)[: sent_forms.PLACE] + _keyed([*place, fields, files])[sent_forms.PLACE :]


def _keyed(what: list[Any]) -> str:
    contents = json.dumps(what).encode()
    return hmac.digest(secret_key().encode(), contents, "sha256").hex()  # a field may be a password


def _content(file: FileStorage) -> str:
    digest = hashlib.file_digest(file.stream, "sha256").hexdigest()  # type: ignore[arg-type] # it is a file
    file.stream.seek(0)
    return digest


def _say_again(messages: list[list[str]]) -> None:
    waiting = [text for _, text in session.get("_flashes", [])]
    for category, text in messages:
        if text not in waiting:
            flash(text, category)


def _note_the_outcome(response: Response) -> Response:
    sending: Sending | None = g.pop("sending", None)
    if sending is None:
        return response
    try:
        if response.status_code >= 400:
            sent_forms.give_back(sending)
        else:
            sent_forms.settle(sending, *_led_to(response), draft_of=(current_user.id, request.path))
    except OperationalError as error:  # what was asked for is done: only a second click may find no answer
        log.warning(LogEvent("form-not-settled", path=request.path, error=error.orig))
    return response


def _led_to(response: Response) -> tuple[str, list[list[str]]]:
    if response.location:
        return response.location, [list(message) for message in session.get("_flashes", [])]
    once = "Your first press has done this already. What its answer showed can be shown only once."
    return page_at(request.path) or url_for("dashboard.show"), [["info", once]]
