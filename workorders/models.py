"""The dashboard's own models, imported here because Django looks for models in this module.

Work orders and runs have no models here: they belong to the runs API.
"""

from workorders.accounts.models import PasswordThrottle, ProviderIdentity, Session, SignInLink
from workorders.attempts.models import TriggerAttempt
from workorders.attempts.submissions import EarlierSubmission

__all__ = [
    "EarlierSubmission",
    "PasswordThrottle",
    "ProviderIdentity",
    "Session",
    "SignInLink",
    "TriggerAttempt",
]
