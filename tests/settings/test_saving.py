"""Saving settings: a version a save, a history of who changed what, and nobody's change lost unseen."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from jobauto.extensions import db
from jobauto.models import SettingsVersion
from jobauto.settings import service
from jobauto.settings.schema import Settings, SettingsError
from jobauto.settings.service import StaleSettings
from tests.fleets import NOON
from tests.memory import at_most


def save(changes: dict[str, Any], by: str = "ada", hours: int = 0, **how: Any) -> service.Stored:
    """Save changes, so many hours after noon."""
    return service.save(
        lambda settings: settings.changed(changes, strict=True),
        by=by,
        now=NOON + timedelta(hours=hours),
        **how,
    )


def days(number: int) -> dict[str, dict[str, int]]:
    """A change of one field."""
    return {"NO_COMS": {"days_threshold": number}}


def versions() -> int:
    """How many versions there are."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(SettingsVersion)) or 0


def test_a_new_database_has_the_defaults(app: Flask) -> None:
    stored = service.current()

    assert (stored.version, stored.settings) == (1, Settings())
    assert list(service.changes()) == []


def test_a_save_is_a_new_version_and_the_old_one_stays(app: Flask) -> None:
    saved = save(days(7))

    assert saved.version == 2
    assert service.current() == saved
    assert service.of_version(1).document()["NO_COMS"]["days_threshold"] == 3
    assert service.of_version(2).document()["NO_COMS"]["days_threshold"] == 7


def test_the_history_is_told_without_the_policies_of_each_save(app: Flask) -> None:
    """Of 50 saves beside a policy of many sites, each look at the page took half a gigabyte."""
    policies = [{"name": "many", "sites": [f"{number:09}" for number in range(20_000)]}]
    for version in range(2, 22):
        document = Settings().changed(days(version)).document()
        made = {"changed_at": NOON, "changed_by": "ada", "slots_owed_from": NOON}
        db.session.add(SettingsVersion(version=version, document=document, policies=policies, **made))
        db.session.commit()
    db.session.remove()
    with at_most(10):
        assert len(list(service.changes())) == 20


def test_the_history_tells_who_when_from_and_to_newest_first(app: Flask) -> None:
    save({"NO_COMS": {"days_threshold": 7, "enabled": False}})
    save({"SCHEDULE": {"run_time": "05:00"}, "NO_COMS": {"days_threshold": 9}}, by="grace", hours=2)

    told = [
        (change.at, change.who, change.field, change.before, change.after) for change in service.changes()
    ]
    assert told[:2] == [
        (NOON + timedelta(hours=2), "grace", "NO_COMS.days_threshold", 7, 9),
        (NOON + timedelta(hours=2), "grace", "SCHEDULE.run_time", "06:00", "05:00"),
    ]
    assert sorted(told[2:]) == [
        (NOON, "ada", "NO_COMS.days_threshold", 3, 7),
        (NOON, "ada", "NO_COMS.enabled", True, False),
    ]


def test_a_save_that_changes_nothing_is_no_version(app: Flask) -> None:
    assert save(days(3)).version == 1
    assert save({}).version == 1
    assert versions() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"NO_COMS": {"days_threshold": 7}, "ZERO_READS": {"days_to_check": 99}},
        {"NO_COMS": {"days_threshold": 7, "typo": 1}},
        {"NO_COMS": {"days_threshold": 7}, "ZERO_READS": {"days_to_check": 2}},
        {"NO_COMS": {"days_threshold": 7, "description_template": "{oops}"}},
    ],
    ids=["a limit", "an unknown name", "a contradiction", "a template"],
)
def test_where_one_field_is_wrong_nothing_is_changed(app: Flask, changes: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        save(changes)

    assert service.current().settings == Settings()
    assert versions() == 1


def test_of_two_who_looked_at_one_version_the_second_is_told(app: Flask) -> None:
    save(days(7), seen=1)
    with pytest.raises(StaleSettings):
        save(days(9), seen=1)

    assert service.current().settings.document()["NO_COMS"]["days_threshold"] == 7
    assert save(days(9), seen=2).version == 3


def test_a_version_that_never_was_is_refused(app: Flask) -> None:
    with pytest.raises(StaleSettings):
        save(days(9), seen=99)


def save_at_once(app: Flask, *changes: dict[str, Any], seen: int | None = None) -> list[object]:
    """Each change in a thread of its own; returns what came of each: a version, or an error."""
    together = threading.Barrier(len(changes))
    outcomes: list[object] = []

    def save_one(change: dict[str, Any]) -> None:
        with app.app_context():
            together.wait(timeout=30)
            try:
                outcomes.append(save(change, seen=seen).version)
            except Exception as error:
                outcomes.append(type(error))

    threads = [threading.Thread(target=save_one, args=[change], daemon=True) for change in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes


CHANGES: tuple[dict[str, Any], ...] = (
    {"NO_COMS": {"days_threshold": 7}},
    {"NO_COMS": {"priority": "high"}},
    {"ZERO_READS": {"days_to_check": 9}},
    {"SCHEDULE": {"run_time": "05:00"}},
)


def test_partial_changes_made_at_once_are_all_kept(app: Flask) -> None:
    outcomes = save_at_once(app, *CHANGES)

    assert len(outcomes) == len(CHANGES)
    assert all(isinstance(outcome, int) for outcome in outcomes)
    expected = Settings()
    for change in CHANGES:
        expected = expected.changed(change)
    assert service.current().settings == expected
    assert versions() == 1 + len(CHANGES)


def test_of_forms_sent_at_once_one_is_saved_and_the_others_are_told(app: Flask) -> None:
    outcomes = save_at_once(app, *CHANGES, seen=1)

    assert sorted(map(str, outcomes)) == sorted(map(str, [2] + [StaleSettings] * 3))
    assert versions() == 2


def test_changes_at_once_that_contradict_each_other_are_not_both_saved(app: Flask) -> None:
    outcomes = save_at_once(
        app, {"NO_COMS": {"job_type_id": "visit"}}, {"ZERO_READS": {"job_type_id": "visit"}}
    )

    assert sorted(map(str, outcomes)) == sorted(map(str, [2, SettingsError]))
