"""Tables and constraints, nothing else."""

from .bulk import BulkAction, BulkJob, JobView
from .decision import DecidedReading, Decision, MeterChange
from .event import Event
from .form import Draft, SentForm
from .imports import Import, ImportSite, ReplacedReading
from .incident import Cover, Incident
from .job import Job, JobReading
from .lab import LabResult
from .login import Identity, PendingLogin, RecoveryCode, SecondFactor
from .notification import Assignment, Channel, MailAddress, OutboxMessage
from .profile import FeedAlarm, ProfileVersion
from .reading import Reading, ReadingTurn
from .review import Review, ToClassify
from .run import Hold, Run, RunRule
from .run_count import Regrouping, RunCount
from .run_request import RunRequest
from .run_site import RunSite
from .settings import SettingsVersion
from .site import Site
from .user import ApiToken, LoginFailure, User, UserSession

__all__ = [
    "ApiToken",
    "Assignment",
    "BulkAction",
    "BulkJob",
    "Channel",
    "Cover",
    "DecidedReading",
    "Decision",
    "Draft",
    "Event",
    "FeedAlarm",
    "Hold",
    "Identity",
    "Import",
    "ImportSite",
    "Incident",
    "Job",
    "JobReading",
    "JobView",
    "LabResult",
    "LoginFailure",
    "MailAddress",
    "MeterChange",
    "OutboxMessage",
    "PendingLogin",
    "ProfileVersion",
    "Reading",
    "ReadingTurn",
    "RecoveryCode",
    "Regrouping",
    "ReplacedReading",
    "Review",
    "Run",
    "RunCount",
    "RunRequest",
    "RunRule",
    "RunSite",
    "SecondFactor",
    "SentForm",
    "SettingsVersion",
    "Site",
    "ToClassify",
    "User",
    "UserSession",
]
