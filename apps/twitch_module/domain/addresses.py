"""Whose request this is, when there are proxies before us."""

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Network = IPv4Network | IPv6Network


def client_address(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """The address of the client: the first that is no trusted proxy, seen from here.

    `forwarded_for` (X-Forwarded-For) is read from its right end, because each proxy adds the
    address that it saw there; what stands left of that anybody may have written.
    """
    nearest = _address(peer)
    if nearest is None:
        return peer
    for hop in reversed(forwarded_for.split(",")):
        if not _is_in(nearest, trusted):
            break
        farther = _address(hop.strip())
        if farther is None:
            break
        nearest = farther
    return str(nearest)


def is_trusted(peer: str, trusted: Sequence[Network]) -> bool:
    """Whether a connection comes from one of the trusted proxies."""
    address = _address(peer)
    return address is not None and _is_in(address, trusted)


def is_loopback(peer: str) -> bool:
    """Whether a connection comes from this machine."""
    address = _address(peer)
    return address is not None and address.is_loopback


def one_customer(address: str) -> str:
    """What is given to one customer: an IPv4 address, but a whole /64 of IPv6."""
    parsed = _address(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((int(parsed) >> 64 << 64, 64)))
    return address


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _is_in(address: IPv4Address | IPv6Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)
