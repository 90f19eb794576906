"""What counts as public, over the registries of special-purpose addresses, and the one rule for the URLs of users."""

import ipaddress

import pytest

from bmn.internet import NOT_PUBLIC, NotVisited, is_public, read_target

# IANA's registries of special-purpose addresses (IPv4, IPv6), and of multicast, entry by entry; each is of the net itself.
REGISTRY = [
    net
    for line in (
        "0.0.0.0/8 0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.0.0/29",
        "192.0.0.8/32 192.0.0.9/32 192.0.0.10/32 192.0.0.170/32 192.0.0.171/32 192.0.2.0/24 192.31.196.0/24",
        "192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24",
        "240.0.0.0/4 255.255.255.255/32 224.0.0.0/4 ::1/128 ::/128 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64",
        "100:0:0:1::/64 2001::/23 2001::/32 2001:1::1/128 2001:1::2/128 2001:1::3/128 2001:2::/48 2001:3::/32",
        "2001:4:112::/48 2001:10::/28 2001:20::/28 2001:30::/28 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20",
        "5f00::/16 fc00::/7 fe80::/10 ff00::/8",
    )
    for net in line.split()
]
# In no registry: the host of a machine in Azure, what IPv4 was written as before ::ffff, what site-local was.
BESIDE = ["168.63.129.16/32", "::/96", "fec0::/10"]
OPEN = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "168.63.129.15",
    "192.0.1.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00::1",
]


@pytest.mark.parametrize("listed", [*REGISTRY, *BESIDE])
def test_nothing_that_a_registry_lists_is_public(listed: str) -> None:
    net = ipaddress.ip_network(listed)
    for address in (net[0], net[net.num_addresses // 2], net[-1]):
        assert not is_public(address), address
        host = f"[{address}]" if address.version == 6 else str(address)
        with pytest.raises(NotVisited):
            read_target(f"https://{host}/")


def test_what_no_registry_lists_is_public() -> None:
    assert all(is_public(ipaddress.ip_address(each)) for each in OPEN)
    assert not is_public(ipaddress.ip_address("2606:4700::1111%eth0"))
    known = [ipaddress.ip_network(each) for each in (*REGISTRY, *BESIDE)]
    assert all(net in known for net in NOT_PUBLIC)  # none is refused for no reason


@pytest.mark.parametrize("version", [4, 6])
def test_an_address_that_python_calls_private_is_not_public(version: int) -> None:
    """Python knows the registries as well, of the day of its release."""
    bits = 32 if version == 4 else 128
    kind = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
    for number in range(1 << 16):
        address = kind(number << (bits - 16) | 1)
        assert address.is_global or not is_public(address), address
