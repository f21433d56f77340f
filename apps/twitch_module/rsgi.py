"""The application as `make serve` has granian run it."""

import resource
from functools import lru_cache

from .common import services
from .controllers.connections import ConnectionWatch
from .controllers.front import Front
from .domain.addresses import is_loopback, is_trusted
from .domain.connections import most_connections
from .wsgi import application as py4web


@lru_cache(maxsize=4096)
def _is_exempt(address: str) -> bool:
    """Whether this is a trusted proxy, or this machine: they may have any number of connections."""
    return is_loopback(address) or is_trusted(address, services().base.settings.trusted_proxies)


application = Front(py4web.wsgi)
ConnectionWatch(
    services().base.settings.port,
    most=most_connections(resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
    per_address=services().base.settings.connections_per_address,
    is_exempt=_is_exempt,
).start()
