"""Canceling an import: what it has stored stays and can be undone; of a cancel and an end the first wins."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import delete, update

from jobauto.audit.queries import events_for
from jobauto.audit.service import Author
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.imports import background, canceling, decisions, readings, storing, undo, uploads
from jobauto.imports.bulk.postgresql import PostgresqlBulk
from jobauto.imports.bulk.sqlite import SqliteBulk
from jobauto.imports.recorded import Recorded
from jobauto.imports.result import ImportResult
from jobauto.models import Import
from jobauto.storage.connections import write
from tests.fleets import NOON, add_site
from tests.imports.test_background import GOOD, HEADER, accept, counts, entry, stored
from tests.imports.test_undoing import lines
from tests.imports.undoing import send, take_back
from tests.people import Person

ADA = Author("ada", NOON)
FOUR_ROWS = HEADER + b"".join(b"S1,2026-03-0%dT06:00Z,%d\n" % (day, day) for day in (1, 2, 3, 4))


@pytest.fixture(autouse=True)
def _site(app: Flask) -> None:
    add_site("S1")


@pytest.fixture
def after_first_batch(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Have something done between the first batch of two rows and the next."""
    monkeypatch.setattr(SqliteBulk, "BATCH", 2)
    monkeypatch.setattr(PostgresqlBulk, "BATCH", 2)

    def do(act: Callable[[], object]) -> None:
        store = readings.store_readings

        def interrupted(rows: Any, **options: Any) -> ImportResult:
            progress, acts = options.pop("progress"), [act]

            def batch(*told: Any) -> None:
                if acts and not options.get("dry_run"):
                    acts.pop()()
                progress(*told)

            return store(rows, progress=batch, **options)

        monkeypatch.setattr(readings, "store_readings", interrupted)

    return do


def has_file(import_id: int) -> bool:
    return uploads.kept(entry(import_id).kept_as).exists()


def test_one_that_waits_for_its_turn_ends_at_once_and_its_file_goes() -> None:
    import_id = accept(HEADER + GOOD)

    canceling.cancel(import_id, ADA)
    background.process_pending()

    assert (counts(import_id), has_file(import_id)) == (("canceled", 0, 0, 0, 0), False)
    assert undo.why_not(entry(import_id), utcnow()) == f"Import {import_id} has stored nothing."
    said = db.session.scalars(events_for("import", import_id)).all()[-1]
    assert (said.who, said.field, said.after) == ("ada", "decision", "canceled")


def test_one_that_is_under_way_ends_at_its_next_batch_and_what_it_stored_stays_until_it_is_undone(
    after_first_batch: Callable[[Callable[[], object]], None],
) -> None:
    import_id = accept(FOUR_ROWS)
    after_first_batch(lambda: canceling.cancel(import_id, ADA))

    background.process_pending()

    assert (counts(import_id), stored()) == (("canceled", 2, 0, 0, 0), 2)
    assert (entry(import_id).canceled_by, has_file(import_id)) == ("ada", False)
    assert undo.undo(import_id, Author("ada", utcnow())) == (2, 0, 0)
    assert stored() == 0


def test_one_that_is_only_checked_when_it_is_canceled_stores_nothing() -> None:
    import_id = accept(FOUR_ROWS, dry_run=True)
    with write() as session:
        session.execute(update(Import).values(canceled_by="ada", canceled_at=NOON))

    background.process_pending()

    assert (counts(import_id)[0], stored(), entry(import_id).undo_until) == ("canceled", 0, None)


def test_a_cancel_that_comes_before_the_end_is_told_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    import_id = accept(FOUR_ROWS)
    store = readings.store_readings

    def canceled_at_last(*arguments: Any, **options: Any) -> ImportResult:
        result = store(*arguments, **options)
        canceling.cancel(import_id, ADA)
        return result

    monkeypatch.setattr(readings, "store_readings", canceled_at_last)
    background.process_pending()

    assert (counts(import_id), stored()) == (("canceled", 4, 0, 0, 0), 4)


def test_a_cancel_that_comes_after_the_end_is_refused() -> None:
    import_id = accept(FOUR_ROWS)
    background.process_pending()

    with pytest.raises(canceling.CannotCancel, match=f"Import {import_id} has ended already."):
        canceling.cancel(import_id, ADA)

    assert counts(import_id)[0] == "finished"


def test_it_is_canceled_once() -> None:
    import_id = accept(FOUR_ROWS)
    canceling.cancel(import_id, ADA)

    with pytest.raises(canceling.CannotCancel, match=f"Import {import_id} is canceled already."):
        canceling.cancel(import_id, Author("bea", NOON))

    assert entry(import_id).canceled_by == "ada"


@pytest.mark.parametrize("kept_on", ["", "web-2:/srv"], ids=["here", "on another machine"])
def test_one_whose_process_died_ends_and_is_not_begun_again(kept_on: str) -> None:
    import_id = accept(FOUR_ROWS)
    with write() as session:
        died = {"status": "running", "attempts": 1, "heartbeat_at": utcnow() - timedelta(minutes=3)}
        session.execute(update(Import).values(died | ({"kept_on": kept_on} if kept_on else {})))
    canceling.cancel(import_id, ADA)
    assert counts(import_id)[0] == "running"

    background.process_pending()

    assert (counts(import_id), stored()) == (("canceled", 0, 0, 0, 0), 0)


def test_one_that_waits_for_a_decision_is_not_imported() -> None:
    three_decimals = b"".join(b"S1,2026-03-0%dT06:00Z,1.20%d\n" % (day, day) for day in (1, 2, 3))
    import_id = accept(HEADER + three_decimals)
    background.process_pending()
    assert counts(import_id)[0] == "waiting"

    canceling.cancel(import_id, ADA)

    assert counts(import_id)[0] == "discarded"
    with pytest.raises(decisions.AlreadyDecided):
        decisions.import_it(import_id, ADA)


def test_one_by_command_ends_at_its_next_batch_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqliteBulk, "BATCH", 2)
    monkeypatch.setattr(PostgresqlBulk, "BATCH", 2)
    number: list[int] = []

    def cancel(*_: object) -> None:
        if not number:
            number.append(db.session.query(Import.id).scalar())
            canceling.cancel(number[0], ADA)

    with pytest.raises(canceling.Canceled, match=r"Import \d+ was canceled"):
        send(lines(1, 2, 3, 4, 5, 6), progress=cancel)

    assert (counts(number[0]), stored()) == (("canceled", 4, 0, 0, 0), 4)
    assert (take_back(number[0]), stored()) == ((4, 0, 0), 0)


def test_what_a_command_stored_whose_process_died_before_it_told_of_it_can_be_undone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    number = Recorded("command", "readings.csv", ADA, ZoneInfo("UTC")).number()
    with monkeypatch.context() as killed:
        killed.setattr(storing.Store, "end", lambda _store: None)
        file = readings.from_csv(BytesIO(FOUR_ROWS))
        readings.store_readings(file, zone=ZoneInfo("UTC"), now=NOON, import_id=number)
    canceling.cancel(number, ADA)
    with write() as session:
        session.execute(update(Import).values(heartbeat_at=utcnow() - timedelta(minutes=3)))

    background.process_pending()

    assert (counts(number), stored()) == (("canceled", 0, 0, 0, 0), 4)
    assert (take_back(number), stored()) == ((4, 0, 0), 0)


def test_one_that_met_nothing_new_before_it_was_canceled_can_be_undone_as_well(
    after_first_batch: Callable[[Callable[[], object]], None],
) -> None:
    send(lines(1, 2, 3, 4))
    again = accept(FOUR_ROWS)
    after_first_batch(lambda: canceling.cancel(again, ADA))

    background.process_pending()

    assert (counts(again), undo.why_not(entry(again), utcnow())) == (("canceled", 0, 0, 2, 0), None)


def test_the_api_cancels_an_import_and_says_why_it_cannot(oscar: Person) -> None:
    import_id = accept(HEADER + GOOD)

    answer = oscar.api("POST", f"/api/imports/{import_id}/cancel/")
    assert (answer.status_code, answer.json["status"]) == (200, "canceled")
    again = oscar.api("POST", f"/api/imports/{import_id}/cancel/")
    assert (again.status_code, again.json["error"]) == (409, f"Import {import_id} is canceled already.")
    assert oscar.api("POST", "/api/imports/99/cancel/").status_code == 404


def test_the_api_does_not_know_an_import_that_is_forgotten_as_it_is_canceled(
    oscar: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = accept(HEADER + GOOD)
    cancel = canceling.cancel

    def and_it_goes(*arguments: Any) -> None:
        cancel(*arguments)
        with write() as session:
            session.execute(delete(Import))

    monkeypatch.setattr(canceling, "cancel", and_it_goes)
    assert oscar.api("POST", f"/api/imports/{import_id}/cancel/").status_code == 404
