"""Gets a page or a file that a person named: bounded in size, time and redirects, and public."""

import asyncio
import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

import httpcore

from card_generation.content.addresses import AddressRefusedError, PublicBackend, pool

MAX_BYTES = 20 * 1024 * 1024
MAX_REDIRECTS = 5
MAX_ADDRESS_LENGTH = 2_000
SECONDS = 30.0

_DOI = re.compile(r"^(?:doi:|https?://(?:dx\.)?doi\.org/)?(10\.\d{4,9}/\S+)$", re.IGNORECASE)
_PORTS = {None, 80, 443}
_REDIRECTS = {301, 302, 303, 307, 308}
_HEADERS = [
    (b"user-agent", b"Spacey card generation"),
    (b"accept", b"text/html, application/xhtml+xml, application/pdf, text/plain;q=0.9"),
    (b"accept-encoding", b"identity"),
]


class FetchError(Exception):
    """What was named cannot be had. The text is for the person."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came, and where it came from in the end."""

    address: str
    content_type: str
    body: bytes


def doi_of(source: str) -> str | None:
    """Find the DOI in what a person gave, if it is one."""
    found = _DOI.match(source.strip())
    return None if found is None else found[1]


def address_of(source: str) -> str:
    """Check an address, or make one of a DOI.

    Raises `FetchError` when it is none that is fetched.
    """
    doi = doi_of(source)
    address = source.strip() if doi is None else f"https://doi.org/{quote(doi, safe='/:;().-_')}"
    if len(address) > MAX_ADDRESS_LENGTH:
        raise FetchError(f"The address is longer than {MAX_ADDRESS_LENGTH} characters.")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise FetchError("This is no address: one such as https://example.org/page is accepted.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or not address.isprintable():
        raise FetchError("This is no address: one such as https://example.org/page, or a DOI, is accepted.")
    if parts.username is not None or parts.password is not None:
        raise FetchError("An address with a user name or a password is not accepted.")
    if port not in _PORTS:
        raise FetchError(f"The port {port} is not accepted: 80 and 443 are.")
    return address


class Fetcher:
    """Gets what people name."""

    def __init__(self, connections: httpcore.AsyncConnectionPool | None = None) -> None:
        self._pool = connections or pool(PublicBackend())

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.aclose()

    async def fetch(self, source: str) -> Fetched:
        """Get a page, a file, or what a DOI leads to.

        Raises `FetchError`.
        """
        address = address_of(source)
        try:
            async with asyncio.timeout(SECONDS):
                for _ in range(MAX_REDIRECTS + 1):
                    answer = await self._get(address)
                    if isinstance(answer, Fetched):
                        return answer
                    address = address_of(urljoin(address, answer))
        except TimeoutError as error:
            raise FetchError(f"It did not come within {SECONDS:g} seconds.") from error
        except AddressRefusedError as error:
            raise FetchError(str(error)) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise FetchError("It cannot be reached.") from error
        raise FetchError(f"It leads on more than {MAX_REDIRECTS} times.")

    async def _get(self, address: str) -> Fetched | str:
        """Answer what is there, or where that leads on to."""
        async with self._pool.stream("GET", _ascii(address), headers=_HEADERS) as response:
            headers = {name.lower(): value.decode("latin-1") for name, value in response.headers}
            if response.status in _REDIRECTS and b"location" in headers:
                return headers[b"location"]
            if response.status != 200:
                raise FetchError(f"It was answered with status {response.status}.")
            body = bytearray()
            async for chunk in response.aiter_stream():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise FetchError(f"It is larger than {MAX_BYTES // 1024 // 1024} MiB.")
            return Fetched(address, headers.get(b"content-type", ""), bytes(body))


def _ascii(address: str) -> str:
    """Write an address as it goes over the wire."""
    parts = urlsplit(address)
    try:
        host = (parts.hostname or "").encode("idna").decode() if ":" not in (parts.hostname or "") else None
    except UnicodeError as error:
        raise FetchError("The name in the address is none.") from error
    netloc = parts.netloc if host is None else host + (f":{parts.port}" if parts.port else "")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/?%:@!$&'()*+,;=~-._[]")
    return parts._replace(netloc=netloc, path=path, query=query, fragment="").geturl()
