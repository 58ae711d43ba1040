"""The imports that there were, newest first."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Select, func, select

from ..extensions import db
from ..models import Import
from .result import COUNTS


def newest_first() -> Select[Import]:
    """All imports; of those with one token on one day, the first."""
    return select(Import).where(Import.part_of.is_(None)).order_by(Import.id.desc())


def history(before_id: int | None = None) -> Select[Import]:
    """Imports that stored something or were to, newest first: all, or those before one."""
    older = [Import.id < before_id] if before_id else []
    return select(Import).where(~Import.dry_run, *older).order_by(Import.id.desc())


class Parts(NamedTuple):
    """How many further imports with one token there were on a day, and what came of them."""

    imports: int
    new: int
    updated: int
    unchanged: int
    rejected: int
    last_id: int


def parts(import_ids: Collection[int]) -> dict[int, Parts]:
    """Of each first import of a day with a token, the others."""
    of_first = Import.part_of.in_(import_ids)
    sums = (func.sum(getattr(Import, name)) for name in COUNTS)
    found = select(Import.part_of, func.count(), *sums, func.max(Import.id)).where(of_first)
    return {first: Parts(*numbers) for first, *numbers in db.session.execute(found.group_by(Import.part_of))}
