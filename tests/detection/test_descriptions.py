"""What a job's description says: each variable, and nothing else between braces is ever evaluated."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import literal, select

from jobauto.models.types import Instant, local_minute_in
from jobauto.rules.no_coms import NO_COMS
from jobauto.rules.zero_reads import ZERO_READS
from jobauto.settings.schema import time_zones
from tests.detection.ground import Ground
from tests.detection.running import jobs, run_at, save
from tests.fleets import NOON, add_site, daily, days_before

HOSTILE = [
    "{site_id} {0} {} {{x}} }{",
    "%s %(name)s %d 100% %%",
    "O'Brien & \"Sons\" -- '; DROP TABLE job; --",
    "<script>alert(1)</script> &amp; {{ 7 * 7 }} {% raw %}",
    r"C:\new\table \x41 \N{DOT}",
    "☀️ Café 東京 مزرعة 🏡",
    ":name ?1 $1 @x",
]


SILENT = {datetime(2026, 3, 20, 6, 0, 59, 999999, tzinfo=UTC): 5}
STUCK = daily([1234] * 6)


NO_COMS_TEXTS = {
    "{site_id}": "S/1",
    "{site_name}": "Mill Lane",
    "{days_threshold}": "3",
    "{last_reading}": "2026-03-20 06:00",
    "{days_without_reading}": "11",
    "{days_threshold}{days_threshold}{site_id}": "33S/1",
    "no variable": "no variable",
    " ": " ",
    "{{site_id}} }}{{ {{{site_id}}}": "{site_id} }{ {S/1}",
    "100% of %s %(site_id)s :x ? $1": "100% of %s %(site_id)s :x ? $1",
    "two\nlines, 'quotes' \"and\" ☀": "two\nlines, 'quotes' \"and\" ☀",
    "{site_name}" * 45: "Mill Lane" * 45,
}
ZERO_READS_TEXTS = {
    "{site_id}": "S/1",
    "{site_name}": "Mill Lane",
    "{zero_count}": "5",
    "{days_to_check}": "4",
    "{date_range}": "2026-03-27 to 2026-03-31",
    "{total_difference}": "0.00",
    "{{{zero_count}}}": "{5}",
}


@pytest.mark.parametrize(
    ("rule", "readings", "texts"),
    [
        pytest.param("no_coms", SILENT, NO_COMS_TEXTS, id="no_coms"),
        pytest.param("zero_reads", STUCK, ZERO_READS_TEXTS, id="zero_reads"),
    ],
)
def test_each_variable_says_what_the_contract_says(
    app: Flask, rule: str, readings: dict[datetime, Any], texts: dict[str, str]
) -> None:
    add_site("S/1", readings, site_name="Mill Lane")
    for template in texts:
        save(**{rule: {"description_template": template, "check_duplicate": False}})
        run_at()

    described = [job.description for job in jobs() if job.rule == rule]
    assert dict(zip(texts, described, strict=True)) == texts


def test_the_default_templates_read_as_in_the_contract(app: Flask) -> None:
    add_site("S1", SILENT, site_name="Mill Lane")
    add_site("S2", STUCK, site_name="Quay 4")
    run_at()

    assert [job.description for job in jobs()] == [
        "No readings from Mill Lane (last reading: 2026-03-20 06:00)",
        "No generation increase for 5 days at Quay 4",
    ]


def test_hostile_names_stand_in_descriptions_as_they_are(app: Flask) -> None:
    for number, name in enumerate(HOSTILE):
        add_site(f"'{number}\"{{}}", site_name=name)
    save(no_coms={"description_template": "{site_id}|{site_name}|{last_reading}"})
    run_at()

    expected = [f"'{number}\"{{}}|{name}|never" for number, name in enumerate(HOSTILE)]
    assert [job.description for job in jobs()] == expected


def test_the_last_reading_is_told_on_the_clocks_of_the_schedules_zone_or_as_never(app: Flask) -> None:
    for number, last in enumerate(("2026-01-10T06:00Z", "2026-07-10T06:00Z", "2026-10-25T01:30Z")):
        add_site(f"S{number}", {datetime.fromisoformat(last): 5})
    add_site("S3")
    save(no_coms={"description_template": "{last_reading} {days_without_reading}"})
    run_at(datetime(2027, 1, 1, tzinfo=UTC), rules=(NO_COMS,))

    assert [job.description for job in jobs()] == [
        "2026-01-10 06:00 355",
        "2026-07-10 07:00 174",
        "2026-10-25 01:30 67",
        "never never",
    ]


@pytest.mark.parametrize("instant", [datetime(2021, month, 15, 12, 34, 56, tzinfo=UTC) for month in (1, 7)])
def test_every_zone_that_may_be_chosen_has_the_same_clocks_in_the_database(
    ground: Ground, instant: datetime
) -> None:
    zones = sorted(time_zones())
    columns = [local_minute_in(literal(instant, Instant), ZoneInfo(zone)) for zone in zones]
    told = ground.connection.execute(select(*columns)).one()

    assert dict(zip(zones, told, strict=True)) == {
        zone: instant.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") for zone in zones
    }


def test_the_date_range_is_that_of_the_window_in_the_schedules_zone(app: Flask) -> None:
    add_site("S1", STUCK)
    for zone, as_of in (
        ("Europe/London", NOON),
        ("Pacific/Kiritimati", NOON),  # 02:00 on the day after
        ("Pacific/Midway", NOON),  # 01:00 on the same day
        ("Pacific/Midway", days_before(0.05)),  # 23:48 on the day before
    ):
        save(
            schedule={"timezone": zone},
            zero_reads={"description_template": "{date_range}", "check_duplicate": False},
        )
        run_at(as_of, rules=(ZERO_READS,))

    assert [job.description for job in jobs()] == [
        "2026-03-27 to 2026-03-31",
        "2026-03-28 to 2026-04-01",
        "2026-03-27 to 2026-03-31",
        "2026-03-26 to 2026-03-30",
    ]


def test_a_job_keeps_its_description_when_the_template_changes(app: Flask) -> None:
    add_site("S1")
    save(no_coms={"description_template": "before"})
    run_at()
    save(no_coms={"description_template": "after"})
    run_at()

    assert [job.description for job in jobs()] == ["before"]


def test_the_longest_name_and_template_fit(app: Flask) -> None:
    add_site("S1", site_name="n" * 200)
    save(no_coms={"description_template": "{site_name}" * 45})
    run_at()

    assert [job.description for job in jobs()] == ["n" * 200 * 45]
