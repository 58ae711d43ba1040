"""What was typed while the session ended is not lost, not taken unseen, and shown to nobody else."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask_wtf import FlaskForm
from sqlalchemy import delete, select
from wtforms import PasswordField
from wtforms.fields.core import UnboundField

from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import Draft, Event, UserSession
from jobauto.storage import drafts
from jobauto.storage.connections import write
from jobauto.web.drafts import NEVER_KEPT
from jobauto.web.forms.notifications import _SecretField
from tests.pages.reading import form_of, words
from tests.pages.scenes import FLAT
from tests.people import PASSWORD, Person, log_in


def end_all_sessions() -> None:
    """As time does, or an admin."""
    with write() as session:
        session.execute(delete(UserSession))


def log_in_at(person: Person, address: str, name: str = "oscar") -> str:
    """Fill the login page in; where it leads."""
    form = form_of(person.get(address)) | {"username": name, "password": PASSWORD}
    location = person.client.post(address, data=form).location
    assert location
    return location


def kept() -> list[Draft]:
    db.session.rollback()
    return list(db.session.scalars(select(Draft)))


def notes() -> list[str | None]:
    db.session.rollback()
    return list(db.session.scalars(select(Event.after).where(Event.field == "note")))


def test_a_note_comes_back_in_its_form_after_the_login_and_is_saved_by_another_press(
    oscar: Person, run_id: int
) -> None:
    form = form_of(oscar.get("/jobs/1")) | {"note": "Nobody\nat home.", "priority": "high"}
    end_all_sessions()
    login = oscar.client.post("/jobs/1", data=form).location
    assert login
    assert "Your session has ended. What you had typed is kept" in words(oscar.get(login))

    page = oscar.get(log_in_at(oscar, login))

    assert "Nothing was saved yet" in words(page)
    shown = form_of(page)
    assert (shown["note"], shown["priority"], shown["seen_priority"]) == (
        "Nobody\nat home.",
        "high",
        "medium",
    )
    assert notes() == []
    assert oscar.client.post("/jobs/1", data=shown).location == "/jobs/1"
    assert notes() == ["Nobody\nat home."]
    assert kept() == []
    assert form_of(oscar.get("/jobs/1"))["note"] == ""


def test_a_note_from_before_another_login_in_another_tab_comes_back_at_once(
    oscar: Person, run_id: int
) -> None:
    form = form_of(oscar.get("/jobs/1")) | {"note": "Nobody at home."}
    oscar.post("/logout")
    log_in_at(oscar, "/login")

    answer = oscar.client.post("/jobs/1", data=form)

    assert answer.status_code == 302
    assert form_of(oscar.get(answer.location or ""))["note"] == "Nobody at home."
    assert notes() == []


def test_whoever_logs_in_without_following_is_led_to_what_waits(oscar: Person, run_id: int) -> None:
    form = form_of(oscar.get("/jobs/1")) | {"note": "Nobody at home."}
    end_all_sessions()
    oscar.client.post("/jobs/1", data=form)
    assert form_of(oscar.get(log_in_at(oscar, "/login")))["note"] == "Nobody at home."


def test_nobody_else_who_logs_in_sees_it(oscar: Person, run_id: int) -> None:
    form = form_of(oscar.get("/jobs/1")) | {"note": "Nobody at home."}
    end_all_sessions()
    login = oscar.client.post("/jobs/1", data=form).location
    assert login
    assert "Nobody at home." not in oscar.get(log_in_at(oscar, login, "ada")).text


@pytest.mark.parametrize(
    ("address", "typed"),
    [
        (f"/sites/{FLAT}", {"action": "edit", "site_name": "Barn"}),
        (f"/sites/{FLAT}", {"action": "snooze", "last_day": "2026-12-24", "reason": "Works"}),
        ("/settings/", {"ZERO_READS.days_to_check": "9"}),
        ("/users/vera", {"action": "role", "role": "operator"}),
        ("/users/", {"username": "nina", "role": "operator"}),
        ("/account", {"action": "token", "name": "logger in Mill Lane"}),
    ],
    ids=["site", "snooze", "settings", "role", "account", "token"],
)
def test_every_form_with_something_to_type_gives_it_back(
    ada: Person, run_id: int, address: str, typed: dict[str, str]
) -> None:
    form = form_of(ada.get(address)) | typed
    end_all_sessions()
    login = ada.client.post(address, data=form).location
    assert login
    page = ada.get(log_in_at(ada, login, "ada"))
    shown = form_of(page)
    assert {name: shown[name] for name in typed if name != "action"} == {
        name: text for name, text in typed.items() if name != "action"
    }
    if address.startswith("/sites"):
        assert page.text.count('<details class="disclosure" open>') == 1


def test_passwords_are_not_kept(ada: Person) -> None:
    secret = "another correct horse"
    form = form_of(ada.get("/users/")) | {"username": "nina", "password": secret, "once_more": secret}
    end_all_sessions()
    ada.client.post("/users/", data=form)
    (draft,) = kept()
    assert secret not in str(draft.fields)
    assert ["username", "nina"] in draft.fields


def test_a_press_that_typed_nothing_is_told_to_be_pressed_again(oscar: Person, run_id: int) -> None:
    token = form_of(oscar.get("/"))["csrf_token"]
    end_all_sessions()
    login = oscar.client.post("/run-now", data={"csrf_token": token}).location
    assert login
    assert "Nothing was done: your session had ended before you pressed." in words(oscar.get(login))
    assert log_in_at(oscar, login) == "/"
    assert kept() == []


@pytest.mark.parametrize("token", [None, "made up"])
def test_what_may_not_be_ours_is_not_kept(oscar: Person, run_id: int, token: str | None) -> None:
    end_all_sessions()
    data = {"note": "Planted."} | ({"csrf_token": token} if token else {})
    answer = oscar.client.post("/jobs/1", data=data)
    assert (answer.status_code, answer.location) == (302, "/login")
    assert kept() == []


def test_a_stranger_keeps_nothing_with_the_token_of_the_login_page(stranger: Person, run_id: int) -> None:
    stranger.post("/jobs/1", note="Planted.")
    assert kept() == []


def test_a_form_made_for_somebody_else_is_neither_taken_nor_kept_for_me(
    ada: Person, oscar: Person, run_id: int
) -> None:
    form = form_of(oscar.get("/jobs/1")) | {"note": "Planted."}
    answer = ada.client.post("/jobs/1", data=form)
    assert answer.status_code == 400
    assert "Nothing was done: the form is not from a page of your present login. Open the page" in words(
        answer
    )
    assert kept() == []


def test_a_large_body_is_not_read_for_somebody_who_is_not_logged_in(oscar: Person, run_id: int) -> None:
    form = form_of(oscar.get("/jobs/1")) | {"note": "x" * 300_000}
    end_all_sessions()
    assert oscar.client.post("/jobs/1", data=form).location == "/login"
    assert "Nothing was done: you are not logged in." in words(oscar.get("/login"))
    assert kept() == []


def test_a_draft_is_kept_for_an_hour_and_not_more_than_twenty_of_a_person(ada: Person, oscar: Person) -> None:
    for number in range(25):
        drafts.keep(1, f"/jobs/{number}", [["note", "x"]], utcnow() + timedelta(seconds=number))
    assert len(kept()) == 20
    assert drafts.kept(1, "/jobs/24", utcnow() + timedelta(hours=2)) is None
    drafts.keep(2, "/jobs/1", [["note", "y"]], utcnow() + timedelta(hours=2))
    assert [draft.user_id for draft in kept()] == [2]


def test_a_page_asked_for_in_a_session_that_has_ended_says_so(oscar: Person) -> None:
    end_all_sessions()
    login = oscar.get("/jobs/").location
    assert login
    assert "Your session has ended. Log in to go on." in words(oscar.get(login))


def test_a_second_tab_on_the_login_page_leads_on_where_one_is_logged_in(app: Flask, cast: None) -> None:
    person = Person(app, None)
    tabs = [form_of(person.get("/login")) | {"username": "ada", "password": PASSWORD} for _ in range(2)]
    assert [person.client.post("/login", data=tab).location for tab in tabs] == ["/", "/"]
    assert "You are logged in already, as ada." in words(person.get("/"))


def test_a_login_page_older_than_the_last_logout_asks_again_in_plain_words(app: Flask, cast: None) -> None:
    person = Person(app, None)
    old = form_of(person.get("/login")) | {"username": "ada", "password": PASSWORD}
    person.client.post("/login", data=old)
    token = form_of(person.get("/"))["csrf_token"]
    person.client.post("/logout", data={"csrf_token": token})
    answer = person.client.post("/login", data=old)
    assert (answer.status_code, answer.location) == (302, "/login")
    assert "older than your last login or logout" in words(person.get("/login"))


def test_the_token_of_a_form_is_another_one_in_each_session(app: Flask, oscar: Person) -> None:
    tokens = []
    for _ in range(2):
        log_in(oscar.client, "oscar")
        with oscar.client.session_transaction() as session:
            session.pop("csrf_token", None)
        oscar.get("/")
        with oscar.client.session_transaction() as session:
            tokens.append(session["csrf_token"])
    assert tokens[0] != tokens[1]
    assert all(re.fullmatch(r"[\w-]{43}\.\d+", token) for token in tokens)


def test_every_secret_field_of_a_form_is_never_kept() -> None:
    secret: set[str] = {
        name
        for form in _forms(FlaskForm)
        for name, field in vars(form).items()
        if isinstance(field, UnboundField) and issubclass(field.field_class, (PasswordField, _SecretField))
    }
    assert {"password", "confirm", "url"} <= secret
    assert secret <= NEVER_KEPT


def _forms(base: type[Any]) -> Iterator[type[Any]]:
    for form in base.__subclasses__():
        yield form
        yield from _forms(form)
