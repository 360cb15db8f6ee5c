"""Database tables about people, beside Django's own accounts."""

from typing import ClassVar, Self

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone


class SignInLinkQuerySet(models.QuerySet["SignInLink"]):
    def valid(self) -> Self:
        """Links that can still sign somebody in: unused, not expired, of an active account."""
        return self.filter(
            used_at__isnull=True, expires_at__gt=timezone.now(), user__is_active=True
        )


class SignInLink(models.Model):
    """A link that signs one person in once.

    ``token_hash`` is the SHA-256 of the token in hexadecimal; the token itself is not stored.
    ``used_at`` is null until the link is used.
    """

    token_hash = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = SignInLinkQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Sign-in link of {self.user}"


class Session(AbstractBaseSession):
    """One browser's session. ``user`` is null while nobody is signed in.

    Django's own session table has no column for the user, so a user's sessions could not be
    listed or ended.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="sessions", null=True
    )

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        from workorders.accounts.sessions import SessionStore  # noqa: PLC0415 (it needs this model)

        return SessionStore


class PasswordThrottle(models.Model):
    """Number of passwords tried for one account, from one address, or for both together.

    A row counts until ``ends_at``; see ``password_throttle``.
    """

    key = models.CharField(primary_key=True, max_length=64, help_text="SHA-256 of what is counted.")
    attempts = models.PositiveIntegerField(default=0)
    ends_at = models.DateTimeField(db_index=True, help_text="From then on nothing is counted.")

    def __str__(self) -> str:
        return f"{self.attempts} attempts until {self.ends_at}"


class ProviderIdentity(models.Model):
    """The account of one subject at an OpenID Connect provider.

    Accounts are found by issuer and subject. A provider may give a person's user name to
    somebody else later, but never a subject (OpenID Connect Core 1.0, section 5.7).
    """

    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="one_account_a_subject")
        ]

    def __str__(self) -> str:
        return f"{self.subject} of {self.issuer}"
