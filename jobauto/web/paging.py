"""One page of a long list."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, TypeVarTuple

from flask import request, url_for
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from sqlalchemy import Row, Select, func, literal, select

from ..errors import InvalidInput
from ..extensions import db
from ..settings.schema import Errors, describe_errors
from .numbers import whole_number

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
PER_PAGE = 20
MOST = 100
LAST_PAGE = 1_000_000
COUNTED = 10_000


def number_or(default: int | None) -> BeforeValidator:
    """Reads the text of a parameter as a whole number; left empty, it means the default."""

    def read(given: Any) -> Any:
        if not isinstance(given, str):
            return given
        if not given.strip():
            return default
        number = whole_number(given)
        if number is None:
            raise ValueError("Must be a whole number.")
        return number

    return BeforeValidator(read)


class PageIn(BaseModel):
    """Which page of a list; empty means the default."""

    model_config = ConfigDict(extra="forbid")

    page: Annotated[int, number_or(1)] = Field(1, ge=1, le=LAST_PAGE)
    per_page: Annotated[int, number_or(PER_PAGE)] = Field(PER_PAGE, ge=1, le=MOST)


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


def asked_page(per_page: int = PER_PAGE) -> tuple[int, int]:
    """``page`` and ``per_page`` of the request's address, which need not say it. Raises InvalidInput."""
    given = {name: request.args[name] for name in PageIn.model_fields if name in request.args}
    try:
        asked = PageIn.model_validate(given)
    except ValidationError as error:
        wrong = describe_errors(error)
        raise InvalidInput(describe_fields(wrong), wrong, 400) from error
    return asked.page, asked.per_page if request.args.get("per_page", "").strip() else per_page


def page_of(query: Select[T], page: int, per_page: int) -> Page[T]:
    """The rows of a page of a query of one entity."""
    total = count_of(query)
    rows = db.session.scalars(query.limit(per_page).offset((page - 1) * per_page)).unique().all()
    return Page(list(rows), page, per_page, total)


def page_of_rows(query: Select[*Ts], page: int, per_page: int) -> "Page[Row[*Ts]]":
    """The rows of a page of a query of several columns."""
    total = db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    rows = db.session.execute(query.limit(per_page).offset((page - 1) * per_page)).all()
    return Page(list(rows), page, per_page, total)


def page_counted_beside(query: Select[Any], page: int, per_page: int) -> "Page[Any]":
    """The same, of a query that costs as much to count as to read: its rows and their number in one."""
    counted = query.add_columns(func.count().over())
    rows = db.session.execute(counted.limit(per_page).offset((page - 1) * per_page)).unique().all()
    if not rows and page > 1:  # beyond the end
        return page_of_rows(query, page, per_page)
    return Page([row[:-1] for row in rows], page, per_page, rows[0][-1] if rows else 0)


def page_up_to(
    query: Select[T],
    page: int,
    per_page: int,
    counted: int = COUNTED,
    in_order: Callable[[Select[T], bool], Select[T]] | None = None,
) -> Page[T]:
    """Like :func:`page_of`, but counts only so many: the cost of a page does not grow with a long list.

    ``in_order`` sorts what was counted, and is told whether that is all there is.
    """
    counting = _rows_of(query).limit(counted + 1).subquery()
    total = db.session.scalar(select(func.count()).select_from(counting)) or 0
    if in_order is not None:
        query = in_order(query, total <= counted)
    rows = db.session.scalars(query.limit(per_page).offset((page - 1) * per_page)).unique().all()
    return Page(list(rows), page, per_page, min(total, counted), more=total > counted)


def count_of(query: Select[Any]) -> int:
    """How many rows a query has."""
    return db.session.scalar(select(func.count()).select_from(_rows_of(query).subquery())) or 0


def _rows_of(query: Select[Any]) -> Select[int]:
    # Whatever is not asked for need not be read: an index alone may do to count.
    return query.order_by(None).with_only_columns(literal(1), maintain_column_froms=True)


def parameters_refused(known: Container[str]) -> Errors:
    """What the request's address has and a file does not take: it would be taken for a filter."""
    given = request.args.to_dict(flat=False)
    unknown = {name: ["There is no such filter."] for name in given if name not in known}
    return unknown | {name: ["Was given more than once."] for name, texts in given.items() if len(texts) > 1}


def require_parameters(*known: str) -> None:
    """Raise InvalidInput where the request's address has others."""
    if wrong := parameters_refused(known):
        raise InvalidInput(describe_fields(wrong), wrong, 400)


def describe_fields(wrong: Errors) -> str:
    """What is wrong, field by field, in a sentence."""
    return " ".join(f"{name}: {' '.join(why)}" for name, why in wrong.items())


def list_address(endpoint: str) -> str:
    """The address of a list, as this request's address narrows, sorts and pages it."""
    query = request.query_string.decode(errors="replace")
    return f"{url_for(endpoint)}?{query}" if query else url_for(endpoint)
