"""An installation that still has the former default text gets the new one, and its runs keep the former."""

import pytest
from sqlalchemy import select, text

from jobauto.extensions import db
from jobauto.models import Event, SettingsVersion
from jobauto.settings import service
from tests.databases import Postgresql, Sqlite, opened
from tests.detection.running import run_at, save
from tests.migrating import downgrade, upgrade

FORMER = "No readings for {days_threshold} days from {site_name}"
NEW = "No readings from {site_name} (last reading: {last_reading})"


def texts() -> list[str]:
    """The text of every version, oldest first."""
    db.session.rollback()
    versions = db.session.scalars(select(SettingsVersion.version).order_by(SettingsVersion.version)).all()
    return [service.of_version(version).rule("no_coms").description_template for version in versions]


def install_before(*saved: str) -> None:
    """An installation as the former program left it: a run with its defaults, then texts that were saved."""
    run_at()
    for template in saved:
        save(no_coms={"description_template": template})
    db.session.remove()
    downgrade(revision="0011")


@pytest.mark.parametrize(
    ("saved", "expected"),
    [
        pytest.param([], [FORMER, NEW], id="never changed"),
        pytest.param(["Mine", FORMER], [FORMER, "Mine", FORMER, NEW], id="changed back to it"),
        pytest.param(["Mine"], [FORMER, "Mine"], id="a text of their own stays"),
    ],
)
def test_only_who_has_the_former_default_gets_the_new_one(
    engine: Sqlite | Postgresql, saved: list[str], expected: list[str]
) -> None:
    with engine.fresh() as uri, opened(uri):
        install_before(*saved)
        upgrade()
        assert texts() == expected


def test_the_change_is_in_the_history_and_no_slot_is_owed_by_it(engine: Sqlite | Postgresql) -> None:
    with engine.fresh() as uri, opened(uri):
        before = service.current()
        install_before()
        upgrade()
        after = service.current()
        assert (after.version, after.slots_owed_from) == (2, before.slots_owed_from)
        (change,) = service.changes()
        assert (change.who, change.field, change.before, change.after) == (
            None,
            "NO_COMS.description_template",
            FORMER,
            NEW,
        )
        assert db.session.scalars(select(Event.after)).all() == [NEW]


def test_a_new_database_begins_with_the_new_one(engine: Sqlite | Postgresql) -> None:
    with engine.fresh() as uri, opened(uri):
        assert texts() == [NEW]
        assert db.session.scalar(text("SELECT count(*) FROM event")) == 0
