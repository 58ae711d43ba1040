"""write() is one transaction, and what began it ends it."""

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.extensions import db
from jobauto.models import Site
from jobauto.storage.connections import write


def add(site_id: str, *inside: str) -> None:
    """Add a site, and others in the middle of it."""
    with write() as session:
        session.add(Site(site_id=site_id, site_name=""))
        for other in inside:
            add(other)


def stored() -> list[str]:
    return list(db.session.scalars(select(Site.site_id)))


def test_one_inside_another_is_refused_and_both_are_undone(app: Flask) -> None:
    with pytest.raises(RuntimeError, match="inside"):
        add("outer", "inner")
    assert stored() == []


def test_one_after_another_is_not_whatever_became_of_the_first(app: Flask) -> None:
    add("S1")
    with pytest.raises(RuntimeError):
        add("outer", "inner")
    add("S2")
    assert stored() == ["S1", "S2"]
