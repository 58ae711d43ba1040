"""What gives somebody power asks for a recent login, or for the password once more."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobauto.auth import service as auth
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import User, UserSession
from tests.auth.test_throttling import fail
from tests.pages.reading import error_beside, words
from tests.people import PASSWORD, Person

NEW = "another good one"
POWER = {
    "a role": ("/users/vera", {"action": "role", "role": "operator"}, "confirm-role"),
    "a password": (
        "/users/vera",
        {"action": "password", "password": NEW, "once_more": NEW},
        "confirm-password",
    ),
    "an activation": ("/users/oscar", {"action": "activate"}, "confirm-state"),
    "an account": (
        "/users/",
        {"username": "nina", "role": "admin", "password": NEW, "once_more": NEW},
        "confirm",
    ),
}
EACH = pytest.mark.parametrize(("address", "typed", "field"), POWER.values(), ids=POWER)


@pytest.fixture
def ada_since_long(app: Flask, ada: Person) -> Person:
    """Ada, who logged in a little more than ten minutes ago; Oscar is deactivated."""
    ada.post("/users/oscar", action="deactivate")
    long_ago = utcnow() - timedelta(minutes=10, seconds=1)
    db.session.execute(update(UserSession).values(proven_at=long_ago))
    db.session.commit()
    return ada


@EACH
def test_it_is_done_after_a_recent_login_with_no_more_than_its_own_fields(
    ada: Person, address: str, typed: dict[str, str], field: str
) -> None:
    ada.post("/users/oscar", action="deactivate")
    assert f'id="{field}"' not in ada.get(address).text
    assert ada.post(address, **typed).status_code == 302


@pytest.mark.any_engine
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
    assert f'id="{field}"' not in ada_since_long.get(address).text


def test_the_password_is_guessed_no_faster_here(ada_since_long: Person) -> None:
    change = {"action": "role", "role": "operator"}
    wrong = ada_since_long.post("/users/vera", **change, confirm="wrong wrong")
    fail("ada", times=13, address="127.0.0.1", now=utcnow())
    slowed = ada_since_long.post("/users/vera", **change, confirm=PASSWORD)
    assert (wrong.status_code, slowed.status_code) == (422, 429)
    assert 400 <= int(slowed.headers["Retry-After"]) <= 512


def test_what_takes_power_away_asks_nothing(ada_since_long: Person) -> None:
    assert ada_since_long.post("/users/vera", action="deactivate").status_code == 302


@pytest.mark.parametrize("name", ["ada", "ADA"])
def test_ones_own_password_is_not_changed_without_the_current_one(ada: Person, name: str) -> None:
    page = ada.post(f"/users/{name}", action="password", password=NEW, once_more=NEW, confirm=PASSWORD)
    assert page.status_code == 403
    assert "You change your own password on the page of your account." in words(page)
    assert auth.authenticate("ada", PASSWORD)


def state() -> list[tuple[object, ...]]:
    db.session.rollback()
    people = db.session.scalars(select(User).order_by(User.username))
    return [(user.username, user.role, user.active, user.password_hash) for user in people]
