"""What the threshold lab has worked out, or is at."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Float, Integer, PrimaryKeyConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Base
from .site import GROUP_LENGTH
from .types import Instant


class LabResult(Base):
    """The newest answer to one question of the lab: a rule, so many days, a group (empty: the fleet).

    ``settings`` and ``readings`` name what it was worked out from, as it was when that began: settings with
    their slots, readings with their sites and runs. While it is worked out, ``progress`` is the share that
    is done, ``heartbeat_at`` proves that the process of this one of the ``attempts`` is at it, and ``answer``
    is empty.
    """

    __tablename__ = "lab_result"
    __table_args__ = (PrimaryKeyConstraint("rule", "days", "group"),)

    rule: Mapped[str] = mapped_column(String(50))
    days: Mapped[int] = mapped_column(Integer, autoincrement=False)
    group: Mapped[str] = mapped_column(String(GROUP_LENGTH))
    settings: Mapped[str] = mapped_column(Text)
    readings: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer)
    heartbeat_at: Mapped[datetime] = mapped_column(Instant)
    progress: Mapped[float] = mapped_column(Float)
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
