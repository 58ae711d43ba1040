"""A held run in a real browser: its band, its page, and the pages that ask."""

import pytest

from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from tests.browser.conftest import Visit
from tests.browser.test_looks import HELD
from tests.browser.visitor import violations
from tests.fleets import add_site, days_before

pytestmark = pytest.mark.process


def test_axe_finds_nothing_where_a_run_is_held(visit: Visit, axe: str) -> None:
    for number in range(25):
        add_site(f"S{number}", {days_before(4, utcnow()): 7})
    run(RunParameters("manual", requested_by="oscar"), utcnow)
    visitor = visit(bypass_csp=True)
    assert [each for path in HELD for each in violations(visitor.open(path), axe)] == []
