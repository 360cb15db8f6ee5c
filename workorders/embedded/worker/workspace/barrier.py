"""What keeps tools that walk up from leaving a run's copy."""

import os
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings


def barrier_environment() -> dict[str, str]:
    """For the commands of a run: git does not look above the copies for a repository."""
    return {"GIT_CEILING_DIRECTORIES": os.path.realpath(settings.WORKSPACES_DIR)}


def without_git_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Git started by a hook, or a shell prepared for one repository, sets ``GIT_DIR`` and more."""
    return {name: value for name, value in environment.items() if not name.startswith("GIT_")}


def project_above(directory: Path) -> Path | None:
    """The nearest file above or in the directory that tools take for a project's, if any.

    Test runners, package managers and linters walk up as git does, and have no such barrier.
    """
    for place in (directory, *directory.parents):
        for name in settings.PROJECT_MARKERS:
            if (place / name).exists():
                return place / name
    return None
