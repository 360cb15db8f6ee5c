"""Scrapes of ``/metrics`` by a scraper that knows the token."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

TOKEN = "the-token-of-the-scraper"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}

type Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Scraped:
    """One scrape: its text, and the value of every series by name and labels."""

    text: str

    @cached_property
    def series(self) -> Mapping[tuple[str, Labels], float]:
        families = text_string_to_metric_families(self.text)
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        """The value of the series with exactly these labels; ``None`` without such a series."""
        return self.series.get((f"run_dashboard_{name}", frozenset(labels.items())))

    def sum(self, name: str, **labels: str) -> float:
        """The sum over all series that have these labels, whatever others they have."""
        wanted = frozenset(labels.items())
        return sum(
            value
            for (series, own), value in self.series.items()
            if series == f"run_dashboard_{name}" and wanted <= own
        )


def scrape() -> Scraped:
    response = Client().get("/metrics", headers=AUTHORIZED)
    assert response.status_code == 200
    return Scraped(response.content.decode())


class Meter:
    """Increases since its creation, since the counters themselves count the whole test run."""

    def __init__(self) -> None:
        self._before = scrape()

    def gained(self, name: str, **labels: str) -> float:
        return scrape().sum(name, **labels) - self._before.sum(name, **labels)

    def new_labels(self, name: str) -> list[dict[str, str]]:
        """The labels of all series of this name that have grown; empty labels are left out."""
        before, after = self._before.series, scrape().series
        return [
            {label: value for label, value in labels if value}
            for (series, labels), value in after.items()
            if series == f"run_dashboard_{name}" and value > before.get((series, labels), 0)
        ]
