"""Profiles: how to read the files of a feed."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Base
from .types import Instant

NAME_LENGTH = 50


class ProfileVersion(Base):
    """A profile as somebody saved it, whole; without a document it was deleted.

    Never changed afterwards: of each ``key``, the name in small letters, the highest version is current.
    """

    __tablename__ = "profile_version"

    key: Mapped[str] = mapped_column(String(NAME_LENGTH), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    document: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    changed_at: Mapped[datetime] = mapped_column(Instant)
    changed_by: Mapped[str | None] = mapped_column(String(100))


class FeedAlarm(Base):
    """That a feed has brought nothing ``since`` then was told of; ``key`` is its profile's."""

    __tablename__ = "feed_alarm"

    key: Mapped[str] = mapped_column(String(NAME_LENGTH), primary_key=True)
    since: Mapped[datetime] = mapped_column(Instant)
