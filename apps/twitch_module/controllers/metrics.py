"""What a Prometheus scraper asks for. All of it is read from the database at each scrape.

So every process answers the same, whichever is asked.
"""

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from py4web import request, response

from ..common import services
from ..errors import DatabaseUnavailable
from ..models import key_values
from ..models.delivery import outbox
from ..models.subscriptions import subscriptions
from ..models.transaction import Transaction
from ..services.access.admin_auth import ExchangeOnly
from ..services.subscriptions.subscriber import BUDGET
from .guard import FORWARDED
from .http import Answer, bearer, endpoint, origin
from .operations import WRONG_TOKEN, Says

_LOOPBACK = ("127.0.0.1", "::1")


@endpoint(
    "/twitch/metrics",
    "GET",
    tag="Operation",
    token="optional",  # noqa: S106  # whether there is one
    answers={200: Says(about="Prometheus' text format", media_types=("text/plain",))},
    errors=(WRONG_TOKEN, ExchangeOnly, DatabaseUnavailable),
)
def metrics() -> Answer:
    """Show the metrics to Prometheus.

    A scraper on this machine needs no token; others show one of any kind.
    """
    if not _is_from_this_machine():
        services().access.admin_auth.identify(bearer(), origin())
    registry = CollectorRegistry()
    with services().base.database.transaction(timeout_seconds=2, write=False) as transaction:
        _subscriptions(registry, transaction)
        _queue(registry, transaction)
    response.headers["Content-Type"] = CONTENT_TYPE_PLAIN_0_0_4
    response.headers["Cache-Control"] = "no-store"
    return generate_latest(registry)


def _is_from_this_machine() -> bool:
    """Not what a proxy on this machine passes on."""
    environ = request.environ
    local = environ.get("REMOTE_ADDR") in _LOOPBACK
    return local and not environ[FORWARDED]


def _subscriptions(registry: CollectorRegistry, transaction: Transaction) -> None:
    by_status = Gauge(
        "twitch_subscriptions", "EventSub subscriptions by status", ["status"], registry=registry
    )
    for status, count in subscriptions.count_by_status(transaction).items():
        by_status.labels(status).set(count)
    found = key_values.read(transaction, BUDGET)
    if found is None:
        return
    budget, at_ms = found
    for name, text in (
        ("total", "EventSub subscriptions at Twitch"),
        ("total_cost", "cost of the subscriptions, by Twitch's count"),
        ("max_total_cost", "cost that Twitch allows"),
    ):
        Gauge(f"twitch_subscription_{name}", text, registry=registry).set(budget[name])
    Gauge(
        "twitch_subscriptions_compared_timestamp_seconds",
        "when Twitch's list was last read as a whole",
        registry=registry,
    ).set(at_ms / 1000)


def _queue(registry: CollectorRegistry, transaction: Transaction) -> None:
    queue = outbox.queue_state(transaction)
    Gauge(
        "twitch_activities_waiting", "activities that are still to be delivered", registry=registry
    ).set(queue.waiting)
    Gauge(
        "twitch_activities_dead",
        "activities whose delivery was given up",
        registry=registry,
    ).set(queue.dead)
    Gauge(
        "twitch_activities_overdue_seconds",
        "for how long the first activity has been due",
        registry=registry,
    ).set((queue.overdue_ms or 0) / 1000)
