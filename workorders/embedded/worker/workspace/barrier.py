"""Keeps tools that search parent directories from leaving a run's copy."""

import os
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings


def barrier_environment() -> dict[str, str]:
    """Environment variables for a run's commands.

    They keep git from looking for a repository above the copies.
    """
    return {"GIT_CEILING_DIRECTORIES": os.path.realpath(settings.WORKSPACES_DIR)}


def without_git_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without git's variables.

    Git hooks, and shells that are set up for one repository, set ``GIT_DIR`` and others. These
    would lead git commands to the wrong repository.
    """
    return {name: value for name, value in environment.items() if not name.startswith("GIT_")}


def project_above(directory: Path) -> Path | None:
    """The nearest file, in the directory or above it, that marks a project; None without one.

    Test runners, package managers and linters search parent directories as git does, but nothing
    stops them at the copy.
    """
    for place in (directory, *directory.parents):
        for name in settings.PROJECT_MARKERS:
            if (place / name).exists():
                return place / name
    return None
