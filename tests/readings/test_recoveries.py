"""A recovery stands and falls with the readings that show it."""

import pytest
from flask import Flask
from sqlalchemy import delete, select

from jobauto.extensions import db
from jobauto.models import Event, Job, Reading
from jobauto.models.quality import ReviewDecision
from jobauto.readings.decisions import decide
from jobauto.readings.meter_changes import Change, delete_change, record_change
from jobauto.storage.connections import write
from tests.detection.running import jobs, later, run_at, save
from tests.fleets import add_readings, add_site, daily
from tests.imports.undoing import send, take_back
from tests.readings.doubts import OSCAR, classify_again, qualities, review_id


def recoveries() -> list[tuple[str, int | None]]:
    """Of each job its status and the run that saw it recovered."""
    return [(job.status, job.recovered_run_id) for job in jobs()]


def told() -> list[tuple[str | None, ...]]:
    """(who, what, why) of all that histories of jobs say of recoveries."""
    query = select(Event.who, Event.field, Event.after).where(Event.subject == "job", Event.field != "status")
    kept = db.session.execute(query.where(Event.field != "resolution").order_by(Event.id))
    return [tuple(row) for row in kept]


def recovered_by_a_spike() -> int:
    """A dead register with a job, whose spike looks as good as any reading; returns the site's key."""
    key = add_site("S1", daily([1234] * 5))
    run_at()
    add_readings(key, {later(3): 5000})
    classify_again(key)
    run_at(later(4))
    return key


def comes_back(key: int) -> None:
    add_readings(key, {later(24 * number): 1234 for number in (1, 2, 3)})
    classify_again(key)


def test_a_job_that_recovered_by_a_reading_which_is_wrong_is_no_longer_recovered_and_says_why(
    app: Flask,
) -> None:
    key = recovered_by_a_spike()
    assert recoveries() == [("open", 2)]

    comes_back(key)

    assert qualities(key) == "gggggwggg"
    assert recoveries() == [("open", None)]
    why = "the reading of 2026-03-31 15:00 UTC with 5,000.00 kWh, which seemed to show it, is wrong"
    assert told() == [(None, "not_recovered", why)]


def test_one_that_was_closed_by_itself_stays_closed_and_the_next_run_opens_another(app: Flask) -> None:
    save(zero_reads={"auto_close_recovered": True})
    key = recovered_by_a_spike()
    assert recoveries() == [("closed", 2)]

    comes_back(key)
    run_at(later(24 * 3))

    assert recoveries() == [("closed", None), ("open", None)]


def test_a_recovery_that_good_readings_show_stands_whatever_else_turns_out_wrong(app: Flask) -> None:
    key = add_site("S1", daily([1234] * 5))
    run_at()
    add_readings(key, {later(3): 1240, later(3.5): 0})
    classify_again(key)
    run_at(later(4))

    add_readings(key, {later(24): 1241})
    classify_again(key)

    assert qualities(key) == "ggggggwg"
    assert recoveries() == [("open", 2)]


def test_a_recovery_of_which_no_reading_is_kept_any_more_stands(app: Flask) -> None:
    key = recovered_by_a_spike()
    with write() as session:
        session.execute(delete(Reading))

    add_readings(key, daily([1, 2, 0, 3], later(24 * 400)))
    classify_again(key)

    assert recoveries() == [("open", 2)]


def test_a_decision_makes_a_recovery_at_once_and_taking_it_back_undoes_it(app: Flask) -> None:
    key = add_site("S1", daily([1234] * 20))
    run_at()
    add_readings(key, {later(24): 9999})
    classify_again(key)
    run_at(later(25))
    assert (qualities(key)[-1], recoveries()) == ("d", [("open", None)])

    decide([review_id(key)], ReviewDecision.RIGHT, author=OSCAR)
    assert recoveries() == [("open", 2)]
    assert jobs()[0].recovered_at == later(25)

    decide([review_id(key)], None, author=OSCAR)
    assert recoveries() == [("open", None)]
    assert [(who, field) for who, field, _ in told()] == [("oscar", "recovered"), ("oscar", "not_recovered")]
    assert told()[1][2] == (
        "the reading of 2026-04-01 12:00 UTC with 9,999.00 kWh, which seemed to show it, is in doubt"
    )


def test_a_recorded_meter_change_takes_a_recovery_that_was_only_the_new_meter_s_register(app: Flask) -> None:
    key = add_site("S1", daily([1234] * 5))
    run_at()
    add_readings(key, {later(3): 5000})
    classify_again(key)
    run_at(later(4))
    site = db.session.get_one(Job, 1).site

    number = record_change(site, Change(later(2)), author=OSCAR)
    assert recoveries() == [("open", None)]

    delete_change(site, number, author=OSCAR)
    assert recoveries() == [("open", 2)]
    assert told()[0][2] == "by what is known of its meter and readings now, the register has not risen"


@pytest.mark.parametrize("is_corrected", [True, False])
def test_a_recovery_goes_with_the_reading_that_is_undone_or_corrected(
    app: Flask, *, is_corrected: bool
) -> None:
    add_site("S1", daily([1234] * 5))
    run_at()
    at = later(3).isoformat()
    number = send([f"S1,{at},1244,"], now=later(3))
    run_at(later(4))
    assert recoveries() == [("open", 2)]

    if is_corrected:
        send([f"S1,{at},1234,"], now=later(5))
    else:
        take_back(number)
    assert recoveries() == [("open", None)]


def test_nothing_is_made_where_no_run_has_judged_since(app: Flask) -> None:
    key = add_site("S1", daily([1234] * 20))
    run_at()
    add_readings(key, {later(1): 9999})
    classify_again(key)

    decide([review_id(key)], ReviewDecision.RIGHT, author=OSCAR)

    assert recoveries() == [("open", None)]
