"""The same form with the same contents, sent again by the same person within ten seconds, is taken once."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import ApiToken, Event, Import, Run, SentForm
from jobauto.storage import sent_forms
from jobauto.storage.connections import write
from jobauto.storage.sent_forms import PLACE, Sending
from tests.databases import POSTGRESQL
from tests.fleets import NOON
from tests.pages.reading import form_of, words
from tests.people import PASSWORD, Answer, Person
from tests.processes import await_until
from tests.racing import is_anybody_waiting


def count(model: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def notes() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(Event.field == "note")) or 0


def test_a_second_click_on_save_writes_one_note_and_leads_to_the_same_page(
    oscar: Person, run_id: int
) -> None:
    form = form_of(oscar.get("/jobs/1")) | {"note": "Rang them."}
    answers = [oscar.client.post("/jobs/1", data=form) for _ in range(2)]
    assert {(answer.status_code, answer.location) for answer in answers} == {(302, "/jobs/1")}
    assert notes() == 1
    assert words(oscar.get("/jobs/1")).count("Saved.") == 1


def test_the_second_is_told_what_the_first_said_where_the_browser_never_showed_it(
    oscar: Person, run_id: int
) -> None:
    form = form_of(oscar.get("/jobs/1")) | {"resolution": "fixed"}
    oscar.client.post("/jobs/1", data=form)
    with oscar.client.session_transaction() as session:
        session.pop("_flashes")
    oscar.client.post("/jobs/1", data=form)
    assert "Job 1 closed as fixed." in words(oscar.get("/jobs/1"))


def test_a_token_of_a_page_that_was_loaded_again_does_not_make_it_another_form(
    oscar: Person, run_id: int
) -> None:
    for _ in range(2):
        form = form_of(oscar.get("/jobs/1"))
        oscar.client.post("/jobs/1", data={**form, "note": "Rang them.", "csrf_token": form["csrf_token"]})
    assert notes() == 1


@pytest.mark.parametrize(
    "other",
    [{"note": "Rang them again."}, {"note": "Rang them.", "priority": "high"}],
    ids=["another note", "another priority"],
)
def test_other_contents_are_another_form(oscar: Person, run_id: int, other: dict[str, str]) -> None:
    form = form_of(oscar.get("/jobs/1"))
    oscar.client.post("/jobs/1", data=form | {"note": "Rang them."})
    oscar.client.post("/jobs/1", data=form | other)
    assert notes() == 2


def test_the_same_from_somebody_else_or_for_another_job_is_another_form(
    ada: Person, oscar: Person, run_id: int
) -> None:
    for person, job in ((oscar, "/jobs/1"), (ada, "/jobs/1"), (oscar, "/jobs/2")):
        person.client.post(job, data=form_of(person.get("/jobs/1")) | {"note": "Rang them."})
    assert notes() == 3


def test_after_ten_seconds_it_is_another_press(oscar: Person, run_id: int) -> None:
    form = form_of(oscar.get("/jobs/1")) | {"note": "Rang them."}
    oscar.client.post("/jobs/1", data=form)
    with write() as session:
        session.scalars(select(SentForm)).one().sent_at -= timedelta(seconds=10)
    oscar.client.post("/jobs/1", data=form)
    assert notes() == 2


def test_what_was_refused_may_be_sent_again(oscar: Person, run_id: int) -> None:
    form = form_of(oscar.get("/jobs/1")) | {"note": "  "}
    assert [oscar.client.post("/jobs/1", data=form).status_code for _ in range(2)] == [422, 422]
    assert count(SentForm) == 0


def test_after_another_form_to_the_same_address_it_is_another_step(oscar: Person, run_id: int) -> None:
    for status in ("closed", "open", "closed"):
        oscar.post("/jobs/1", **form_of(oscar.get("/jobs/1")) | {"status": status})
    assert oscar.api("GET", "/api/jobs/1/").json["status"] == "closed"


def test_two_presses_of_run_now_are_one_run(oscar: Person, run_id: int) -> None:
    first, second = (oscar.post("/run-now") for _ in range(2))
    assert first.location == second.location == f"/runs/{run_id + 1}"
    assert count(Run) == 2


def test_a_file_is_imported_once_and_another_of_the_same_name_too(oscar: Person) -> None:
    def send(content: bytes) -> str | None:
        file = (io.BytesIO(content), "sites.csv")
        return oscar.post("/import/", kind="sites", file=file, dry_run="y").location

    locations = [send(b"site_id,site_name\nS1,A\n") for _ in range(2)]
    assert locations == ["/import/1", "/import/1"]
    assert send(b"site_id,site_name\nS1,B\n") == "/import/2"
    for thread in threading.enumerate():
        if thread.name == "imports":
            thread.join(30)
    assert count(Import) == 2


def test_a_token_is_made_once_and_the_second_press_says_where_to_look(vera: Person) -> None:
    before = count(ApiToken)
    vera.post("/account", action="token", name="logger", confirm=PASSWORD)
    answer = vera.post("/account", action="token", name="logger", confirm=PASSWORD)
    assert answer.location == "/account"
    assert "Your first press has done this already." in words(vera.get("/account"))
    assert count(ApiToken) == before + 1


def test_a_login_is_no_form_of_a_person_yet(stranger: Person, cast: None) -> None:
    wrong = {"username": "ada", "password": "wrong"}
    assert [stranger.post("/login", **wrong).status_code for _ in range(2)] == [401, 401]
    assert count(SentForm) == 0


def test_a_password_stands_in_no_row_not_even_as_a_hash_that_could_be_guessed(vera: Person) -> None:
    secret = "another correct horse"
    vera.post(
        "/account", action="password", current="correct horse battery", password=secret, once_more=secret
    )
    db.session.rollback()
    row = db.session.scalars(select(SentForm)).one()
    assert secret not in f"{row.digest}{row.location}{row.messages}"


def test_of_two_that_arrive_at_the_same_time_the_database_lets_one_be_the_first(app: Flask) -> None:
    start, won = threading.Barrier(4), []

    def send() -> None:
        with app.app_context():
            start.wait(10)
            won.append(sent_forms.claim(Sending("d" * 64, NOON)))
            db.session.remove()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(won) == [False, False, False, True]


@pytest.mark.parametrize("engine", [POSTGRESQL], indirect=True)
def test_two_forms_that_are_sent_to_an_address_at_once_do_not_wait_for_each_other(app: Flask) -> None:
    one, other = ("p" * PLACE + each * 40 for each in "ab")
    for digest in (one, other):
        sent_forms.claim(Sending(digest, NOON))
        sent_forms.settle(Sending(digest, NOON), "/jobs/1", [], (1, "/jobs/1"))

    def claim() -> bool:
        with app.app_context():
            return sent_forms.claim(Sending(one, NOON + timedelta(seconds=30)))

    claimed = update(SentForm).where(SentForm.digest == other).values(sent_at=NOON, location=None)
    with ThreadPoolExecutor(1) as pool, db.engine.connect() as claiming, db.engine.connect() as watching:
        claiming.execute(claimed)
        begun = pool.submit(claim)
        await_until(lambda: begun.done() or is_anybody_waiting(watching), "it is claimed, or waits")
        assert begun.done()
        assert begun.result()


def test_whoever_comes_while_the_first_is_worked_on_waits_and_leads_where_it_led(
    app: Flask, oscar: Person, run_id: int
) -> None:
    form = form_of(oscar.get("/jobs/1")) | {"note": "Rang them."}
    start: threading.Barrier = threading.Barrier(2)
    answers: list[Answer] = []
    clients = [oscar.client, app.test_client()]
    cookie = oscar.client.get_cookie("jobauto_session")
    assert cookie
    clients[1].set_cookie("jobauto_session", cookie.value)

    def send(client: object) -> None:
        start.wait(10)
        answers.append(client.post("/jobs/1", data=form))  # type: ignore[attr-defined]

    threads = [threading.Thread(target=send, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [(answer.status_code, answer.location) for answer in answers] == [(302, "/jobs/1")] * 2
    assert notes() == 1


def test_of_many_that_come_while_the_first_is_worked_on_two_wait_and_the_others_are_told_at_once(
    app: Flask, oscar: Person, run_id: int
) -> None:
    form = form_of(oscar.get("/jobs/1")) | {"note": "Rang them."}
    oscar.client.post("/jobs/1", data=form)
    cookie = oscar.client.get_cookie("jobauto_session")
    assert cookie
    clients = [app.test_client() for _ in range(4)]
    for client in clients:
        client.set_cookie("jobauto_session", cookie.value)
    with write() as session:
        session.execute(update(SentForm).values(location=None))  # as long as it is worked on

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(client.post, "/jobs/1", data=form) for client in clients]
        await_until(lambda: sum(answer.done() for answer in answers) >= 2, "two are told")
        told_at_once = sum(answer.done() for answer in answers)
        with write() as session:
            session.execute(update(SentForm).values(location="/jobs/1"))
    assert told_at_once == 2
    assert {answer.result().status_code for answer in answers} == {302}
    assert notes() == 1


def test_what_was_sent_long_ago_is_forgotten(app: Flask) -> None:
    sent_forms.claim(Sending("a" * 64, utcnow() - timedelta(minutes=2)))
    sent_forms.claim(Sending("b" * 64, utcnow()))
    assert count(SentForm) == 1
