"""After each save the page that follows says what came of it: the message is announced, and has the focus."""

from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask

from jobauto.audit.service import Author
from jobauto.clock import utcnow
from jobauto.imports.profiles import service as profiles
from jobauto.notifications import channels
from jobauto.settings import service as settings
from jobauto.settings.policies import Policy
from tests.auth.routes import EXPECTED
from tests.pages.reading import form_of
from tests.people import PASSWORD, Person
from tests.readings.doubts import add_classified, review_id

pytestmark = pytest.mark.any_engine

DOCUMENT = {"file": {"kind": "nem12"}, "site": {}, "time": {}, "value": {}}
NEW = "another horse, another battery"
SAVES: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("account.change", {}, "/account", {"action": "token", "name": "logger", "confirm": PASSWORD}),
    (
        "account.change",
        {},
        "/account",
        {"action": "password", "current": PASSWORD, "password": NEW, "once_more": NEW},
    ),
    ("bulk_actions.undo", {"bulk_id": 1}, "/jobs/bulk/1", {}),
    ("dashboard.run_now", {}, "/", {}),
    ("jobs.bulk_submit", {}, "/jobs/", {"job": "2", "action": "assign", "assignee": "oscar"}),
    ("jobs.change", {"job_id": 1}, "/jobs/1", {"note": "Rang them."}),
    ("jobs.keep_view", {}, "/jobs/", {"name": "My own", "action": "keep"}),
    (
        "notifications.add",
        {},
        "/settings/notifications/",
        {"kind": "message", "label": "Chat", "url": "json://127.0.0.1:9/x"},
    ),
    ("notifications.change", {"channel_id": 1}, "/settings/notifications/1", {"action": "switch-off"}),
    ("policies.create", {}, "/policies/", {"name": "Other"}),
    (
        "policies.edit_submit",
        {"name": "Slow"},
        "/policies/Slow",
        {"action": "save", "NO_COMS.days_threshold": "9"},
    ),
    ("profiles.delete", {"name": "portal"}, "/profiles/portal/", {}),
    ("profiles.edit_submit", {"name": "portal"}, "/profiles/portal/", {}),
    ("profiles.new_submit", {}, "/profiles/new", {"name": "other"}),
    ("reviews.decide_submit", {}, "/reviews/", {"decision": "wrong"}),
    ("settings.edit_submit", {}, "/settings/", {"NO_COMS.days_threshold": "5"}),
    ("sites.bulk_submit", {}, "/sites/", {"site": "FLAT", "action": "group", "group": "West"}),
    ("sites.change", {"site_id": "FLAT"}, "/sites/FLAT", {"action": "edit", "site_name": "Flatter roof"}),
    (
        "users.change",
        {"username": "vera"},
        "/users/vera",
        {"action": "role", "role": "operator", "confirm": PASSWORD},
    ),
    (
        "users.create",
        {},
        "/users/",
        {"username": "nina", "role": "viewer", "password": NEW, "once_more": NEW, "confirm": PASSWORD},
    ),
]
OF_NO_FORM_HERE = {
    "imports": "its page is about nothing but what becomes of the file",
    "login_steps": "leads to what was asked for",
    "proposals": "tests/proposing",
    "profiles.try_out": "saves nothing",
    "account.mail_link_submit": "tests/users/test_mail_addresses.py",
    "auth": "leads to what was asked for",
    "runs": "tests/pages/test_held_runs.py",
    "second_factor": "its page is the answer",
}


@pytest.mark.parametrize(
    ("endpoint", "values", "page", "fields"), SAVES, ids=[f"{s[0]} {s[3]}"[:60] for s in SAVES]
)
def test_the_message_of_a_save_is_announced_and_has_the_focus(
    app: Flask,
    ada: Person,
    run_id: int,
    endpoint: str,
    values: dict[str, Any],
    page: str,
    fields: dict[str, Any],
) -> None:
    author = Author("ada", utcnow())
    channels.add("message", "Mail", "json://127.0.0.1:9/x", problems=True, digest=True, author=author)
    settings.put_policy(Policy("Slow", {"NO_COMS": {"days_threshold": 8}}, ("Slow",)), author=author)
    profiles.save("portal", DOCUMENT, author)
    key = add_classified("DOUBT", [100, 101, 0, 0])
    ada.post("/jobs/", job="1", action="assign", assignee="oscar")
    ada.get("/jobs/")

    address = app.url_map.bind("localhost").build(endpoint, values, "POST")
    more = {"review": review_id(key)} if endpoint.startswith("reviews") else {}
    answer = ada.client.post(address, data=form_of(ada.get(page)) | fields | more)
    if answer.status_code == 302:
        answer = ada.get(answer.location)

    assert answer.status_code == 200
    first = focused(answer.text)
    assert first.get("role") == "status"
    assert first.get("tabindex") == "-1"
    assert "notice-good" in first["class"]


def test_every_form_that_saves_is_in_the_table() -> None:
    """``try_out`` and the like are told by name, features by what stands before the dot."""
    saving = {way for method, way in EXPECTED if method == "POST" and not way.startswith("api_")}
    elsewhere = {way for way in saving if {way, way.split(".")[0]} & OF_NO_FORM_HERE.keys()}
    assert saving - elsewhere == {endpoint for endpoint, *_ in SAVES}


def focused(html: str) -> dict[str, str]:
    """The attributes of the first element that asks for the focus, as a browser chooses it."""
    reader = _Focus()
    reader.feed(html)
    assert reader.found, "nothing asks for the focus"
    return reader.found[0]


class _Focus(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self._in_dialog = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._in_dialog |= tag == "dialog"
        if "autofocus" in given and not self._in_dialog:
            self.found.append(given)

    def handle_endtag(self, tag: str) -> None:
        self._in_dialog &= tag != "dialog"
