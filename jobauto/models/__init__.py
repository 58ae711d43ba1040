"""Tables and constraints, nothing else."""

from .event import Event
from .form import Draft, SentForm
from .imports import Import
from .job import Job, JobReading
from .login import Identity, PendingLogin, RecoveryCode, SecondFactor
from .notification import Channel, OutboxMessage
from .reading import Reading
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
    "Identity",
    "Import",
    "Job",
    "JobReading",
    "LoginFailure",
    "OutboxMessage",
    "PendingLogin",
    "Reading",
    "RecoveryCode",
    "Run",
    "RunRequest",
    "RunRule",
    "RunSite",
    "SecondFactor",
    "SentForm",
    "SettingsVersion",
    "Site",
    "User",
    "UserSession",
]
