"""What somebody typed while their session ended comes back after the login, in the form, to be sent again.

It is kept only for whom the form was made (see :mod:`jobauto.web.own_forms`), shown to nobody else, and never
taken by itself: the person looks at it and presses once more.
"""

from flask import flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.datastructures import MultiDict

from ..clock import utcnow
from ..models import User
from ..models.form import PATH_LENGTH
from ..storage import drafts
from .routing import page_at

LARGEST = 200_000
"""Bytes of a form that is read for somebody whose session has ended: no upload of 500 MB is."""

SHOWN_BY = {
    "account.change",
    "jobs.change",
    "policies.create",
    "policies.edit_submit",
    "profiles.edit_submit",
    "profiles.new_submit",
    "proposals.save",
    "settings.edit_submit",
    "sites.bulk_submit",
    "sites.change",
    "users.change",
    "users.create",
}
"""The forms whose pages show a draft; of the others only a press is lost."""

NEVER_KEPT = {"code", "confirm", "csrf_token", "current", "once_more", "password", "sealed", "url"}
"""Passwords, and addresses that are shown to nobody."""

_ASKED = "typed"
SESSION_ENDED = "Nothing was done: your session had ended before you pressed."
NOT_LOGGED_IN = "Nothing was done: you are not logged in."


def is_small() -> bool:
    """Whether the form is one that may be read before its sender has logged in."""
    return (request.content_length or LARGEST + 1) <= LARGEST


def keep_for(user: User) -> str:
    """Keep what was typed; the path, from the root of the program, of the page that shows it."""
    page = page_at(request.path)
    if page is None:
        return "/"
    path = page.removeprefix(request.root_path)
    if request.endpoint not in SHOWN_BY or len(request.path) > PATH_LENGTH:
        query = request.query_string.decode(errors="replace")
        return f"{path}?{query}" if query else path
    fields = [[name, text] for name, text in request.form.items(multi=True) if name not in NEVER_KEPT]
    drafts.keep(user.id, request.path, fields, utcnow())
    return f"{path}?{_ASKED}=1"


def back_to_the_page(user: User) -> ResponseReturnValue:
    """Nothing was done with this form: lead to its page, with what was typed."""
    target = keep_for(user)
    if not is_asked_for(target):
        flash("Nothing was done: you have logged in anew since you opened the page. Press again.", "warning")
    return redirect(request.root_path + target)


def typed(action: str | None = None) -> MultiDict[str, str] | None:
    """What this page's form is to show instead of what is stored, where the page is asked for it.

    ``action`` is that of one of several forms of a page; only the one that was sent has a draft.
    """
    found = _draft()
    return found if found is not None and (action is None or found.get("action") == action) else None


def action() -> str | None:
    """Which of a page's forms has a draft that is shown."""
    found = _draft()
    return found.get("action") if found is not None else None


def is_shown() -> bool:
    """Whether this page shows a draft."""
    return _draft() is not None


def waiting_page(user: User) -> str | None:
    """Where the newest draft of somebody who has just logged in is shown."""
    path = drafts.newest(user.id, utcnow())
    page = page_at(path) if path is not None else None
    return f"{page}?{_ASKED}=1" if page else None


def _draft() -> MultiDict[str, str] | None:
    if request.method != "GET" or _ASKED not in request.args or not current_user.is_authenticated:
        return None
    if "draft" not in g:
        fields = drafts.kept(current_user.id, request.path, utcnow())
        g.draft = None if fields is None else MultiDict([(name, text) for name, text in fields])
    found: MultiDict[str, str] | None = g.draft
    return found


def is_asked_for(address: str) -> bool:
    """Whether an address is that of a page with a draft."""
    return f"{_ASKED}=1" in address.partition("?")[2].split("&")


def login_address(target: str | None) -> str:
    """The login page that leads on to an address of ours."""
    return url_for("auth.login", next=None if target == "/" else target)
