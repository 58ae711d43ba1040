"""What is asked about people."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, select

from ..extensions import db
from ..models import User
from ..models.user import MAY_WORK_JOBS


def all_users() -> Select[Any]:
    """Everybody, by name."""
    return select(User).order_by(User.username)


def assignable(keep: str | None = None) -> list[str]:
    """Who can be given a job: active users that may work jobs; and ``keep``, who has it now."""
    names = set(db.session.scalars(select(User.username).where(*MAY_WORK_JOBS)))
    return sorted(names | ({keep} if keep else set()))


def why_not_assignable(names: Collection[str]) -> dict[str, str]:
    """Of names to whom no job can be given: ``inactive``, or ``viewer``."""
    known = {user.username: user for user in db.session.scalars(select(User).where(User.username.in_(names)))}
    return {name: "viewer" if name in known and known[name].active else "inactive" for name in names}
