"""A browser that has logged in before is known by a cookie, and kept out by nobody who guesses elsewhere."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, current_app
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from jobauto.audit.service import Author
from jobauto.auth import service
from jobauto.auth.devices import MOST_USERS, Device, new_device
from jobauto.auth.sessions import Client
from jobauto.auth.throttling import Throttled
from jobauto.clock import utcnow
from jobauto.config import DEVICE_COOKIE, SESSION_COOKIE
from jobauto.models import User
from tests.auth.second_factors import proposed_on, send, set_up
from tests.auth.test_throttling import ELSEWHERE, HERE, LIMITS, MINUTE, fail
from tests.fleets import NOON
from tests.people import PASSWORD, Person


@pytest.mark.parametrize("guesser", [HERE, ELSEWHERE], ids=["in the same office", "elsewhere"])
def test_whoever_guesses_all_the_time_does_not_keep_a_known_browser_out(
    app: Flask, cast: None, guesser: str
) -> None:
    device = known("vera")
    for minutes in range(8 * 60):
        now = NOON + minutes * MINUTE
        with suppress(Throttled, service.WrongLogin):
            service.prove("vera", "wrong wrong", Client(guesser, "", now, LIMITS))
        if minutes % 60 == 59:
            assert (
                service.log_in("vera", PASSWORD, Client(HERE, "", now, LIMITS, device)).user.username
                == "vera"
            )


def test_a_known_browser_guesses_no_faster_than_others_and_slows_only_itself(app: Flask, cast: None) -> None:
    mine, another = (
        Client(HERE, "", NOON, LIMITS, known("vera")),
        Client(HERE, "", NOON, LIMITS, known("vera")),
    )
    for _ in range(6):
        with pytest.raises(service.WrongLogin):
            service.prove("vera", "wrong wrong", mine)
    with pytest.raises(Throttled):
        service.prove("vera", PASSWORD, mine)
    service.prove("vera", PASSWORD, another)
    service.prove("vera", PASSWORD, Client(HERE, "", NOON, LIMITS))


def test_a_known_browser_that_comes_in_ends_its_own_count(app: Flask, cast: None) -> None:
    mine = Client(HERE, "", NOON, LIMITS, known("vera"))
    for _ in range(2):
        for _ in range(5):
            with pytest.raises(service.WrongLogin):
                service.prove("vera", "wrong wrong", mine)
        service.log_in("vera", PASSWORD, mine)


def test_a_browser_is_known_to_those_who_logged_in_with_it_only(app: Flask, cast: None) -> None:
    device = known("oscar")
    fail("vera", times=30, address=ELSEWHERE)
    with pytest.raises(Throttled):
        service.prove("vera", PASSWORD, Client(HERE, "", NOON, LIMITS, device))


def test_a_changed_password_makes_browsers_unknown(app: Flask, cast: None) -> None:
    """Whoever knew the former one could have made any number of them, each with free guesses."""
    device = known("vera")
    service.set_password("vera", "another good one", Author("ada", NOON))
    fail("vera", times=30, address=ELSEWHERE)
    with pytest.raises(Throttled):
        service.prove("vera", "another good one", Client(HERE, "", NOON, LIMITS, device))


def test_a_browser_knows_the_last_ten_who_logged_in(app: Flask) -> None:
    device = new_device()
    people = [User(id=number, password_hash="hash") for number in range(MOST_USERS + 1)]
    for user in (*people, people[1]):
        device = device.with_user(user)
    assert [device.knows(user) for user in people] == [False] + [True] * MOST_USERS


def test_the_cookie_of_a_login_lets_its_browser_in_again(app: Flask, cast: None, stranger: Person) -> None:
    stranger.post("/login", username="vera", password=PASSWORD)
    stranger.client.delete_cookie(SESSION_COOKIE)
    fail("vera", times=30, address=ELSEWHERE, now=utcnow())
    assert Person(app, None).post("/login", username="vera", password=PASSWORD).status_code == 429
    assert stranger.post("/login", username="vera", password=PASSWORD).status_code == 302


def test_a_login_sets_it_behind_the_cookie_of_the_session_and_pages_leave_both_as_they_are(
    app: Flask, cast: None, stranger: Person
) -> None:
    answer = stranger.post("/login", username="vera", password=PASSWORD)
    names = [cookie.partition("=")[0] for cookie in answer.headers.getlist("Set-Cookie")]
    assert names == [SESSION_COOKIE, DEVICE_COOKIE]
    assert "Set-Cookie" not in stranger.get("/jobs/").headers


def test_ones_own_new_password_keeps_this_browser_known(app: Flask, vera: Person) -> None:
    vera.post(
        "/account",
        action="password",
        current=PASSWORD,
        password="another good one",
        once_more="another good one",
    )
    vera.client.delete_cookie(SESSION_COOKIE)
    vera.token = None
    fail("vera", times=30, address=ELSEWHERE, now=utcnow())
    assert vera.post("/login", username="vera", password="another good one").status_code == 302


@pytest.mark.parametrize("action", ["sets up", "switches off"])
def test_a_second_factor_that_one_changes_keeps_this_browser_known(
    app: Flask, vera: Person, action: str
) -> None:
    page = "/account/second-factor"
    if action == "sets up":
        sealed, phone = proposed_on(send(vera, page, action="begin", confirm=PASSWORD).text)
        send(vera, page, action="set_up", sealed=sealed, code=phone.code())
    else:
        send(vera, page, action="off", code=set_up("vera")[0].code())
    vera.client.delete_cookie(SESSION_COOKIE)
    vera.token = None
    fail("vera", times=30, address=ELSEWHERE, now=utcnow())
    assert vera.post("/login", username="vera", password=PASSWORD).status_code == 302


def signed_anew(
    cookie: str, key: str, digest: Callable[..., Any], signer: type[TimestampSigner] = TimestampSigner
) -> str:
    signing = URLSafeTimedSerializer(
        key, "jobauto-device", signer=signer, signer_kwargs={"digest_method": digest}
    )
    return str(signing.dumps(signing.loads_unsafe(cookie)[1]))


def with_another_key(cookie: str) -> str:
    return signed_anew(cookie, "another key", hashlib.sha256)


def with_sha_1(cookie: str) -> str:
    return signed_anew(cookie, current_app.config["SECRET_KEY"], hashlib.sha1)


class Long(TimestampSigner):
    """Signs as 180 days ago."""

    def get_timestamp(self) -> int:
        """A minute before those days began."""
        return super().get_timestamp() - int(timedelta(days=180, minutes=1).total_seconds())


def long_ago(cookie: str) -> str:
    return signed_anew(cookie, current_app.config["SECRET_KEY"], hashlib.sha256, Long)


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(lambda _: "nonsense", id="nonsense"),
        pytest.param(lambda good: good[:-2] + ("AA" if good[-2:] != "AA" else "BB"), id="tampered with"),
        pytest.param(with_another_key, id="signed with another key"),
        pytest.param(with_sha_1, id="signed with SHA-1, as before"),
        pytest.param(long_ago, id="of half a year ago"),
        pytest.param(lambda _: "", id="empty"),
    ],
)
def test_a_cookie_that_is_not_ours_makes_no_known_browser(
    app: Flask, cast: None, stranger: Person, forged: Callable[[str], str]
) -> None:
    stranger.post("/login", username="vera", password=PASSWORD)
    stranger.client.delete_cookie(SESSION_COOKIE)
    cookie = stranger.client.get_cookie(DEVICE_COOKIE)
    assert cookie
    fail("vera", times=30, address=ELSEWHERE, now=utcnow())
    stranger.client.set_cookie(DEVICE_COOKIE, forged(cookie.value))
    assert stranger.post("/login", username="vera", password=PASSWORD).status_code == 429


def test_the_cookie_is_out_of_reach_of_scripts_and_opens_nothing(
    app: Flask, cast: None, stranger: Person
) -> None:
    stranger.post("/login", username="vera", password=PASSWORD)
    cookie = stranger.client.get_cookie(DEVICE_COOKIE)
    assert cookie
    assert (cookie.http_only, cookie.same_site, cookie.max_age) == (
        True,
        "Lax",
        timedelta(days=180).total_seconds(),
    )
    stranger.client.delete_cookie(SESSION_COOKIE)
    assert stranger.get("/jobs/").status_code == 302


def known(name: str) -> Device:
    return new_device().with_user(service.by_name(name))
