"""``/metrics``: the counters of all processes, and the current state of the runs API.

The format is https://prometheus.io/docs/instrumenting/exposition_formats/, or OpenMetrics if the
header ``Accept`` prefers that.
"""

from collections.abc import Iterable, Iterator

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.utils.crypto import constant_time_compare
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from workorders.errors import RunsAPIError
from workorders.observability import metrics_files
from workorders.observability.metrics import COUNTED, PREFIX
from workorders.runs_api.clients import default_client, scraping_client
from workorders.runs_api.health import State
from workorders.runs_api.schemas import QueueHealth

QUEUE_SECONDS = 1
"""Time limit of the request to the runs API. It is far below the timeout of a Prometheus scrape."""


def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics to a client that sends ``METRICS_TOKEN`` as a bearer token (RFC 6750).

    The status is 401 for a missing or wrong token, and 404 while no token is configured.
    """
    if not settings.METRICS_TOKEN:
        return HttpResponseNotFound()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not constant_time_compare(token, settings.METRICS_TOKEN):
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(_registry()), content_type=content_type)


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(AllProcesses() if metrics_files.are_shared() else COUNTED)
    registry.register(RunsAPICollector())
    return registry


class AllProcesses:
    """Sums the metrics of all processes of the web server, including processes that have ended."""

    def collect(self) -> Iterable[Metric]:
        merged: Iterable[Metric] = MultiProcessCollector.merge(metrics_files.files())  # type: ignore[no-untyped-call]
        return merged


class RunsAPICollector:
    """Reads the state of the runs API at every scrape.

    A value that the API does not report is left out, because 0 would be a false value.
    """

    def collect(self) -> Iterator[GaugeMetricFamily]:
        queue = _queue_health()
        is_up = _is_up(queue)
        yield from _gauge("runs_api_up", "Whether the runs API can be used", is_up)
        if queue:
            yield from _gauge("queue_depth", "Runs that wait for a worker", queue.waiting)
            yield from _gauge("worker_slots", "Runs that can be at work at once", queue.slots)
            yield from _gauge("worker_slots_busy", "Runs that are at work", queue.running)


def _gauge(name: str, help_text: str, value: float | None) -> Iterator[GaugeMetricFamily]:
    if value is not None:
        yield GaugeMetricFamily(PREFIX + name, help_text, value)


def _queue_health() -> QueueHealth | None:
    if default_client().record.health.is_lost:
        return None
    try:
        return scraping_client().within(QUEUE_SECONDS).queue_health()
    except RunsAPIError:
        return None


def _is_up(queue: QueueHealth | None) -> bool | None:
    """Whether the runs API can be used; ``None`` before its first response."""
    if not settings.RUNS_API_URL:  # No probe keeps its record current.
        return queue is not None
    health = default_client().record.health
    return None if health.state is State.UNKNOWN else health.is_well
