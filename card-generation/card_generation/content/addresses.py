"""Connections to public addresses only: people name them, and the service may stand in a private network.

A name is looked up when the connection is made, every address it has is checked, and the connection goes to
an address that was checked. So neither a redirect nor a name that means something else the second time
leads inside. Refused are loopback, private, link-local (with it the metadata services of clouds), shared,
reserved, multicast and unspecified addresses, also where they hide in an IPv6 address.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import httpcore

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Looks a name up: the addresses that it has."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# What Python counts as global, and clouds answer their machines' questions about themselves at.
_SPECIAL = (ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv4Network("168.63.129.16/32"))
_COMPATIBLE = ipaddress.IPv6Network("::/96")


class AddressRefusedError(Exception):
    """The address leads to where the service does not go. The text names no address: it may be a secret."""


def is_public(text: str) -> bool:
    """Say whether an IP address is one of the public internet."""
    try:
        address = ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        return False
    return all(_is_global(part) for part in _parts(address))


def _is_global(address: IpAddress) -> bool:
    if isinstance(address, ipaddress.IPv4Address) and any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not address.is_multicast


def _parts(address: IpAddress) -> Iterable[IpAddress]:
    """Give the address, or the IPv4 addresses that are written into it."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return [ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)]
    if address.sixtofour is not None:
        return [address, address.sixtofour]
    if address.teredo is not None:
        return [address, *address.teredo]
    return [address]


async def resolve(host: str, port: int) -> list[str]:
    """Look a name up as the machine does."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError("the name is not known") from error
    return [str(entry[4][0]) for entry in found]


class PublicBackend(httpcore.AsyncNetworkBackend):
    """Connects to public addresses, and refuses a name of which any address is none."""

    def __init__(self, lookup: Resolve = resolve, inner: httpcore.AsyncNetworkBackend | None = None) -> None:
        self._resolve = lookup
        self._inner = inner or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 the interface's own
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect, or raise `AddressRefusedError`."""
        addresses = await self._resolve(host.strip("[]"), port)
        if not addresses or not all(is_public(address) for address in addresses):
            raise AddressRefusedError("The address is not one of the public internet.")
        return await self._inner.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 the interface's own
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: what a person names is no file."""
        raise AddressRefusedError("The address is not one of the public internet.")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._inner.sleep(seconds)


def pool(backend: httpcore.AsyncNetworkBackend) -> httpcore.AsyncConnectionPool:
    """Make connections through a backend; none is kept, because what it was checked for is one request."""
    return httpcore.AsyncConnectionPool(
        max_connections=16, max_keepalive_connections=0, network_backend=backend
    )
