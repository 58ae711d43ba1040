"""Tables and constraints, nothing else."""

from .event import Event
from .imports import Import
from .job import Job, JobReading
from .reading import Reading
from .run import Hold, Run, RunRule
from .run_request import RunRequest
from .settings import SettingsVersion
from .site import Site
from .user import ApiToken, User

__all__ = [
    "ApiToken",
    "Event",
    "Hold",
    "Import",
    "Job",
    "JobReading",
    "Reading",
    "Run",
    "RunRequest",
    "RunRule",
    "SettingsVersion",
    "Site",
    "User",
]
