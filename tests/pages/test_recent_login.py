"""What gives or takes power, or says where messages go, asks for a recent login, or for the password."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobauto.auth import service as auth
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import Channel, Job, User, UserSession
from jobauto.storage.connections import write
from tests.auth.test_throttling import fail
from tests.fleets import add_one_fault_of_each_rule
from tests.notifications.telling import add_message
from tests.pages.reading import error_beside, form_of, words
from tests.people import PASSWORD, Person

NEW = "another good one"
CHANNELS = "/settings/notifications/"
POWER = {
    "a role": ("/users/vera", {"action": "role", "role": "operator"}, "confirm-role"),
    "a password": (
        "/users/vera",
        {"action": "password", "password": NEW, "once_more": NEW},
        "confirm-password",
    ),
    "an activation": ("/users/oscar", {"action": "activate"}, "confirm-state"),
    "a deactivation": ("/users/vera", {"action": "deactivate"}, "confirm-state"),
    "an account": (
        "/users/",
        {"username": "nina", "role": "admin", "password": NEW, "once_more": NEW},
        "confirm",
    ),
    "a new channel": (
        CHANNELS,
        {"kind": "message", "label": "mine", "url": "json://127.0.0.1:9/x"},
        "confirm",
    ),
    "what a channel gets": (f"{CHANNELS}1", {"action": "change", "wants_digest": "y"}, "confirm-wants"),
    "a channel off": (f"{CHANNELS}1", {"action": "switch-off"}, "confirm-state"),
    "a channel removed": (f"{CHANNELS}1", {"action": "remove"}, "confirm-state"),
}
EACH = pytest.mark.parametrize(("address", "typed", "field"), POWER.values(), ids=POWER)


@pytest.fixture(autouse=True)
def what_there_is(app: Flask, ada: Person) -> None:
    """Oscar is deactivated, and there is a channel."""
    ada.post("/users/oscar", action="deactivate")
    add_message("json://127.0.0.1:9/ops")


@pytest.fixture
def ada_since_long(ada: Person) -> Person:
    """Ada, who logged in a little more than ten minutes ago."""
    long_ago = utcnow() - timedelta(minutes=10, seconds=1)
    db.session.execute(update(UserSession).values(proven_at=long_ago))
    db.session.commit()
    return ada


@EACH
def test_it_is_done_after_a_recent_login_with_no_more_than_its_own_fields(
    ada: Person, address: str, typed: dict[str, str], field: str
) -> None:
    assert f'id="{field}"' not in ada.get(address).text
    assert ada.post(address, **typed).status_code == 302


@EACH
@pytest.mark.parametrize(
    "confirm", [{}, {"confirm": ""}, {"confirm": "wrong wrong"}], ids=["none", "empty", "wrong"]
)
def test_it_is_not_done_by_whoever_found_the_screen_unlocked(
    ada_since_long: Person, address: str, typed: dict[str, str], field: str, confirm: dict[str, str]
) -> None:
    before = state()
    assert f'id="{field}"' in ada_since_long.get(address).text
    page = ada_since_long.post(address, **typed, **confirm)
    assert page.status_code == 422
    why = (
        "This is not your current password."
        if confirm.get("confirm")
        else "Enter your password: you logged in"
    )
    assert error_beside(page, field).startswith(why)
    assert state() == before


@EACH
def test_it_is_done_with_the_password_and_then_it_is_not_asked_for_again(
    ada_since_long: Person, address: str, typed: dict[str, str], field: str
) -> None:
    assert ada_since_long.post(address, **typed, confirm=PASSWORD).status_code == 302
    assert f'id="{field}"' not in ada_since_long.get("/users/vera").text + ada_since_long.get(CHANNELS).text


def test_the_password_is_guessed_no_faster_here(ada_since_long: Person) -> None:
    change = {"action": "role", "role": "operator"}
    wrong = ada_since_long.post("/users/vera", **change, confirm="wrong wrong")
    fail("ada", times=13, address="127.0.0.1", now=utcnow())
    slowed = ada_since_long.post("/users/vera", **change, confirm=PASSWORD)
    assert (wrong.status_code, slowed.status_code) == (422, 429)
    assert 400 <= int(slowed.headers["Retry-After"]) <= 512


def test_who_forgot_the_password_need_not_choose_anew_who_takes_the_jobs(ada_since_long: Person) -> None:
    open_job_of("vera")
    page = ada_since_long.post("/users/vera", action="deactivate", to="ada")
    assert (page.status_code, form_of(page)["to"]) == (422, "ada")


@pytest.mark.parametrize(
    ("address", "action"),
    [("/users/vera", "sessions"), ("/users/vera", "hand_over"), (f"{CHANNELS}1", "test")],
    ids=lambda value: value,
)
def test_the_rest_asks_nothing(ada_since_long: Person, address: str, action: str) -> None:
    assert ada_since_long.post(address, action=action, to="ada").status_code == 302


@pytest.mark.parametrize("name", ["ada", "ADA"])
def test_ones_own_password_is_not_changed_without_the_current_one(ada: Person, name: str) -> None:
    page = ada.post(f"/users/{name}", action="password", password=NEW, once_more=NEW, confirm=PASSWORD)
    assert page.status_code == 403
    assert "You change your own password on the page of your account." in words(page)
    assert auth.authenticate("ada", PASSWORD)


def open_job_of(name: str) -> None:
    add_one_fault_of_each_rule()
    with write() as session:
        session.execute(update(Job).values(assignee=name))


def state() -> list[tuple[object, ...]]:
    db.session.rollback()
    people = db.session.scalars(select(User).order_by(User.username))
    channels = db.session.scalars(select(Channel))
    return [
        *((user.username, user.role, user.active, user.password_hash) for user in people),
        *((channel.label, channel.active, channel.wants_digest, channel.removed_at) for channel in channels),
    ]
