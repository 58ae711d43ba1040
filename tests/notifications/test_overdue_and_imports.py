"""What does not happen is told of as well: a daily run, once a date; and an import that fails."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from flask import Flask

from jobauto.audit.service import Author
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.imports import background, history, uploads
from jobauto.runs import lifecycle
from jobauto.runs.overdue import report_if_overdue
from jobauto.work.slots import run_slot, tick
from tests.notifications.telling import add_message, add_one_of_each, messages, told
from tests.runs.fleet import owe_slots_since

DUE = datetime(2026, 3, 31, 5, 0, tzinfo=UTC)
"""06:00 in London."""
LATE = DUE + timedelta(hours=1, minutes=1)


@pytest.fixture(autouse=True)
def _slots_are_owed(app: Flask) -> None:
    owe_slots_since(DUE - timedelta(days=9))


@pytest.mark.parametrize(
    ("now", "is_told"),
    [
        pytest.param(DUE - timedelta(minutes=1), False, id="not due"),
        pytest.param(DUE + timedelta(hours=1), False, id="an hour late"),
        pytest.param(LATE, True, id="more than an hour late"),
    ],
)
def test_a_daily_run_that_did_not_happen_is_told_of(app: Flask, now: datetime, is_told: bool) -> None:
    add_one_of_each()
    assert (report_if_overdue(now) is not None) == is_told
    assert sorted((label, topic) for label, _, topic in told()) == is_told * [
        ("both", "overdue-2026-03-31"),
        ("problems", "overdue-2026-03-31"),
    ]


def test_it_is_told_of_once_a_date_however_many_look_and_however_often(app: Flask) -> None:
    add_message("json://127.0.0.1:9/x")

    def look(minute: int) -> None:
        with app.app_context():
            report_if_overdue(LATE + timedelta(minutes=minute))
            db.session.remove()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(look, range(16)))
    assert [topic for _, _, topic in told()] == ["overdue-2026-03-31"]
    report_if_overdue(LATE + timedelta(days=1))
    assert [topic for _, _, topic in told()] == ["overdue-2026-03-31", "overdue-2026-04-01"]
    assert messages()[0].body.startswith(
        "The daily run of 2026-03-31 was due at 2026-03-31 06:00 (Europe/London)"
    )


def test_a_run_that_starts_late_after_a_night_down_is_not_told_of(app: Flask) -> None:
    add_message("json://127.0.0.1:9/x")
    assert tick(lambda: LATE + timedelta(hours=2)) is not None
    assert told() == []


def test_a_tick_that_finds_another_run_under_way_for_an_hour_tells(app: Flask) -> None:
    add_message("json://127.0.0.1:9/x")
    with db.engine.connect() as connection:
        lifecycle.start(connection, lifecycle.Claim("cli", None, DUE, DUE, 1))
    assert tick(lambda: LATE) is None
    assert [topic for _, _, topic in told()] == ["overdue-2026-03-31"]


def test_a_run_that_is_done_is_not_overdue(app: Flask) -> None:
    add_message("json://127.0.0.1:9/x")
    run_slot(DUE.date(), lambda: DUE)
    assert report_if_overdue(LATE) is None


def test_an_import_that_fails_is_told_of_with_its_reason(app: Flask) -> None:
    add_one_of_each()
    author = Author("oscar", utcnow())
    import_id = background.accept(
        "sites",
        "north\r\nBcc: x@example.com.csv",
        BytesIO(b"site_id,site_name\n"),
        dry_run=False,
        author=author,
    )
    with uploads.kept(kept_as()).open("wb") as file:
        file.write(b"\xff\xfe")  # no header any more
    background.process_pending()
    assert [(label, kind, topic) for label, kind, topic in told()] == [
        (label, "problem", f"import-{import_id}-failed") for label in ("problems", "both")
    ]
    first, second, *_ = messages()[0].body.splitlines()
    assert first == "The import of sites from north\ufffd\ufffdBcc: x@\u200bexample.com.csv by oscar failed:"
    assert second


def test_an_import_that_is_done_is_not_told_of(app: Flask) -> None:
    add_one_of_each()
    content = BytesIO(b"site_id,site_name\nS1,One\n")
    background.accept("sites", "a.csv", content, dry_run=False, author=Author("oscar", utcnow()))
    background.process_pending()
    assert told() == []


def kept_as() -> str:
    db.session.rollback()
    entry = db.session.scalars(history.newest_first()).first()
    assert entry
    name: str = entry.kept_as
    return name
