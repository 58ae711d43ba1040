"""Versions of the settings."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Base
from .types import Instant


class SettingsVersion(Base):
    """The whole of the settings as somebody saved them. Never changed afterwards; the highest is current.

    ``policies`` are the settings that differ for some groups and sites (:mod:`jobauto.settings.policies`).
    ``slots_owed_from`` is the instant before which no slot of the schedule is owed.
    """

    __tablename__ = "settings_version"

    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    policies: Mapped[list[Any]] = mapped_column(JSON, default=list, server_default="[]")
    changed_at: Mapped[datetime] = mapped_column(Instant)
    changed_by: Mapped[str | None] = mapped_column(String(100))
    slots_owed_from: Mapped[datetime] = mapped_column(Instant)
