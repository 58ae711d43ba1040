"""Tables and constraints, nothing else."""

from .event import Event
from .form import Draft, SentForm
from .imports import Import
from .job import Job, JobReading
from .notification import Address, OutboxMessage
from .reading import Reading
from .run import Hold, Run, RunRule
from .run_request import RunRequest
from .settings import SettingsVersion
from .site import Site
from .user import ApiToken, LoginFailure, User, UserSession

__all__ = [
    "Address",
    "ApiToken",
    "Draft",
    "Event",
    "Hold",
    "Import",
    "Job",
    "JobReading",
    "LoginFailure",
    "OutboxMessage",
    "Reading",
    "Run",
    "RunRequest",
    "RunRule",
    "SentForm",
    "SettingsVersion",
    "Site",
    "User",
    "UserSession",
]
