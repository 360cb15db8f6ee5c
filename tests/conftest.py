"""Fixtures of all tests: browsers of an operator and a viewer, and the fake runs API."""

import os
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from tests.support.parametrize_ids import pytest_make_parametrize_id  # noqa: F401  # a hook
from tests.support.runs_api import API_KEY, RunsAPI, serve
from tests.support.scheduling import LongestFirst, rank
from tests.support.trigger_form import KINDS, TriggerForm
from workorders.accounts.users import ensure_account, ensure_operator
from workorders.runs.log_download import Slot
from workorders.runs_api.clients import default_client, scraping_client


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=rank)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LongestFirst | None:
    """With ``--dist loadfile``, as the Makefile has it."""
    return LongestFirst(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: tests of whole products wait for other processes."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else 3


@pytest.fixture(scope="session", autouse=True)
def _static_root() -> None:
    """Create the directory of ``collectstatic``: WhiteNoise warns when it is missing."""
    django_settings.STATIC_ROOT.mkdir(exist_ok=True)


@pytest.fixture(scope="session", autouse=True)
def _routes() -> None:
    """Import the routes once, before a test changes settings: whether the embedded API has routes
    must not depend on the test that comes first."""
    import_module(django_settings.ROOT_URLCONF)


@pytest.fixture(autouse=True)
def _downloads_end() -> Iterator[None]:
    """Give back the slots of downloads that a test has not read to their end."""
    yield
    Slot._taken.clear()


@pytest.fixture
def operator_user(db: None) -> User:
    return ensure_operator()


@pytest.fixture
def operator(operator_user: User) -> Client:
    """The browser of a person who may trigger runs."""
    client = Client()
    client.force_login(operator_user)
    return client


@pytest.fixture(params=KINDS)
def form(request: pytest.FixtureRequest, operator: Client) -> TriggerForm:
    """A dialog that an operator has opened: the test runs with htmx and without scripts."""
    return TriggerForm(operator, KINDS[request.param])


@pytest.fixture
def viewer(db: None) -> Client:
    """The browser of a person who may not trigger runs."""
    client = Client()
    client.force_login(ensure_account("viewer", can_trigger=False))
    return client


@pytest.fixture
def runs_api(settings: Settings) -> Iterator[RunsAPI]:
    """A fake runs API on a local port, which the dashboard is set to use."""
    with serve() as api:
        settings.RUNS_API_URL = api.url
        settings.RUNS_API_KEY = API_KEY
        settings.RUNS_API_HONOURS_KEYS = False
        # Long time-outs: only tests of time-outs may depend on time.
        settings.RUNS_API_CONNECT_TIMEOUT = 30
        settings.RUNS_API_READ_TIMEOUT = 30
        settings.RUNS_API_TRIGGER_TIMEOUT = 30
        clients = (default_client, scraping_client)
        for client in clients:
            client.cache_clear()
        yield api
        for client in clients:
            if client.cache_info().currsize:
                client()._http.close()
            client.cache_clear()


@pytest.fixture
def impatient(settings: Settings, runs_api: RunsAPI) -> None:
    """Set short time-outs for calls to the runs API."""
    settings.RUNS_API_READ_TIMEOUT = settings.RUNS_API_TRIGGER_TIMEOUT = 1
