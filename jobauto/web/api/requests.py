"""What comes in as JSON or in an address. Names are a contract with the scripts of others."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, RootModel, create_model

from ...settings.schema import Settings, storable
from ..paging import LAST_PAGE, MOST, PER_PAGE

StorableText = Annotated[str, AfterValidator(storable)]


def _or_default(default: int) -> Callable[[Any], Any]:
    return lambda value: default if value == "" else value


class In(BaseModel):
    """What a caller sends. Unknown names are errors."""

    model_config = ConfigDict(extra="forbid")


class SiteIn(In):
    """A site to add or change. What is left out stays as it is."""

    site_id: str
    site_name: str
    monitored_from: date | None = None
    active: bool | None = None
    group: str | None = None


class ReadingIn(In):
    """A reading to add. Numbers are taken as they are written, never through a float."""

    site_id: str
    reading_date: str
    reading_value: str | float


class ReadingsQueryIn(BaseModel):
    """How a file of readings is read: without which of its columns."""

    ignore_column: list[str] = []


class SitesIn(RootModel[list[SiteIn] | SiteIn]):
    """One site or a list."""


class ReadingsIn(RootModel[list[ReadingIn] | ReadingIn]):
    """One reading or a list."""


class PageIn(BaseModel):
    """Which page of a list; empty means the default."""

    page: Annotated[int, BeforeValidator(_or_default(1))] = Field(1, ge=1, le=LAST_PAGE)
    per_page: Annotated[int, BeforeValidator(_or_default(PER_PAGE))] = Field(PER_PAGE, ge=1, le=MOST)


class JobsIn(PageIn):
    """Which jobs."""

    status: Literal["", "open", "in_progress", "on_hold", "closed"] = ""
    rule: Literal["", "no_coms", "zero_reads"] = ""
    site_id: StorableText = ""
    queue: StorableText = ""


class SitesQueryIn(PageIn):
    """Which sites: those whose id or name contains ``q``."""

    q: StorableText = ""


class JobChangeIn(In):
    """What is to become of a job. An assignee of null or "" takes the job from its assignee."""

    model_config = ConfigDict(extra="forbid", strict=True)

    status: Literal["open", "in_progress", "on_hold", "closed"] | None = None
    resolution: Literal["fixed", "recovered", "false_alarm", "duplicate", "other"] | None = None
    priority: Literal["low", "medium", "high"] | None = None
    assignee: StorableText | None = None
    note: StorableText | None = None


def _in_part(name: str, model: type[BaseModel], fields: dict[str, Any]) -> type[BaseModel]:
    """A model of which every field may be left out."""
    definitions: dict[str, Any] = {field: (kind, None) for field, kind in fields.items()}
    config = ConfigDict(extra="forbid", strict=True)
    return create_model(f"{name}In", __doc__=model.__doc__, __config__=config, **definitions)


def _fields(section: type[BaseModel]) -> dict[str, Any]:
    hints = get_type_hints(section, include_extras=True)
    return {name: hints[name] for name in section.model_fields}


SettingsIn = _in_part(
    "Settings",
    Settings,
    {
        name.upper(): _in_part(section.__name__, section, _fields(section))
        for name, section in _fields(Settings).items()
    },
)
"""Settings, whole or in part. What is left out stays as it is."""
