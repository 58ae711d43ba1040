"""In which order jobs are listed, and which comes before or after one of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, case, false, or_

from ..models import Job, Site
from ..models.job import PRIORITIES


@dataclass(frozen=True)
class Key:
    """One thing to sort by, and its value of a job. An empty value is less than any other."""

    column: SQLColumnExpression[Any]
    value: Callable[[Job], Any]
    descending: bool = False
    may_be_empty: bool = False

    def order(self) -> ColumnElement[Any]:
        """For ORDER BY, as the indexes have it."""
        column = self.column.desc() if self.descending else self.column.asc()
        if not self.may_be_empty:
            return column
        return column.nulls_last() if self.descending else column.nulls_first()

    def reversed(self) -> "Key":
        """The same the other way round."""
        return replace(self, descending=not self.descending)

    def same_as(self, job: Job) -> ColumnElement[bool]:
        """Whether a job has the same value as this one."""
        value = self.value(job)
        if value is None:
            return self.column.is_(None)
        return self.column == value  # type: ignore[no-any-return] # of SQLAlchemy's own

    def beyond(self, job: Job) -> ColumnElement[bool]:
        """Whether a job comes later than this one by this key."""
        value = self.value(job)
        if value is None:
            return false() if self.descending else self.column.is_not(None)
        if not self.descending:
            return self.column > value  # type: ignore[no-any-return] # the same
        less = self.column < value
        return or_(less, self.column.is_(None)) if self.may_be_empty else less

    def bound(self, job: Job) -> Iterator[ColumnElement[bool]]:
        """Where an index may begin: nothing that comes later than this job lies before it."""
        value = self.value(job)
        if value is not None and not (self.descending and self.may_be_empty):
            yield self.column <= value if self.descending else self.column >= value


@dataclass(frozen=True)
class Sort:
    """An order of the list; ``other`` is the one that a press on the same heading leads to."""

    label: str
    keys: tuple[Key, ...]
    other: str = ""

    def order(self) -> list[ColumnElement[Any]]:
        """For ORDER BY."""
        return [key.order() for key in self.keys]

    def reversed(self) -> "Sort":
        """The same the other way round."""
        return replace(self, keys=tuple(key.reversed() for key in self.keys))

    def after(self, job: Job) -> ColumnElement[bool]:
        """Which jobs come after one in this order, which need not be in the list itself."""
        ways = [
            and_(*(former.same_as(job) for former in self.keys[:place]), key.beyond(job))
            for place, key in enumerate(self.keys)
        ]
        return and_(*self.keys[0].bound(job), or_(*ways))


_OLDEST = Key(Job.id, lambda job: job.id)
_NEWEST = _OLDEST.reversed()
_LONGEST = Key(Job.since, lambda job: job.since, may_be_empty=True)
_RANK = {name: place for place, name in enumerate(PRIORITIES)}
_HIGHEST = Key(case(_RANK, value=Job.priority), lambda job: _RANK[job.priority], descending=True)
_SITE = Key(Site.site_id, lambda job: job.site.site_id)

SORTS = {
    "newest": Sort("Newest first", (_NEWEST,), "oldest"),
    "oldest": Sort("Oldest first", (_OLDEST,), "newest"),
    "longest": Sort("Longest fault first", (_LONGEST, _OLDEST), "shortest"),
    "shortest": Sort("Shortest fault first", (_LONGEST.reversed(), _NEWEST), "longest"),
    "priority": Sort("Highest priority first", (_HIGHEST, _NEWEST)),
    "site": Sort("By site", (_SITE, _NEWEST), "site_back"),
    "site_back": Sort("By site, last first", (_SITE.reversed(), _OLDEST), "site"),
}
"""By name. The longest fault is the one that began first, whenever it was found; a site that never reported
has been silent for longer than any."""
BY_SITE = ("site", "site_back")
