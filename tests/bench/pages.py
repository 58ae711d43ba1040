"""Pages over many jobs, against the same pages over few."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from sqlalchemy import event

from jobauto.clock import utcnow
from jobauto.extensions import db
from tests.bench.engines import Engine
from tests.bench.fleet import Fleet, add_jobs, build
from tests.bench.sizes import Sizes
from tests.bench.table import Line, Measured
from tests.bench.turns import Side, in_turn
from tests.people import Person

PAGES = {
    "dashboard": ("/", 1.5),
    "job list": ("/jobs/", 1.5),
    "open jobs": ("/jobs/?status=unclosed", 1.5),
    "report": ("/report/", 10),
    "search": ("/search/?q=nowhere", 3),
    "jobs of a priority": ("/jobs/?priority=high", 3),
    "jobs with a word": ("/jobs/?status=any&search=nowhere", 3),
    "sites by jobs": ("/sites/?sort=jobs", 3),
}
"""By the name of its line: its address, and how many times the other's time it may take.

The report counts the jobs of its thirty days, which are 3 % of all, and the open ones.
"""
FEW = 1000
FLEET = Fleet(100_000, days=1)

Look = Callable[[str], int]


def lines(engine: Engine, sizes: Sizes) -> Iterator[Measured]:
    """A line a page; the number of its SQL statements must be the same however many jobs there are."""
    with browsing(engine, sizes.jobs) as at_many, browsing(engine, FEW) as at_few:
        for name, (address, most) in PAGES.items():
            line = Line(name, f"{address} with {sizes.jobs:,} jobs", f"with {FEW:,}", most)
            turns = in_turn(Side(partial(at_many, address)), Side(partial(at_few, address)))
            many, few = at_many(address), at_few(address)
            broken = "" if many == few else f"{many} SQL statements instead of {few}"
            yield Measured(line, engine.name, turns, {"SQL statements": many}, broken)


@contextmanager
def browsing(engine: Engine, jobs: int) -> Iterator[Look]:
    """Somebody who is logged in, and opens pages; told is with how many statements each was made."""
    with engine.fresh() as app:
        build(FLEET)
        add_jobs(jobs, FLEET.sites, utcnow())
        person, statements = Person(app, "ada"), 0

        def count(*_: object) -> None:
            nonlocal statements
            statements += 1

        def look(address: str) -> int:
            before = statements
            answer = person.get(address)
            assert answer.status_code == 200, answer.status
            return statements - before

        event.listen(db.engine, "before_cursor_execute", count)
        yield look
