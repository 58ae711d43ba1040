"""Which of several policies counts, and what they leave alone."""

from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from jobauto.settings.policies import FLEET, Effective, Policies, Policy
from jobauto.settings.schema import Settings, SettingsError
from jobauto.settings.service import count_sites
from jobauto.settings.stored import read_policies
from tests.fleets import add_site

CHOICES: dict[tuple[str, str], list[Any]] = {
    ("NO_COMS", "enabled"): [True, False],
    ("NO_COMS", "days_threshold"): [1, 3, 30],
    ("NO_COMS", "priority"): ["low", "medium", "high"],
    ("NO_COMS", "queue"): ["", "North"],
    ("ZERO_READS", "days_to_check"): [10, 20, 30],
    ("ZERO_READS", "readings_to_compare"): [2, 10],
    ("ZERO_READS", "description_template"): ["{site_name} stands", "still"],
}

said = st.fixed_dictionaries(
    {}, optional={field: st.sampled_from(values) for field, values in CHOICES.items()}
)


def nested(values: dict[tuple[str, str], Any]) -> dict[str, dict[str, Any]]:
    """By section, as JSON has it."""
    found: dict[str, dict[str, Any]] = {}
    for (section, name), value in values.items():
        found.setdefault(section, {})[name] = value
    return found


@given(fleet=said, of_group=st.none() | said, of_site=st.none() | said)
def test_a_sites_own_wins_over_its_groups_and_that_over_the_fleets_field_by_field(
    fleet: dict[Any, Any], of_group: dict[Any, Any] | None, of_site: dict[Any, Any] | None
) -> None:
    settings = Settings().changed(nested({("ZERO_READS", "days_to_check"): 10} | fleet))
    group = None if of_group is None else Policy.parsed("G", nested(of_group))
    site = None if of_site is None else Policy.parsed("S", nested(of_site))

    found = Effective(settings, group, site).sources()

    document = settings.document()
    for section, name in CHOICES:
        value, source = document[section][name], FLEET
        if of_group is not None and (section, name) in of_group:
            value, source = of_group[section, name], "G"
        if of_site is not None and (section, name) in of_site:
            value, source = of_site[section, name], "S"
        assert found[section][name] == {"value": value, "from": source}
    assert found["NO_COMS"]["job_type_id"] == {"value": "no_coms", "from": FLEET}


def test_where_two_meet_that_contradict_each_other_fewer_readings_are_compared() -> None:
    group = Policy("G", {"ZERO_READS": {"days_to_check": 3}})
    site = Policy("S", {"ZERO_READS": {"readings_to_compare": 4}})
    both = Effective(Settings(), group, site)
    assert list(both.errors()) == ["ZERO_READS.readings_to_compare", "ZERO_READS.days_to_check"]
    assert both.combined.rule("zero_reads").model_dump()["readings_to_compare"] == 3


@pytest.mark.parametrize(
    ("stored", "left", "named"),
    [
        ({"NO_COMS": {"days_threshold": 7}}, {"NO_COMS": {"days_threshold": 7}}, []),
        (
            {"NO_COMS": {"days_threshold": 70, "priority": "low"}},
            {"NO_COMS": {"priority": "low"}},
            ["Slow: NO_COMS.days_threshold"],
        ),
        ({"GONE": {"x": 1}}, {}, ["Slow: GONE"]),
        (
            {"ZERO_READS": {"days_to_check": 2}},
            {},
            ["Slow: ZERO_READS.days_to_check"],
        ),
        ({"groups": "North"}, {}, ["Slow: groups"]),
    ],
    ids=[
        "as it was",
        "a limit that was tightened",
        "a rule that is no more",
        "against the fleet's",
        "no list",
    ],
)
def test_of_what_can_no_longer_be_read_a_policy_says_nothing_and_it_is_named(
    stored: dict[str, Any], left: dict[str, Any], named: list[str]
) -> None:
    policies, unreadable = read_policies([{"name": "Slow", **stored}], Settings())
    assert [policy.values for policy in policies.all] == [left]
    assert [one.field for one in unreadable] == named


@pytest.mark.parametrize("name", ["Two words", "done", ""], ids=["two words", "taken since", "none"])
def test_a_policy_whose_name_can_no_longer_be_read_is_left_out_and_it_is_named(name: str) -> None:
    documents = [{"name": name, "NO_COMS": {"days_threshold": 7}}, {"name": "Slow"}]
    policies, unreadable = read_policies(documents, Settings())
    assert [policy.name for policy in policies.all] == ["Slow"]
    assert [(one.field, one.value) for one in unreadable] == [(name, {"NO_COMS": {"days_threshold": 7}})]


def test_there_are_no_more_policies_than_a_backup_may_hold() -> None:
    most = tuple(Policy(f"P{number}") for number in range(1000))
    full = Policies(Settings(), most)
    assert full.replaced(Policy("P7", groups=("North",))).named("P7") == Policy("P7", groups=("North",))
    with pytest.raises(SettingsError, match="There are 1,000 policies"):
        full.replaced(Policy("One more"))


def test_the_groups_of_a_policy_may_be_more_than_a_statement_has_parameters(app: Flask) -> None:
    """With 70,000 of them *Policies* and *Settings* were answered with 503 on PostgreSQL."""
    add_site(group="g7")
    many = Policy("Many", groups=tuple(f"g{at}" for at in range(70_000)))
    assert count_sites(Policies(Settings(), (many,))) == {"Many": 1}
