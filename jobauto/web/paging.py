"""One page of a long list."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import request
from sqlalchemy import Select, func, literal, select

from ..errors import InvalidInput
from ..extensions import db

T = TypeVar("T")
PER_PAGE = 20
MOST = 100
LAST_PAGE = 1_000_000
COUNTED = 10_000


@dataclass(frozen=True)
class Page(Generic[T]):
    """The rows of one page, and how many there are in all; ``more`` tells that they were not all counted."""

    items: list[T]
    page: int
    per_page: int
    total: int
    more: bool = False

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.per_page))


def asked_page() -> tuple[int, int]:
    """``page`` and ``per_page`` of the request's address. Raises InvalidInput."""
    return _number("page", 1, LAST_PAGE), _number("per_page", PER_PAGE, MOST)


def page_of(query: Select[T], page: int, per_page: int) -> Page[T]:
    """The rows of a page of a query of one entity."""
    total = db.session.scalar(select(func.count()).select_from(_rows_of(query).subquery()))
    rows = db.session.scalars(query.limit(per_page).offset((page - 1) * per_page)).unique().all()
    return Page(list(rows), page, per_page, total or 0)


def page_up_to(query: Select[T], page: int, per_page: int, counted: int = COUNTED) -> Page[T]:
    """Like :func:`page_of`, but counts only so many: the cost of a page does not grow with a long list."""
    counting = _rows_of(query).limit(counted + 1).subquery()
    total = db.session.scalar(select(func.count()).select_from(counting)) or 0
    rows = db.session.scalars(query.limit(per_page).offset((page - 1) * per_page)).unique().all()
    return Page(list(rows), page, per_page, min(total, counted), more=total > counted)


def _rows_of(query: Select[Any]) -> Select[int]:
    # Whatever is not asked for need not be read: an index alone may do to count.
    return query.order_by(None).with_only_columns(literal(1), maintain_column_froms=True)


def _number(name: str, default: int, most: int) -> int:
    text = request.args.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise InvalidInput(f"{name} must be a whole number from 1 to {most}.", {name: [f"1 to {most}"]}, 400)
    return int(text)
