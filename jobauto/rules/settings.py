"""What the settings of every rule have in common. Each rule declares its own in its file.

Names, defaults and limits are a contract with the scripts of others. They may be added to, not changed.
"""

from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)


def storable(text: str) -> str:
    """Text that both databases can hold, for a validator. Raises ValueError."""
    with suppress(UnicodeEncodeError):
        if b"\0" not in text.encode():
            return text
    raise ValueError("Must be text, without NUL and halves of characters.")


def _exact(value: Any) -> Any:
    """A number of JSON as it is written, never through a float's last digits."""
    return Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value


KilowattHours = Annotated[
    Decimal,
    BeforeValidator(_exact),
    PlainSerializer(float, when_used="json"),
    Field(ge=0, le=1000, decimal_places=2),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1000}),
]
"""An amount of energy from 0.00 to 1,000.00 kWh; in JSON a number."""
Enabled = Annotated[bool, Field(title="Enabled", description="A disabled rule is skipped by every run.")]
JobTypeId = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9_-]{1,50}$",
        title="Job type",
        description="The type that the rule's jobs get: 1 to 50 of a-z, 0-9, _ and -. "
        "The two rules' types differ.",
    ),
]
CheckDuplicate = Annotated[
    bool,
    Field(
        title="Check for duplicates",
        description="On: a site with an open job of this type gets no second one. "
        "Off: each run opens a job for each finding.",
    ),
]
Priority = Annotated[
    Literal["low", "medium", "high"],
    Field(title="Priority", description="The priority that the rule's jobs get."),
]
DescriptionTemplate = Annotated[
    str,
    Field(
        min_length=1,
        max_length=500,
        title="Description",
        description="The text of the rule's jobs, up to 500 characters.",
    ),
    AfterValidator(storable),
]


Queue = Annotated[
    str,
    Field(max_length=100, title="Queue", description="The team that the rule's jobs go to. May be empty."),
    AfterValidator(storable),
]
Instructions = Annotated[
    str,
    Field(
        max_length=2000,
        title="Instructions",
        description="A checklist in plain text that the rule's jobs carry, up to 2,000 characters. "
        "May be empty.",
    ),
    AfterValidator(storable),
]
InitialStatus = Annotated[
    Literal["open", "in_progress", "on_hold"],
    Field(title="Initial status", description="The status that the rule's jobs start with."),
]
AutoCloseRecovered = Annotated[
    bool,
    Field(
        title="Close recovered jobs",
        description="On: when a run sees that the fault is gone, a job that nobody has worked on is closed. "
        "Off: it is only marked as recovered.",
    ),
]
ReopenAfterDays = Annotated[
    int,
    Field(
        ge=0,
        le=90,
        title="Days until a new job",
        description="After a person closed a job while the fault held, so many days pass before a new one "
        "is opened, unless the site recovered in between: 0 to 90. 0: the next run may.",
    ),
]


class Section(BaseModel):
    """Settings that belong together. An unknown name is an error, and a section never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: ClassVar[str]


class RuleSettings(Section):
    """What every rule has. ``variables`` are what its description may name."""

    variables: ClassVar[tuple[str, ...]]

    enabled: Enabled = True
    job_type_id: JobTypeId
    check_duplicate: CheckDuplicate = True
    priority: Priority = "medium"
    description_template: DescriptionTemplate
    queue: Queue = ""
    instructions: Instructions = ""
    initial_status: InitialStatus = "open"
    auto_close_recovered: AutoCloseRecovered = False
    reopen_after_days: ReopenAfterDays = 0

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """(field, what is wrong) between fields that are each right; every field of a pair is named."""
        yield from ()

    def judging(self) -> Self:
        """These settings as far as the rule judges by them: what its jobs get is as by default."""
        return type(self)(**self.model_dump(exclude=RuleSettings.model_fields.keys() - {"enabled"}))

    def reconciled(self) -> Self:
        """These settings without contradictions, where policies of a site and its group met in them."""
        return self
