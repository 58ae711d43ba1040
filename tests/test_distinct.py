"""The different values of a column, by leaps through its index."""

import pytest
from flask import Flask

from jobauto.extensions import db
from jobauto.sites.queries import groups
from jobauto.storage import distinct
from tests.fleets import add_site


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ([], []),
        ([""], []),
        (["b", "a", "b", "", "a"], ["a", "b"]),
        (["north", "North", "Ørsted"], None),
    ],
    ids=["no sites", "only the empty one", "repeated", "in the database's own order"],
)
def test_each_value_is_found_once_and_in_order(app: Flask, given: list[str], found: list[str] | None) -> None:
    for number, group in enumerate(given):
        add_site(f"S{number}", group=group)

    values = list(db.session.scalars(groups()))

    assert sorted(values) == sorted(set(given) - {""})
    assert found is None or values == found


def test_so_many_are_offered_because_whoever_brings_sites_may_give_each_a_group(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distinct, "MOST", 2)
    for group in ("c", "a", "b"):
        add_site(f"S{group}", group=group)
    assert list(db.session.scalars(groups())) == ["a", "b"]
