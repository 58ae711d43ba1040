"""Views of the list of jobs: those that everybody has, with their counts, and those that people keep."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, delete, func, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from ..errors import InvalidInput
from ..extensions import db
from ..models import Job, JobView, User
from ..models.bulk import VIEW_NAME_LENGTH
from ..models.job import STILL_OPEN
from ..storage.connections import write
from . import queries
from .queries import JobFilter

ALL_OPEN = {"status": "unclosed"}
"""What the list shows where its address asks for nothing."""
MOST_KEPT = 20
COUNTED = 10_000
"""Jobs of a view are counted up to so many: the cost of a page does not grow with them."""
COUNTED_AMONG = 5_000
"""Views that people keep are counted while no more jobs are open: each of them may look at all that are."""


@dataclass(frozen=True)
class View:
    """A view by its title, what its address asks for, and how many jobs it holds.

    ``count`` is at most :data:`COUNTED` and one more, which stands for more; None where nobody counts.
    """

    title: str
    query: dict[str, str]
    count: int | None = None

    @property
    def is_all_open(self) -> bool:
        """Whether it is what the list shows anyhow, whatever its title."""
        return self.query == ALL_OPEN


def views(username: str, now: datetime, zone: ZoneInfo) -> list[View]:
    """What everybody has: each is counted by an index of its own, all in one statement."""
    closed_this_week = (Job.closed_at >= week_began(now, zone), ~STILL_OPEN)
    views = (
        ("Mine", {"status": "unclosed", "assignee": username}, (STILL_OPEN, Job.assignee == username)),
        ("Unassigned", {"status": "unclosed", "assignee": "-"}, (STILL_OPEN, Job.assignee.is_(None))),
        (
            "Recovered",
            {"status": "unclosed", "recovered": "yes"},
            (STILL_OPEN, Job.recovered_at.is_not(None)),
        ),
        ("All open", ALL_OPEN, (STILL_OPEN,)),
        ("Closed this week", {"status": "closed", "closed": "week"}, closed_this_week),
    )
    counts = db.session.execute(select(*(_count(*jobs).scalar_subquery() for *_, jobs in views))).one()
    return [View(title, query, count) for (title, query, _), count in zip(views, counts, strict=True)]


def count_kept(filters: Mapping[str, JobFilter], open_jobs: int, now: datetime) -> dict[str, int]:
    """How many jobs the views of open jobs hold, by their names, all in one statement.

    Others are not counted: to come by a few among a million closed jobs takes too long for a page.
    """
    counted = {name: wanted for name, wanted in filters.items() if wanted.status not in ("", "closed")}
    if not counted or open_jobs > COUNTED_AMONG:
        return {}
    jobs = (queries.jobs_matching(wanted, now).order_by(None) for wanted in counted.values())
    ones = (query.with_only_columns(literal(1), maintain_column_froms=True).subquery() for query in jobs)
    counts = select(*(select(func.count()).select_from(one).scalar_subquery() for one in ones))
    return dict(zip(counted, db.session.execute(counts).one(), strict=True))


def week_began(now: datetime, zone: ZoneInfo) -> datetime:
    """The last Monday at 00:00 on the clocks of a zone."""
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=today.weekday())


def _count(*jobs: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).select_from(select(literal(1)).where(*jobs).limit(COUNTED + 1).subquery())


def kept_by(user_id: int) -> Select[JobView]:
    """The views that a person keeps, in the order of their names."""
    return select(JobView).where(JobView.user_id == user_id).order_by(JobView.name).limit(MOST_KEPT)


def keep(user_id: int, name: str, query: str) -> bool:
    """Keep a view under a name; whether another one had it, which is kept no longer. Raises InvalidInput."""
    name = _named(name)
    kept = {"user_id": user_id, "name": name, "query": query}
    with write() as session:
        of_that_name = select(JobView.query).where(JobView.user_id == user_id, JobView.name == name)
        former = session.scalar(of_that_name)
        others = select(func.count()).where(JobView.user_id == user_id, JobView.name != name)
        if (session.scalar(others) or 0) >= MOST_KEPT:
            raise InvalidInput(f"A view was not kept: you have {MOST_KEPT}. Forget one first.")
        dialect = postgresql if session.connection().dialect.name == "postgresql" else sqlite
        insert = dialect.insert(JobView).values(kept)
        session.execute(
            insert.on_conflict_do_update(index_elements=["user_id", "name"], set_={"query": query})
        )
    return former not in (None, query)


def rename(user_id: int, name: str, to: str) -> None:
    """Keep a view under another name. Raises InvalidInput, also where that is the name of another view."""
    to = _named(to)
    of_that_name = update(JobView).where(JobView.user_id == user_id, JobView.name == name)
    try:
        with write() as session:
            found = session.execute(of_that_name.values(name=to).returning(JobView.name)).all()
    except IntegrityError as error:
        another = f"you have another one of the name {to}"
        raise InvalidInput(f"The view was not renamed: {another}.") from error
    if not found:
        raise InvalidInput("The view was not renamed: it is kept no longer.")


def _named(name: str) -> str:
    name = name.strip()
    if not (1 <= len(name) <= VIEW_NAME_LENGTH and name.isprintable()):
        raise InvalidInput(
            f"Nothing was kept: the name of a view must have 1 to {VIEW_NAME_LENGTH} characters."
        )
    return name


def choose_rows(user_id: int, rows: int) -> None:
    """Remember how many jobs a page of the list has for a person."""
    with write() as session:
        session.execute(update(User).where(User.id == user_id).values(rows_a_page=rows))


def forget(user_id: int, name: str) -> None:
    """Keep a view no longer."""
    with write() as session:
        session.execute(delete(JobView).where(JobView.user_id == user_id, JobView.name == name))
