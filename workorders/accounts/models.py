"""What the dashboard keeps of people beside Django's own accounts."""

from typing import ClassVar, Self

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone


class SignInLinkQuerySet(models.QuerySet["SignInLink"]):
    def valid(self) -> Self:
        """Links that sign somebody in: not used, not too old, of an account that is not closed."""
        return self.filter(
            used_at__isnull=True, expires_at__gt=timezone.now(), user__is_active=True
        )


class SignInLink(models.Model):
    """A link that signs one person in once. Only the hash of its token is kept."""

    token_hash = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = SignInLinkQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Sign-in link of {self.user}"


class Session(AbstractBaseSession):
    """A browser that is signed in, or an anonymous session. The user can be asked for."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="sessions", null=True
    )

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        from workorders.accounts.sessions import SessionStore  # noqa: PLC0415 (it needs this model)

        return SessionStore


class PasswordThrottle(models.Model):
    """How many passwords were tried for one account, from one address, or both."""

    key = models.CharField(primary_key=True, max_length=64, help_text="SHA-256 of what is counted.")
    attempts = models.PositiveIntegerField(default=0)
    ends_at = models.DateTimeField(db_index=True, help_text="From then on nothing is counted.")

    def __str__(self) -> str:
        return f"{self.attempts} attempts until {self.ends_at}"


class ProviderIdentity(models.Model):
    """Whom an OpenID Connect provider means. Names can change hands there, a subject cannot."""

    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="one_account_a_subject")
        ]

    def __str__(self) -> str:
        return f"{self.subject} of {self.issuer}"
