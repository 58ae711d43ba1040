"""What was looked at is imported, or never, when somebody decides so. What has warnings waits for that."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobauto.audit.service import Author
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.imports import background, claiming, decisions, uploads
from jobauto.models import Event, Import
from jobauto.storage.connections import write
from tests.fleets import NOON, add_site
from tests.imports.test_background import GOOD, HEADER, accept, counts, entry, stored
from tests.imports.test_uploads import BAD
from tests.processes import PATIENCE
from tests.racing import both_before_either_commits

ADA = Author("ada", NOON)
DOUBTFUL = b"".join(b"S1,2026-03-0%dT06:00Z,1.20%d\n" % (day, day) for day in (1, 2, 3))
THREE_DECIMALS = ["S1: every value has exactly three decimals: MWh, or a dot for thousands?"]


@pytest.fixture(autouse=True)
def _site(app: Flask) -> None:
    add_site("S1")


def process(content: bytes, *, dry_run: bool = False) -> int:
    """Send a file and have it looked at."""
    import_id = accept(HEADER + content, dry_run=dry_run)
    background.process_pending()
    return import_id


def has_file(import_id: int) -> bool:
    return uploads.kept(entry(import_id).kept_as).exists()


def test_a_file_with_warnings_stores_nothing_before_somebody_has_decided() -> None:
    import_id = process(DOUBTFUL + BAD)

    assert counts(import_id) == ("waiting", 3, 0, 0, 1)
    assert entry(import_id).warnings == THREE_DECIMALS
    assert [row["kwh"] for row in entry(import_id).preview] == ["1.20", "1.20", "1.20", "1.00"]
    assert (stored(), entry(import_id).finished_at, has_file(import_id)) == (0, None, True)

    decisions.import_it(import_id, ADA)
    assert counts(import_id) == ("queued", 0, 0, 0, 0)
    background.process_pending()

    assert counts(import_id) == ("finished", 3, 0, 0, 1)
    assert (stored(), entry(import_id).warnings, entry(import_id).decided_by) == (3, THREE_DECIMALS, "ada")


@pytest.mark.parametrize(
    "content", [GOOD, b"", BAD], ids=["without warnings", "without rows", "all rejected"]
)
def test_a_file_that_nothing_is_to_be_said_of_is_stored_at_once(content: bytes) -> None:
    assert counts(process(content))[0] == "finished"


def test_one_that_would_change_nothing_does_not_wait_whatever_its_values_are() -> None:
    decisions.import_it(process(DOUBTFUL), ADA)
    background.process_pending()

    again = process(DOUBTFUL)

    assert counts(again) == ("finished", 0, 0, 3, 0)
    assert entry(again).warnings == THREE_DECIMALS


def test_a_dry_run_can_be_followed_by_the_import_of_the_same_file() -> None:
    import_id = process(GOOD, dry_run=True)
    assert (counts(import_id)[0], stored(), has_file(import_id)) == ("finished", 0, True)

    decisions.import_it(import_id, ADA)
    background.process_pending()

    assert (counts(import_id), entry(import_id).dry_run) == (("finished", 1, 0, 0, 0), False)
    assert (stored(), has_file(import_id)) == (1, False)


@pytest.mark.parametrize("content", [BAD, b""], ids=["all rejected", "no rows"])
def test_after_a_dry_run_that_would_store_nothing_there_is_nothing_to_decide(content: bytes) -> None:
    import_id = process(content, dry_run=True)

    assert not has_file(import_id)
    with pytest.raises(decisions.AlreadyDecided):
        decisions.import_it(import_id, ADA)


def test_sites_are_imported_after_a_look_in_the_name_of_who_decided() -> None:
    import_id = accept(b"site_id,site_name\nS1,Mill Lane\n", "sites", dry_run=True)
    background.process_pending()

    decisions.import_it(import_id, ADA)
    background.process_pending()

    changes = db.session.execute(select(Event.who, Event.after).where(Event.subject == "site")).all()
    assert [tuple(change) for change in changes] == [("ada", "Mill Lane")]


def test_what_is_discarded_is_never_imported_and_its_file_is_deleted() -> None:
    import_id = process(DOUBTFUL)

    decisions.discard(import_id, ADA)
    background.process_pending()

    assert (counts(import_id)[0], stored(), has_file(import_id)) == ("discarded", 0, False)
    with pytest.raises(decisions.AlreadyDecided, match="has been decided on already"):
        decisions.import_it(import_id, ADA)


def test_of_two_who_decide_at_once_one_wins(app: Flask) -> None:
    import_id = process(DOUBTFUL)

    def press(decide: Callable[[int, Author], None]) -> str:
        with app.app_context():
            try:
                decide(import_id, ADA)
            except decisions.AlreadyDecided:
                return "too late"
            return "done"

    with both_before_either_commits("import"), ThreadPoolExecutor(2) as pool:
        told = pool.map(press, [decisions.import_it, decisions.discard], timeout=PATIENCE)
        assert sorted(told) == ["done", "too late"]

    is_discarded = counts(import_id)[0] == "discarded"
    assert has_file(import_id) is not is_discarded


def test_what_nobody_decides_on_is_not_imported_when_the_days_of_its_file_are_over() -> None:
    waiting, looked_at = process(DOUBTFUL), process(GOOD, dry_run=True)
    until = NOON + timedelta(days=14)
    with write() as session:
        session.execute(update(Import).values(decide_until=until))

    background.process_pending(lambda: until)
    assert [has_file(import_id) for import_id in (waiting, looked_at)] == [True, True]
    background.process_pending(lambda: until + timedelta(seconds=1))

    assert [counts(import_id)[0] for import_id in (waiting, looked_at)] == ["discarded", "finished"]
    assert [has_file(import_id) for import_id in (waiting, looked_at)] == [False, False]
    assert stored() == 0


def test_one_whose_file_is_gone_by_then_fails_with_the_sentence() -> None:
    import_id = process(DOUBTFUL)
    uploads.kept(entry(import_id).kept_as).unlink()
    assert not decisions.has_file(entry(import_id))

    decisions.import_it(import_id, ADA)
    background.process_pending()

    assert entry(import_id).error == "Its file is not on this machine any more. Send it again."


def test_one_that_another_machine_has_is_left_to_it_for_a_day_from_the_decision_on() -> None:
    import_id = process(DOUBTFUL)
    with write() as session:
        session.execute(update(Import).values(kept_on="web-2:/srv", kept_as="elsewhere"))
    assert decisions.has_file(entry(import_id))
    later = utcnow() + timedelta(days=5)

    decisions.import_it(import_id, Author("ada", later))

    background.process_pending(lambda: later + timedelta(days=1))
    assert counts(import_id)[0] == "queued"
    background.process_pending(lambda: later + timedelta(days=1, seconds=1))
    assert counts(import_id)[0] == "failed"


@pytest.mark.parametrize(
    ("is_checked", "status"), [(True, "finished"), (False, "waiting")], ids=["while it stored", "before"]
)
def test_a_file_whose_process_died_is_not_compared_with_its_own_rows(is_checked: bool, status: str) -> None:
    """Half of it is stored, and next to that the other half looks like another unit."""
    half, other_half = b"S1,2026-03-30T06:00Z,1.5\n", b"S1,2026-03-31T06:00Z,1500\n"
    process(half)
    import_id = accept(HEADER + half + other_half)
    with write() as session:
        died = {"status": "running", "attempts": 1, "heartbeat_at": utcnow() - 2 * claiming.STALE_AFTER}
        session.execute(
            update(Import).where(Import.id == import_id).values(died | {"is_checked": is_checked})
        )

    background.process_pending()

    assert counts(import_id) == (status, 1, 0, 1, 0)
