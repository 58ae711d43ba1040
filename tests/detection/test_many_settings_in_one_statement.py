"""A fleet that is judged by many settings in one statement is judged as each site by its own."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from jobauto.detection.combinations import question
from jobauto.models import Site
from jobauto.rules import RULES
from jobauto.rules.moment import Moment
from jobauto.rules.rule import Rule
from jobauto.settings.policies import Policies, Policy
from jobauto.settings.schema import Settings
from tests.detection import oracle
from tests.detection.ground import OK, Ground, Verdict, said
from tests.detection.test_rules_agree_with_the_oracle import add_meter, fleets, moments

ORACLES: dict[str, Any] = {"no_coms": oracle.no_coms, "zero_reads": oracle.zero_reads}
GROUPS = ("", "North", "South")
SITES = tuple(f"S{number}" for number in range(1, 9))
"""As the ground calls them."""
enabled = st.sampled_from([True, True, True, False])
part: st.SearchStrategy[dict[str, dict[str, Any]]] = st.fixed_dictionaries(
    {
        "NO_COMS": st.fixed_dictionaries(
            {"days_threshold": st.sampled_from([1, 2, 4, 6])}, optional={"enabled": enabled}
        ),
        "ZERO_READS": st.fixed_dictionaries(
            {"days_to_check": st.sampled_from([2, 3, 8])},
            optional={
                "readings_to_compare": st.integers(2, 4),
                "min_increase": st.sampled_from([0, 0.05, 2]),
                "priority": st.sampled_from(["low", "high"]),
                "enabled": enabled,
            },
        ),
    }
)
of_fleet: st.SearchStrategy[dict[str, dict[str, Any]]] = st.fixed_dictionaries(
    {},
    optional={
        "NO_COMS": st.fixed_dictionaries(
            {"days_threshold": st.integers(1, 5)}, optional={"enabled": enabled}
        ),
        "ZERO_READS": st.fixed_dictionaries(
            {"days_to_check": st.integers(3, 6)}, optional={"enabled": enabled}
        ),
    },
)


@st.composite
def many_policies(draw: st.DrawFn) -> Policies:
    """Four policies: each group and site has one at most."""
    owners = {thing: draw(st.sampled_from(["", *"ABCD"])) for thing in (*GROUPS[1:], *SITES)}

    def of(name: str, things: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(thing for thing in things if owners[thing] == name)

    fleet = Settings().changed(draw(of_fleet), strict=True)
    return Policies(
        fleet, tuple(Policy(name, draw(part), of(name, GROUPS[1:]), of(name, SITES)) for name in "ABCD")
    )


def judged(
    connection: Connection, rule: Rule, policies: Policies, moment: Moment
) -> dict[int, Verdict | None]:
    """What one statement says of each active site, by its key; None of those for which the rule is off."""
    every = connection.scalars(select(Site.key).where(Site.active)).all()
    asked = question(connection, rule, policies)
    if asked is None:
        return dict.fromkeys(every)
    moment = asked.about(moment)
    on = set(connection.scalars(select(Site.key).where(moment.sites_to_check())))
    found = said(connection, rule, asked.asked, moment)
    return {key: found.get(key, OK) if key in on else None for key in every}


@hypothesis(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data(), many_policies())
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_site_is_judged_by_what_holds_for_it(
    fleet_engine: Engine, rule: Rule, data: st.DataObject, policies: Policies
) -> None:
    moment = data.draw(moments)
    meters = data.draw(fleets(moment))
    groups = [data.draw(st.sampled_from(GROUPS)) for _ in meters]
    with fleet_engine.connect() as connection, connection.begin() as transaction:
        ground = Ground(connection)
        for meter, group in zip(meters, groups, strict=True):
            add_meter(ground, meter, group=group)
        found = judged(connection, rule, policies, moment)
        transaction.rollback()

    expected = {}
    for key, site_id, group, meter in zip(ground.keys, SITES, groups, meters, strict=False):
        settings = policies.effective(site_id, group).combined.rule(rule.name)
        if meter.active:
            expected[key] = ORACLES[rule.name](meter, settings, moment) if settings.enabled else None
    assert found == expected
