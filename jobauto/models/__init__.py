"""Tables and constraints, nothing else."""

from .event import Event
from .form import Draft, SentForm
from .imports import Import
from .job import Job, JobReading
from .lab import LabResult
from .notification import Channel, OutboxMessage
from .reading import Reading
from .review import Review, ToClassify
from .run import Hold, Run, RunRule
from .run_request import RunRequest
from .run_site import RunSite
from .settings import SettingsVersion
from .site import Site
from .user import ApiToken, LoginFailure, User, UserSession

__all__ = [
    "ApiToken",
    "Channel",
    "Draft",
    "Event",
    "Hold",
    "Import",
    "Job",
    "JobReading",
    "LabResult",
    "LoginFailure",
    "OutboxMessage",
    "Reading",
    "Review",
    "Run",
    "RunRequest",
    "RunRule",
    "RunSite",
    "SentForm",
    "SettingsVersion",
    "Site",
    "ToClassify",
    "User",
    "UserSession",
]
