"""The dashboard's own tables, where Django looks for them.

Work orders and runs belong to the runs API.
"""

from workorders.accounts.models import PasswordThrottle, ProviderIdentity, Session, SignInLink
from workorders.attempts.models import TriggerAttempt

__all__ = ["PasswordThrottle", "ProviderIdentity", "Session", "SignInLink", "TriggerAttempt"]
