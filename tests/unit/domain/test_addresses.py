"""domain/addresses.py: whose request it is."""

from ipaddress import ip_network

import pytest

from apps.twitch_module.domain.addresses import client_address, is_trusted, one_customer

PROXIES = tuple(map(ip_network, ("127.0.0.1/32", "10.0.0.0/8", "fd00::/8")))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # nobody we know says so
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1, 10.0.0.7", "198.51.100.1"),
        ("127.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # the left one is the client's own
        ("127.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.7", "198.51.100.1"),
        ("127.0.0.1", "10.0.0.8, 10.0.0.7", "10.0.0.8"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1, nonsense", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1, nonsense, 10.0.0.7", "10.0.0.7"),
        ("127.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("fd00::1", "2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("::ffff:203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("", "198.51.100.1", ""),
        ("unix:", "198.51.100.1", "unix:"),
        ("127.0.0.1", "," * 10_000, "127.0.0.1"),
    ],
)
def test_the_client_is_the_first_that_is_no_proxy_of_ours(
    peer: str, forwarded_for: str, client: str
) -> None:
    assert client_address(peer, forwarded_for, PROXIES) == client


@pytest.mark.parametrize("forwarded_for", ["198.51.100.1", "127.0.0.1", "10.0.0.1, 127.0.0.1"])
def test_without_trusted_proxies_the_peer_is_the_client(forwarded_for: str) -> None:
    assert client_address("127.0.0.1", forwarded_for, ()) == "127.0.0.1"


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [("10.1.2.3", True), ("11.1.2.3", False), ("fd12::1", True), ("fe80::1", False), ("x", False)],
)
def test_a_proxy_is_trusted_by_its_network(peer: str, trusted: bool) -> None:
    assert is_trusted(peer, PROXIES) is trusted


@pytest.mark.parametrize(
    ("address", "customer"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.1", "::ffff:198.51.100.1"),
        ("nonsense", "nonsense"),
    ],
)
def test_a_customer_is_an_ipv4_address_or_a_64_of_ipv6(address: str, customer: str) -> None:
    assert one_customer(address) == customer
