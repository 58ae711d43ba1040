"""What is asked about people."""

from typing import Any

from sqlalchemy import Select, select

from ..extensions import db
from ..models import ApiToken, User


def all_users() -> Select[Any]:
    """Everybody, by name."""
    return select(User).order_by(User.username)


def assignable(keep: str | None = None) -> list[str]:
    """Who can be given a job: active users that may work jobs; and ``keep``, who has it now."""
    names = set(db.session.scalars(select(User.username).where(User.active, User.role != "viewer")))
    return sorted(names | ({keep} if keep else set()))


def tokens(user: User) -> Select[Any]:
    """A user's tokens that are worth something, newest first."""
    return (
        select(ApiToken)
        .where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
        .order_by(ApiToken.id.desc())
    )
