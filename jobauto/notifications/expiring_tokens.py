"""API tokens that are about to end are told of, so that no script stops by surprise.

1. Look for tokens that are worth something and end within 30 days, or 7, of which that is not told yet.
   One that was made for a shorter time is not told of: whoever made it knows.
2. Mark each as told, if nobody else has: the database decides which process tells.
3. Put its message into the outbox in the same transaction.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update

from ..clock import Clock, utcnow
from ..extensions import db
from ..models import ApiToken, User
from ..storage.connections import write
from . import service

FIRST, LAST = 30, 7
"""Days before its end at which a token is told of."""


def tell(clock: Clock = utcnow) -> int:
    """Tell of each token that is due, once for each of the days; how many they were. Needs an app context."""
    now = clock()
    due = [(token.id, days) for token in _ending(now) if (days := _due(token, now)) is not None]
    db.session.rollback()
    return sum(_tell(token_id, days, now) for token_id, days in due)


def _ending(now: datetime) -> Sequence[ApiToken]:
    soon = (ApiToken.expires_at > now) & (ApiToken.expires_at <= now + timedelta(days=FIRST))
    not_told = or_(ApiToken.told_days.is_(None), ApiToken.told_days > LAST)
    found = select(ApiToken).join(User).where(soon, not_told, ApiToken.revoked_at.is_(None), User.active)
    return db.session.scalars(found.order_by(ApiToken.id)).all()


def _due(token: ApiToken, now: datetime) -> int | None:
    days = LAST if token.expires_at - now <= timedelta(days=LAST) else FIRST
    was_longer = token.expires_at - token.created_at > timedelta(days=days)
    return days if was_longer and (token.told_days is None or token.told_days > days) else None


def _tell(token_id: int, days: int, now: datetime) -> bool:
    not_told = or_(ApiToken.told_days.is_(None), ApiToken.told_days > days)
    told = update(ApiToken).where(ApiToken.id == token_id, not_told).values(told_days=days)
    with write() as session:
        if session.scalar(told.returning(ApiToken.id)) is None:
            return False
        token = session.get_one(ApiToken, token_id)
        service.token_ends(session.connection(), token, days, now)
        return True
