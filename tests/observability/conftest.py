import pytest
from pytest_django import Settings

from tests.support.scraped import TOKEN, Meter


@pytest.fixture(autouse=True)
def _token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


@pytest.fixture
def meter(db: None) -> Meter:
    return Meter()
