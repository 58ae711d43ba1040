"""Imports of the same readings at once: what stands is what one after the other would have left."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BytesIO
from threading import Barrier, Semaphore
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from jobauto.audit.service import Author
from jobauto.extensions import db
from jobauto.imports import readings
from jobauto.imports.bulk.postgresql import PostgresqlBulk
from jobauto.imports.bulk.sqlite import SqliteBulk
from jobauto.imports.recorded import Recorded
from jobauto.imports.result import ImportResult
from jobauto.imports.rows import Rejected, Row
from jobauto.models import Import
from tests.fleets import NOON, add_site
from tests.imports.importing import counts
from tests.imports.test_undoing import lines, values
from tests.imports.undoing import HEADER, send, take_back

EARLIER, LATER = NOON - timedelta(minutes=1), NOON + timedelta(minutes=1)
PATIENCE = 30


@pytest.fixture(autouse=True)
def two_rows_at_a_time(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    for engine in (SqliteBulk, PostgresqlBulk):
        monkeypatch.setattr(engine, "BATCH", 2)
    add_site("S1")


class Stepped:
    """An import that goes on, in a thread, when it is told to: two rows at a time."""

    def __init__(
        self, app: Flask, pool: ThreadPoolExecutor, rows: Sequence[str], now: datetime, way: str
    ) -> None:
        self._app, self._rows, self._now = app, rows, now
        self._way = way
        self._may_go_on, self._has_stored = Semaphore(0), Semaphore(0)
        self._done: Future[ImportResult] = pool.submit(self._load)
        self.step()

    def step(self) -> None:
        """Let it store its next two rows."""
        self._may_go_on.release()
        assert self._has_stored.acquire(timeout=PATIENCE)

    def end(self) -> ImportResult:
        """Let it store the others."""
        self._may_go_on.release(len(self._rows))
        return self._done.result(PATIENCE)

    def _load(self) -> ImportResult:
        with self._app.app_context():
            recorded = Recorded(self._way, "readings.csv", Author("ada", self._now), ZoneInfo("UTC"))
            if self._way == "command":
                recorded.number()
            rows = readings.from_csv(BytesIO("\n".join([HEADER, *self._rows]).encode()))
            assert self._may_go_on.acquire(timeout=PATIENCE)
            result = recorded.load(rows, now=self._now, progress=self._tell)
            self.import_id = recorded.import_id
            return result

    def _tell(self, *_: object) -> None:
        self._has_stored.release()
        assert self._may_go_on.acquire(timeout=PATIENCE)


@contextmanager
def stepped(app: Flask, rows: Sequence[str], now: datetime = NOON, way: str = "command") -> Iterator[Stepped]:
    """An import that has stored its first two rows."""
    with ThreadPoolExecutor(1) as pool:
        yield Stepped(app, pool, rows, now, way)


@pytest.mark.parametrize("way", ["command", "api"])
@pytest.mark.parametrize("began", [EARLIER, LATER])
def test_what_an_import_met_and_another_takes_back_as_its_own_contradiction_is_stored_again(
    app: Flask, began: datetime, way: str
) -> None:
    with (
        stepped(app, [*lines(5, 6), *lines(7), *lines(8, first=2)]) as contradicting,
        stepped(app, [*lines(5, 6), *lines(9, first=3)], began, way) as met,
    ):
        assert counts(contradicting.end()) == (2, 0, 0, 2)
        assert values() == ["6.00", "8.00"]
        assert counts(met.end()) == (2, 0, 1, 0)

    assert values() == ["5.00", "6.00", "8.00", "9.00"]
    take_back(number_of(contradicting))
    assert values() == ["5.00", "6.00", "9.00"]
    take_back(number_of(met))
    assert values() == []


@pytest.mark.parametrize("way", ["command", "api"])
def test_what_an_import_met_of_one_that_was_received_later_is_its_own_as_well(app: Flask, way: str) -> None:
    """That one stored it before this one began to look, and takes it back when this one has ended."""
    with stepped(app, [*lines(5, 6), *lines(7), *lines(8, first=2)]) as contradicting:
        with stepped(app, [*lines(5, 6), *lines(9, first=3)], EARLIER, way) as met:
            assert counts(met.end()) == (1, 0, 2, 0)
        assert counts(contradicting.end()) == (2, 0, 0, 2)

    assert values() == ["5.00", "6.00", "8.00", "9.00"]
    take_back(number_of(contradicting))
    assert values() == ["5.00", "6.00", "9.00"]


@pytest.mark.parametrize("stood_before", [[], [9]], ids=["new", "updated"])
def test_what_another_import_has_replaced_is_taken_from_the_counts_it_was_in(
    app: Flask, stood_before: list[int]
) -> None:
    if stood_before:
        send(lines(*stood_before), EARLIER)
    with stepped(app, [*lines(1, 2), *lines(3), *lines(4, first=3)]) as contradicting:
        send(lines(5), LATER)
        assert counts(contradicting.end()) == (2, 0, 0, 2)
    assert values() == ["5.00", "2.00", "4.00"]


@pytest.mark.parametrize("began", [EARLIER, LATER])
def test_what_it_stored_and_another_import_replaced_is_not_stored_again(app: Flask, began: datetime) -> None:
    other = send(lines(1), EARLIER - timedelta(minutes=1))
    with stepped(app, [*lines(1, 2, 3, 4)]) as replaced:
        replaced.step()
        last = send(lines(7, 8, 9, first=1), began)
        take_back(other)
        assert counts(replaced.end()) == (3 + 1, 0, 0, 0)

    assert values() == ["1.00", "7.00", "8.00", "9.00"]
    take_back(last)
    assert values() == ["1.00", "2.00", "3.00", "4.00"]


def test_what_it_met_and_a_later_import_replaced_is_not_stored_again_but_kept(app: Flask) -> None:
    first = send(lines(1, 2), EARLIER)
    with stepped(app, lines(1, 2)) as met:
        last = send(lines(7), LATER)
        take_back(first)
        assert counts(met.end()) == (1, 0, 1, 0)

    assert values() == ["7.00", "2.00"]
    take_back(last)
    assert values() == ["1.00", "2.00"]


def number_of(done: Stepped) -> int:
    """The number of an import in the history."""
    db.session.rollback()
    assert done.import_id is not None
    return db.session.get_one(Import, done.import_id).id


def test_as_many_as_a_process_has_threads_wait_for_no_connection_of_each_other(app: Flask) -> None:
    threads = 8  # of deploy/gunicorn.conf.py
    together = Barrier(threads)

    def load(day: int) -> int:
        def rows() -> Iterator[Row | Rejected]:
            together.wait(PATIENCE)  # each holds connections now, and will need more
            yield from readings.from_csv(BytesIO("\n".join([HEADER, *lines(day, first=day)]).encode()))

        with app.app_context():
            recorded = Recorded("api", "readings.csv", Author("ada", NOON), ZoneInfo("UTC"))
            return recorded.load(rows(), now=NOON).new

    with ThreadPoolExecutor(threads) as pool:
        assert list(pool.map(load, range(threads))) == [1] * threads
