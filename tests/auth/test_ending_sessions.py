"""A session is a row: it ends on the server, by itself or by somebody, and its cookie with it."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import Engine, Executable, create_engine, delete, func, select, text, update

from jobauto.audit.service import Author
from jobauto.auth import service, sessions
from jobauto.auth.browsers import describe_browser
from jobauto.auth.sessions import Client
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import ApiToken, User, UserSession
from jobauto.storage.connections import write
from jobauto.users.service import end_sessions
from tests.auth.test_throttling import LIMITS
from tests.databases import POSTGRESQL
from tests.fleets import NOON
from tests.pages.reading import error_beside, words
from tests.people import PASSWORD, Browser, Person
from tests.processes import PATIENCE, await_until
from tests.racing import is_anybody_waiting, just_before

ME = Client("", "", NOON, LIMITS)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def test_a_stolen_cookie_is_worthless_after_the_logout(app: Flask, vera: Person) -> None:
    thief, elsewhere = copy_of(app, vera), Person(app, "vera")
    assert is_in(thief)
    vera.post("/logout")
    assert not is_in(thief)
    assert not is_in(vera)
    assert is_in(elsewhere)


@pytest.mark.parametrize("name", ["vera", "oscar"])
def test_a_login_begins_a_session_with_another_key_and_ends_the_one_before(
    app: Flask, stranger: Person, cast: None, name: str
) -> None:
    stranger.post("/login", username="vera", password=PASSWORD)
    before, csrf_before = copy_of(app, stranger), csrf_token(stranger)
    answer = stranger.client.post(
        "/login", data={"username": name, "password": PASSWORD, "csrf_token": csrf_before}
    )
    assert answer.status_code == 302
    assert is_in(stranger)
    assert not is_in(before)
    assert csrf_token(stranger) != csrf_before
    assert stranger.client.post("/logout", data={"csrf_token": csrf_before}).status_code == 400


@pytest.mark.parametrize(
    ("begun", "used", "goes_on"),
    [
        pytest.param(MINUTE, MINUTE, True, id="a new one"),
        pytest.param(3 * HOUR, 119 * MINUTE, True, id="used not quite two hours ago"),
        pytest.param(3 * HOUR, 2 * HOUR, False, id="not used for two hours"),
        pytest.param(719 * MINUTE, MINUTE, True, id="not quite twelve hours old"),
        pytest.param(12 * HOUR, MINUTE, False, id="twelve hours old, however much used"),
    ],
)
def test_a_session_ends_by_itself(
    app: Flask, cast: None, begun: timedelta, used: timedelta, goes_on: bool
) -> None:
    key = begin("vera", NOON - begun)
    with write() as session:
        session.execute(update(UserSession).values(last_seen_at=NOON - used))
    assert (sessions.by_key(key, LIMITS, NOON) is not None) == goes_on


@pytest.mark.parametrize(
    ("limit", "since"), [("SESSION_MINUTES", "created_at"), ("SESSION_IDLE_MINUTES", "last_seen_at")]
)
def test_the_limits_are_those_configured_and_hold_for_pages(
    app: Flask, vera: Person, limit: str, since: str
) -> None:
    for minutes, goes_on in ((12, True), (10, False)):
        with write() as session:
            session.execute(update(UserSession).values({since: utcnow() - 11 * MINUTE}))
        app.config[limit] = minutes
        assert is_in(vera) == goes_on


def test_the_use_is_written_down_rarely(app: Flask, cast: None) -> None:
    key = begin("vera", NOON)
    for minutes, noted in ((1, NOON), (4, NOON), (5, NOON + 5 * MINUTE), (9, NOON + 5 * MINUTE)):
        now = NOON + minutes * MINUTE
        found = sessions.by_key(key, LIMITS, now)
        assert found
        sessions.note_use(found, LIMITS, now)
        assert db.session.scalars(select(UserSession.last_seen_at)).one() == noted


def test_a_page_does_not_wait_for_the_use_to_be_written_down(app: Flask, cast: None) -> None:
    """While somebody else writes, as an import does, SQLite would let it wait for half a minute."""
    if db.engine.dialect.name != "sqlite":
        return  # PostgreSQL locks rows only
    key = begin("vera", NOON)
    other: Engine = create_engine(app.config["SQLALCHEMY_DATABASE_URI"])
    with other.connect() as writer:
        writer.exec_driver_sql("BEGIN IMMEDIATE")
        found = sessions.by_key(key, LIMITS, NOON + HOUR)
        assert found
        noted = threading.Thread(target=in_context, args=(app, key))
        noted.start()
        noted.join(10)
        assert not noted.is_alive()
    other.dispose()
    assert db.session.scalars(select(UserSession.last_seen_at)).one() == NOON


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"password_hash": "scrypt:32768:8:1$another$one"}, id="the password was changed"),
        pytest.param({"active": False}, id="the account was deactivated"),
    ],
)
@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda me: service.log_in("vera", PASSWORD, me), id="logging in"),
        pytest.param(
            lambda me: service.change_own_password("vera", PASSWORD, "another good one", me, session_id=1),
            id="changing the password",
        ),
        pytest.param(lambda me: service.end_own_sessions("vera", [1], PASSWORD, me), id="ending sessions"),
    ],
)
def test_what_a_password_was_given_for_is_not_done_where_it_is_none_any_more(
    app: Flask,
    cast: None,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[Client], object],
    change: dict[str, object],
) -> None:
    """It was right when it was looked at, and an admin came between."""
    service.log_in("vera", PASSWORD, ME)
    of_vera = User.username == "vera"
    meanwhile(monkeypatch, update(User).where(of_vera).values(**change))
    with pytest.raises(service.WrongLogin):
        act(ME)
    db.session.rollback()
    assert sessions_of("vera") == 1
    stored = db.session.scalars(select(User).where(of_vera)).one()
    assert {name: getattr(stored, name) for name in change} == change


@pytest.mark.parametrize(
    ("address", "form"),
    [
        pytest.param("/users/vera", {"action": "role", "role": "admin"}, id="a role"),
        pytest.param("/account", {"action": "token", "name": "x", "scope": "full", "days": 9}, id="a token"),
    ],
)
def test_nor_where_the_session_was_ended_meanwhile(
    ada: Person, vera: Person, monkeypatch: pytest.MonkeyPatch, address: str, form: dict[str, object]
) -> None:
    make_old()
    meanwhile(monkeypatch, delete(UserSession))
    answer = ada.post(address, confirm=PASSWORD, **form)
    assert (answer.status_code, answer.location) == (302, "/login")
    assert service.by_name("vera").role == "viewer"
    assert db.session.scalars(select(ApiToken).where(ApiToken.name == "x")).all() == []


def test_nor_where_the_role_was_taken_meanwhile(
    ada: Person, vera: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_old()
    meanwhile(monkeypatch, update(User).where(User.username == "ada").values(role="operator"))
    assert ada.post("/users/vera", action="role", role="admin", confirm=PASSWORD).status_code == 403
    assert service.by_name("vera").role == "viewer"


def make_old() -> None:
    """Let no login be recent."""
    with write() as session:
        session.execute(update(UserSession).values(proven_at=NOON - HOUR))


def meanwhile(monkeypatch: pytest.MonkeyPatch, done: Executable) -> None:
    """Let an admin come between the look at a password and what it was given for."""
    prove = service.prove

    def slowly(username: str, password: str, client: Client) -> service.Proof:
        proof = prove(username, password, client)
        db.session.rollback()
        with db.engine.begin() as admin:
            admin.execute(done)
        return proof

    monkeypatch.setattr(service, "prove", slowly)


def test_deactivation_ends_all_and_they_do_not_come_back(app: Flask, ada: Person, vera: Person) -> None:
    ada.post("/users/vera", action="deactivate")
    ada.post("/users/vera", action="activate")
    assert not is_in(vera)
    assert sessions_of("vera") == 0


def test_an_admin_sees_and_ends_the_sessions_of_somebody(app: Flask, ada: Person, vera: Person) -> None:
    elsewhere = Person(app, "vera")
    assert words(ada.get("/users/vera")).count("127.0.0.1") == 2
    ada.post("/users/vera", action="sessions")
    text = words(ada.get("/users/vera"))
    assert "No sessions" in text
    assert "Sessions ended" in text
    assert not is_in(vera)
    assert not is_in(elsewhere)
    assert is_in(ada)
    assert vera.api("GET", "/api/jobs/").status_code == 200, "tokens stay"


@pytest.mark.parametrize("engine", [POSTGRESQL], indirect=True)
def test_an_admin_ends_also_the_session_that_a_new_password_is_about_to_begin(app: Flask, cast: None) -> None:
    """On SQLite there is one writer."""
    service.log_in("vera", PASSWORD, ME)
    mine = db.session.scalars(select(UserSession.id)).one()
    ending: list[Future[int]] = []

    def end() -> int:
        with app.app_context():
            ended = end_sessions("vera", author=Author("ada", NOON))
            db.session.remove()
            return ended

    def begin_to_end() -> None:
        ending.append(pool.submit(end))
        with db.engine.connect() as watching:
            await_until(lambda: is_anybody_waiting(watching), "the admin waits")

    with ThreadPoolExecutor(1) as pool, just_before("INSERT INTO user_session", begin_to_end):
        service.change_own_password("vera", PASSWORD, "another good one", ME, session_id=mine)
        assert ending[0].result(PATIENCE) == 1
    assert sessions_of("vera") == 0


def test_one_sees_ones_sessions_and_ends_the_ticked_ones_with_the_password(app: Flask, vera: Person) -> None:
    begin("oscar", utcnow())
    elsewhere, third = Person(app, "vera"), Person(app, "vera")
    page = vera.get("/account")
    ticked = re.findall(r'name="session_id" value="(\d+)"', page.text)
    assert words(page).count("(this one)") == 1
    assert len(ticked) == 2

    refused = vera.post("/account", action="sessions", session_id=ticked, confirm="wrong")
    assert refused.status_code == 422
    assert error_beside(refused, "confirm") == "This is not your current password."
    assert is_in(elsewhere)

    vera.post("/account", action="sessions", session_id=ticked[0], confirm=PASSWORD)
    assert "Ended 1 session." in words(vera.get("/account"))
    assert [is_in(elsewhere), is_in(third)].count(True) == 1
    assert is_in(vera)


def test_somebody_elses_session_cannot_be_ended(app: Flask, oscar: Person, vera: Person) -> None:
    theirs = db.session.scalars(
        select(UserSession.id).join(User, User.id == UserSession.user_id).where(User.username == "oscar")
    ).all()
    vera.post("/account", action="sessions", session_id=[*theirs, "x", "9" * 30], confirm=PASSWORD)
    assert "No session was ended: tick some." in words(vera.get("/account"))
    assert is_in(oscar)


def test_rows_of_sessions_that_are_over_go_with_the_next_login(app: Flask, cast: None) -> None:
    begin("oscar", NOON - 13 * HOUR)
    begin("vera", NOON - 3 * HOUR)
    begin("vera", NOON)
    assert (sessions_of("oscar"), sessions_of("vera")) == (0, 1)


def test_a_user_has_a_thousand_sessions_at_most(
    app: Flask, cast: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST_OF_A_USER", 3)
    keys = [begin("vera", NOON + number * MINUTE) for number in range(5)]
    begin("oscar", NOON)
    now = NOON + 5 * MINUTE
    assert [sessions.by_key(key, LIMITS, now) is not None for key in keys] == [False] * 2 + [True] * 3


def test_the_key_is_not_in_the_database(app: Flask, cast: None) -> None:
    key = begin("vera", NOON)
    assert len(key) >= 43  # 256 bits
    row = db.session.execute(text("SELECT * FROM user_session")).one()
    assert key not in str(row)


WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; rv:146.0) Gecko/20100101 Firefox/146.0", "Firefox on Windows"),
        (f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/143.0 Safari/537.36", "Chrome on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/143.0 Safari/537.36 Edg/143.0", "Edge on Windows"),
        (f"Mozilla/5.0 (iPhone; like Mac OS X) {WEBKIT} Version/19.1 Safari/604.1", "Safari on iPhone"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("Mozilla/5.0 (something else)", "Mozilla/5.0 (something else)"),
        ("x" * 200, "x" * 60),
        ("", "Unknown"),
    ],
)
def test_browsers_are_named_as_people_know_them(agent: str, shown: str) -> None:
    assert describe_browser(agent) == shown


def test_what_a_browser_calls_itself_is_cut_and_shown_as_text(stranger: Person, cast: None) -> None:
    token = csrf_token(stranger, "/login")
    stranger.client.post(
        "/login",
        data={"username": "vera", "password": PASSWORD, "csrf_token": token},
        headers={"User-Agent": "<script>alert(1)</script>\x01" + "x" * 500},
    )
    assert "<script>alert" not in stranger.get("/account").text
    assert len(db.session.scalars(select(UserSession.agent)).one()) == 200


def begin(name: str, now: datetime) -> str:
    with write() as session:
        return sessions.begin(session, service.by_name(name), Client("192.0.2.1", "tests", now, LIMITS))


def in_context(app: Flask, key: str) -> None:
    with app.app_context():
        found = sessions.by_key(key, LIMITS, NOON + HOUR)
        assert found
        sessions.note_use(found, LIMITS, NOON + HOUR)
        db.session.remove()


def copy_of(app: Flask, person: Person) -> Person:
    """Somebody with the same cookie."""
    thief = Person(app, None)
    cookie = person.client.get_cookie("jobauto_session")
    assert cookie
    thief.client = Browser(app, app.response_class)
    thief.client.set_cookie("jobauto_session", cookie.value)
    return thief


def csrf_token(person: Person, page: str = "/account") -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', person.get(page).text)
    assert found
    return found[1]


def is_in(person: Person) -> bool:
    return person.get("/jobs/").status_code == 200


def sessions_of(name: str) -> int:
    mine = select(func.count()).select_from(UserSession).join(User, User.id == UserSession.user_id)
    return db.session.scalar(mine.where(User.username == name)) or 0
