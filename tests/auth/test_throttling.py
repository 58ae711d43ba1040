"""Wrong passwords are slowed down, by account and by address, and never the right ones of other people."""

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import create_engine, func, select

from jobauto.audit.service import Author
from jobauto.auth import passwords, service
from jobauto.auth import throttling as throttling
from jobauto.auth.sessions import Client, Limits
from jobauto.auth.throttling import Subject, Throttled
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import LoginFailure, UserSession
from jobauto.storage import connections as database
from jobauto.storage.connections import write
from tests.fleets import NOON
from tests.people import PASSWORD, Person
from tests.racing import just_before

LIMITS = Limits(idle=timedelta(hours=2), absolute=timedelta(hours=12))
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        pytest.param(0, 0, id="none"),
        pytest.param(5, 0, id="the last free one"),
        pytest.param(6, 2, id="one too many"),
        pytest.param(7, 4, id="two too many"),
        pytest.param(14, 512, id="nine too many"),
        pytest.param(15, 900, id="never more than 15 minutes"),
        pytest.param(10**9, 900, id="however many"),
    ],
)
def test_the_wait_doubles_and_has_an_end(failures: int, seconds: int) -> None:
    assert throttling.wait_after(failures) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        pytest.param("192.0.2.1", "192.0.2.1", id="IPv4"),
        pytest.param("::ffff:192.0.2.1", "192.0.2.1", id="IPv4 inside IPv6"),
        pytest.param("2001:db8::1", "2001:db8::/64", id="IPv6"),
        pytest.param("2001:db8::ffff:1", "2001:db8::/64", id="its neighbour"),
        pytest.param("::1", "::/64", id="this machine"),
        pytest.param("", None, id="a socket"),
        pytest.param("nonsense", None, id="nonsense"),
    ],
)
def test_an_address_is_counted_as_far_as_one_person_can_change_it(
    address: str, counted_as: str | None
) -> None:
    assert throttling.network_of(address) == counted_as


@pytest.mark.parametrize("name", ["vera", "VERA", "nobody", "x" * 10_000, "", "ve\0ra", "\ud800"])
def test_names_that_nobody_has_are_slowed_alike(app: Flask, cast: None, name: str) -> None:
    fail(name, times=6)
    with pytest.raises(Throttled) as slowed:
        service.prove(name, PASSWORD, client(now=NOON + SECOND))
    assert slowed.value.seconds == 1
    assert str(slowed.value) == "Too many wrong passwords. Try again in 1 second."


def test_five_failures_are_free_and_after_the_wait_the_right_password_is_taken(
    app: Flask, cast: None
) -> None:
    fail("vera", times=5)
    throttling.check_throttle(Subject.of("vera", HERE), NOON)
    fail("vera", times=5)
    with pytest.raises(Throttled):
        service.log_in("vera", PASSWORD, client(now=NOON + 31 * SECOND))
    assert service.log_in("vera", PASSWORD, client(now=NOON + 33 * SECOND)).user.username == "vera"


def test_a_login_ends_the_count_of_the_account_but_not_of_the_address(app: Flask, cast: None) -> None:
    fail("vera", times=5)
    service.log_in("vera", PASSWORD, client())
    assert failures_of(Subject.of("vera", HERE)) == (0, 5)


def test_somebody_elses_failures_do_not_hold_up_who_is_not_their_target(app: Flask, cast: None) -> None:
    fail("vera", times=20, address=ELSEWHERE)
    assert service.log_in("oscar", PASSWORD, client()).user.username == "oscar"


def test_nobody_can_make_somebody_wait_longer_than_a_quarter_of_an_hour(app: Flask, cast: None) -> None:
    fail("vera", times=60, address=ELSEWHERE)
    with pytest.raises(Throttled):
        throttling.check_throttle(Subject.of("vera", HERE), NOON + 14 * MINUTE)
    throttling.check_throttle(Subject.of("vera", HERE), NOON + 15 * MINUTE)


def test_attempts_during_a_wait_do_not_prolong_it(app: Flask, cast: None) -> None:
    fail("vera", times=6)
    for _ in range(10):
        with pytest.raises(Throttled):
            service.prove("vera", "wrong", client(now=NOON + SECOND))
    assert failures_of(Subject.of("vera", HERE))[0] == 6


def test_an_address_may_fail_fifty_times_in_a_quarter_of_an_hour(app: Flask, cast: None) -> None:
    for number in range(50):
        throttling.check_throttle(Subject.of("oscar", HERE), NOON)
        fail(f"name-{number}", times=1)
    with pytest.raises(Throttled) as slowed:
        service.prove("oscar", PASSWORD, client(now=NOON + 5 * MINUTE))
    assert str(slowed.value) == "Too many wrong passwords. Try again in 10 minutes."
    throttling.check_throttle(Subject.of("oscar", ELSEWHERE), NOON)
    throttling.check_throttle(Subject.of("oscar", HERE), NOON + 15 * MINUTE)


def test_what_is_refused_counts_for_the_address_and_prolongs_no_wait(app: Flask, cast: None) -> None:
    fail("vera", times=6)
    for _ in range(60):
        with pytest.raises(Throttled):
            service.prove("vera", "wrong", client(now=NOON + SECOND))
    assert failures_of(Subject.of("vera", HERE)) == (6, 50)
    with pytest.raises(Throttled):
        service.prove("oscar", PASSWORD, client(now=NOON + SECOND))


def test_one_address_that_guesses_as_often_as_it_may_keeps_nobody_out_elsewhere_for_long(
    app: Flask, cast: None
) -> None:
    """For eight hours; the browser that comes from elsewhere has never logged in before."""
    at, kept_out = NOON, timedelta(0)
    while at < NOON + 8 * HOUR:
        subject = Subject.of("vera", ELSEWHERE)
        throttling.count_failure(subject, at)
        waits = wait_of(Subject.of("vera", HERE), at)
        next_try = at + max(wait_of(subject, at), SECOND)
        kept_out += min(at + waits, next_try) - at
        at = next_try
    assert kept_out < 2 * HOUR


def test_a_count_is_forgotten_and_its_row_goes(app: Flask, cast: None) -> None:
    fail("vera", times=20)
    fail("oscar", times=1, address=ELSEWHERE, now=NOON + 25 * HOUR)
    assert db.session.scalar(select(func.count()).select_from(LoginFailure)) == 3
    fail("vera", times=1, now=NOON + 25 * HOUR)
    assert failures_of(Subject.of("vera", HERE)) == (1, 1)


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(14 * MINUTE, id="while it counts"),
        pytest.param(16 * MINUTE, id="when the address's count is over"),
        pytest.param(61 * MINUTE, id="when the account's is, too"),
    ],
)
def test_the_same_account_and_address_may_fail_again_much_later(
    app: Flask, cast: None, later: timedelta
) -> None:
    fail("vera", times=1)
    fail("vera", times=1, now=NOON + later)
    throttling.check_throttle(Subject.of("vera", HERE), NOON + later)
    assert service.log_in("vera", PASSWORD, client(now=NOON + later)).user.username == "vera"


def test_what_was_typed_is_not_kept(app: Flask, cast: None) -> None:
    fail("my-password-in-the-wrong-field", times=1)
    kept = db.session.scalars(select(LoginFailure.subject)).all()
    assert all(len(subject) == 64 and subject.isalnum() for subject in kept)


def test_a_password_set_by_an_admin_ends_the_wait(app: Flask, cast: None) -> None:
    fail("vera", times=20)
    service.set_password("vera", "another good one", Author("ada", NOON))
    assert service.log_in("vera", "another good one", client()).user.username == "vera"


def test_a_right_guess_among_many_at_once_counts_only_if_it_comes_in_time(app: Flask, cast: None) -> None:
    """The password was looked at before the others failed, but the session begins after."""
    proof = service.prove("vera", PASSWORD, client())
    fail("vera", times=6)
    with pytest.raises(Throttled), write() as session:
        throttling.succeed(session, proof.subject, NOON)
    assert proof.user_id == service.by_name("vera").id
    assert failures_of(Subject.of("vera", HERE))[0] == 6
    assert db.session.scalars(select(UserSession)).all() == []


def test_failures_at_the_same_moment_are_all_counted(app: Flask, cast: None) -> None:
    start = threading.Barrier(4)

    def guess() -> None:
        with app.app_context():
            start.wait(10)
            fail("vera", times=5)
            db.session.remove()

    threads = [threading.Thread(target=guess) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    db.session.rollback()
    assert failures_of(Subject.of("vera", HERE)) == (20, 20)


def test_the_page_says_429_with_the_time_and_does_not_look_at_the_password(
    app: Flask, cast: None, stranger: Person
) -> None:
    fail("vera", times=30, address=ELSEWHERE, now=utcnow())
    for name, password in (("vera", PASSWORD), ("vera", "wrong")):
        page = stranger.post("/login", username=name, password=password)
        assert page.status_code == 429
        assert 890 <= int(page.headers["Retry-After"]) <= 900
        assert "Too many wrong passwords. Try again in 15 minutes." in page.text
        assert f'value="{password}"' not in page.text
    assert stranger.get("/jobs/").status_code == 302


def test_the_current_password_on_the_account_page_is_guessed_no_faster(app: Flask, vera: Person) -> None:
    new = {"password": "another good one", "once_more": "another good one"}
    fail("vera", times=5, address="127.0.0.1", now=utcnow())
    wrong = vera.post("/account", action="password", current="wrong", **new)
    assert failures_of(Subject.of("vera", "127.0.0.1")) == (6, 6)
    fail("vera", times=8, address="127.0.0.1", now=utcnow())
    slowed = vera.post("/account", action="password", current=PASSWORD, **new)
    assert (wrong.status_code, slowed.status_code) == (422, 429)
    assert 400 <= int(slowed.headers["Retry-After"]) <= 512
    assert "Too many wrong passwords." in slowed.text


def test_many_right_logins_are_never_slowed(app: Flask, cast: None) -> None:
    fail("nobody", times=49)
    for _ in range(3):
        assert service.log_in("vera", PASSWORD, client()).user.username == "vera"
    assert failures_of(Subject.of("vera", HERE)) == (0, 49)


def test_a_wrong_password_that_cannot_be_counted_is_refused(
    app: Flask, cast: None, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So nobody guesses for free while an import holds the one write lock that SQLite has."""
    if db.engine.dialect.name != "sqlite":
        return  # PostgreSQL locks rows only
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 200)
    db.session.remove()
    db.engine.dispose()
    other = create_engine(app.config["SQLALCHEMY_DATABASE_URI"])
    with other.connect() as writer:
        writer.exec_driver_sql("BEGIN IMMEDIATE")
        wrong = stranger.post("/login", username="vera", password="wrong")
        right = stranger.post("/login", username="vera", password=PASSWORD)
    other.dispose()
    assert (wrong.status_code, right.status_code) == (503, 503)
    assert "User name or password" not in wrong.text
    assert stranger.get("/jobs/").status_code == 302


@pytest.mark.any_engine
def test_a_wrong_password_keeps_its_place_in_line_until_it_is_counted(app: Flask, cast: None) -> None:
    """Else any number of strangers would wait for SQLite's write lock, each with a thread that pages need."""
    told: list[BaseException | None] = []

    def wait() -> None:
        with passwords.in_line():
            pass

    def come() -> None:
        waiting = [strangers.submit(wait) for _ in range(passwords.IN_LINE + 1)]
        told.append(next(as_completed(waiting)).exception())

    with (
        ThreadPoolExecutor(passwords.IN_LINE + 1) as strangers,
        just_before("INSERT INTO login_failure", come),
        pytest.raises(service.WrongLogin),
    ):
        service.log_in("vera", "wrong", client())
    assert isinstance(told[0], passwords.Busy)


def client(address: str = HERE, now: datetime = NOON) -> Client:
    return Client(address, "tests", now, LIMITS)


def fail(name: str, times: int, address: str = HERE, now: datetime = NOON) -> None:
    for _ in range(times):
        throttling.count_failure(Subject.of(name, address), now)


def wait_of(subject: Subject, now: datetime) -> timedelta:
    try:
        throttling.check_throttle(subject, now)
    except Throttled as throttled:
        return throttled.seconds * SECOND
    return timedelta(0)


def failures_of(subject: Subject) -> tuple[int, int]:
    counts = dict(db.session.execute(select(LoginFailure.subject, LoginFailure.failures)).all())
    return counts.get(subject.account, 0), counts.get(subject.address or "", 0)
