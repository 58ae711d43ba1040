"""What each setting may hold: below its limits, at them, above them, and of the wrong type."""

from typing import Any

import pytest

from jobauto.settings.schema import Settings, SettingsError

WHOLE = "Must be a whole number."
SWITCH = "Must be true or false."
TEXT = "Must be text."
TYPE = "Must be 1 to 50 of a-z, 0-9, _ and -."
TIME = "Must be a time like 06:00."
ZONE = "Not an IANA time zone, such as Europe/London."
LEVEL = "Must be one of 'low', 'medium' or 'high'."
LONG = "Must have at most 500 characters."


def outcome(field: str, value: Any, *, strict: bool) -> Any:
    """The value as saved, or the first reason why it is not; all reasons if others are told of too."""
    section, name = field.split(".")
    changes: dict[str, dict[str, Any]] = {section: {name: value}}
    if name == "readings_to_compare":  # leave it room: the pair has a test of its own
        changes[section]["days_to_check"] = 30 if strict else "30"
    if name == "days_to_check":
        changes[section]["readings_to_compare"] = 2 if strict else "2"
    try:
        return Settings().changed(changes, strict=strict).document()[section][name]
    except SettingsError as error:
        return error.fields[field][0] if list(error.fields) == [field] else error.fields


def whole_number(field: str, lowest: int, highest: int) -> dict[tuple[str, Any], Any]:
    """The table of a number with limits, as JSON."""
    low, high = f"Must be at least {lowest}.", f"Must be at most {highest}."
    answers: dict[Any, Any] = {
        -1: low,
        lowest - 1: low,
        lowest: lowest,
        highest: highest,
        highest + 1: high,
        10**30: high,
        4.5: WHOLE,
        "4": WHOLE,
        "": WHOLE,
        None: WHOLE,
    }
    return {(field, value): answer for value, answer in answers.items()} | {(field, "[4]"): WHOLE}


def same(field: str, *values: Any) -> dict[tuple[str, Any], Any]:
    """Values that are kept as they are."""
    return {(field, value): value for value in values}


def refused(field: str, reason: str, *values: Any) -> dict[tuple[str, Any], Any]:
    """Values that are refused for one reason."""
    return {(field, value): reason for value in values}


def of_each_rule(section: str) -> dict[tuple[str, Any], Any]:
    """The table of what both rules have."""
    kind, template = f"{section}.job_type_id", f"{section}.description_template"
    return {
        **same(f"{section}.enabled", True, False),
        **refused(f"{section}.enabled", SWITCH, "true", "on", None),
        **same(f"{section}.check_duplicate", True, False),
        **refused(f"{section}.check_duplicate", SWITCH, "false", "", None),
        **same(kind, "a", "x" * 50, "a-b_9", "_", "-", "0"),
        **refused(kind, TYPE, "", "x" * 51, "No_Coms", "a b", " a", "a\n", "é", "a.b", "a;b", "٣"),
        **refused(kind, TEXT, 1, None, True),
        **same(f"{section}.priority", "low", "medium", "high"),
        **refused(f"{section}.priority", LEVEL, "", "High", "urgent", "{x}", 1, None),
        **same(template, "x", "x" * 500, " ", "two\nlines\tand a tab", "☀" * 500, "{site_id}"),
        **refused(template, "Must not be empty.", ""),
        **refused(template, LONG, "x" * 501),
        **refused(template, "Must be text, without NUL and halves of characters.", "a\0b"),
        **refused(template, TEXT, None, 5, "\ud800"),
    }


STRICT = {
    **of_each_rule("NO_COMS"),
    **of_each_rule("ZERO_READS"),
    **whole_number("NO_COMS.days_threshold", 1, 30),
    **whole_number("ZERO_READS.days_to_check", 2, 30),
    **whole_number("ZERO_READS.readings_to_compare", 2, 10),
    **same("SCHEDULE.schedule_enabled", True, False),
    **refused("SCHEDULE.schedule_enabled", SWITCH, "true", None),
    **same("SCHEDULE.run_time", "00:00", "06:00", "19:59", "23:59"),
    **refused(
        "SCHEDULE.run_time", TIME, "24:00", "6:00", "06:60", "0600", "06:00:00", "06:00\n", " 06:00", ""
    ),
    **refused("SCHEDULE.run_time", TIME, "٠6:00", "6 am", "06.00", "-1:00"),
    **refused("SCHEDULE.run_time", TEXT, 6, None),
    **same("SCHEDULE.timezone", "Europe/London", "UTC", "America/Argentina/Buenos_Aires", "CET"),
    **refused("SCHEDULE.timezone", ZONE, "europe/london", "Mars/Base", "", "BST", "+01:00", "GMT+1"),
    **refused("SCHEDULE.timezone", ZONE, "../../etc/passwd", "/etc/localtime", "localtime", "Factory", "a\0"),
    **refused("SCHEDULE.timezone", TEXT, 1, None),
}
FORM = {
    **{("NO_COMS.days_threshold", text): 5 for text in ("5", " 5 ", "05")},
    **refused("NO_COMS.days_threshold", WHOLE, "", " ", "five", "4.5", "1e1", "0x5", "5 days", "５五", None),
    ("NO_COMS.days_threshold", "0"): "Must be at least 1.",
    ("NO_COMS.days_threshold", "-1"): "Must be at least 1.",
    ("NO_COMS.days_threshold", "31"): "Must be at most 30.",
    ("NO_COMS.days_threshold", "9" * 30): "Must be at most 30.",
    ("NO_COMS.days_threshold", "9" * 5000): "Must be a whole number, and not so large.",
    ("ZERO_READS.days_to_check", "2"): 2,
    ("ZERO_READS.days_to_check", "1"): "Must be at least 2.",
    ("ZERO_READS.readings_to_compare", "10"): 10,
    ("ZERO_READS.readings_to_compare", "11"): "Must be at most 10.",
    ("NO_COMS.enabled", True): True,
    ("NO_COMS.enabled", False): False,
    ("NO_COMS.enabled", "maybe"): SWITCH,
    ("NO_COMS.job_type_id", ""): TYPE,
    ("NO_COMS.priority", None): LEVEL,
    ("NO_COMS.priority", "urgent"): LEVEL,
    ("NO_COMS.description_template", ""): "Must not be empty.",
    ("SCHEDULE.run_time", "25:00"): TIME,
    ("SCHEDULE.timezone", "Mars/Base"): ZONE,
}


def word(row: tuple[str, Any]) -> str:
    """A row's name."""
    return f"{row[0]}={row[1]!r:.20}"


@pytest.mark.parametrize("row", STRICT, ids=word)
def test_the_api_takes_json_of_the_right_type_within_the_limits(row: tuple[str, Any]) -> None:
    field, value = row

    assert outcome(field, [4] if value == "[4]" else value, strict=True) == STRICT[row]


def test_the_api_takes_no_switch_for_a_number_and_no_number_for_a_switch() -> None:
    assert outcome("NO_COMS.days_threshold", True, strict=True) == WHOLE
    assert outcome("NO_COMS.enabled", 1, strict=True) == SWITCH
    assert outcome("NO_COMS.enabled", 0, strict=True) == SWITCH
    assert outcome("NO_COMS.days_threshold", 4.0, strict=True) == WHOLE


@pytest.mark.parametrize("row", FORM, ids=word)
def test_the_form_takes_text_within_the_limits(row: tuple[str, Any]) -> None:
    field, value = row

    assert outcome(field, value, strict=False) == FORM[row]
