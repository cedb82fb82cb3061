"""Getting what people name: never from inside, whatever address, redirect or name service say."""

from collections.abc import Iterator

import pytest

from card_generation.content import fetch
from card_generation.content.addresses import is_public
from card_generation.content.fetch import Fetcher, FetchError, address_of, doi_of
from tests.web_site import PUBLIC, WebSite

pytestmark = pytest.mark.anyio

NOT_PUBLIC = "not one of the public internet"


@pytest.fixture
def site() -> Iterator[WebSite]:
    with WebSite() as site:
        site.page("/page", "<title>T</title><p>Text.")
        yield site


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1"),  # noqa: S104
        *("169.254.169.254", "169.254.0.1", "100.64.0.1", "192.0.0.192", "198.18.0.1", "224.0.0.1"),
        *("168.63.129.16", "240.0.0.1", "255.255.255.255", "192.0.2.1", "203.0.113.7"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
        *(
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
        ),
        *("2002:7f00:1::", "2002:a00:1::1", "2001:0:7f00:1::", "", "localhost", "127.1"),
    ],
)
def test_what_is_inside(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_what_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "source",
    [
        *("", "page", "ftp://example.org", "file:///etc/passwd", "http://", "http:///page", "javascript:1"),
        *("http://user@example.org", "http://user:word@example.org", "http://example.org:22"),
        *("http://example.org:8091", "http://example.org:99999", "http://[::1", "http://exa\nmple.org"),
        "http://example.org/" + "a" * 2_000,
    ],
)
def test_what_is_no_address(source: str) -> None:
    with pytest.raises(FetchError):
        address_of(source)


def test_dois() -> None:
    for source in ["10.1000/xyz123", "doi:10.1000/xyz123", " https://doi.org/10.1000/xyz123 "]:
        assert doi_of(source) == "10.1000/xyz123"
        assert address_of(source) == "https://doi.org/10.1000/xyz123"
    assert address_of("10.1000/a<b>?c#d") == "https://doi.org/10.1000/a%3Cb%3E%3Fc%23d"
    assert doi_of("https://example.org/10.1000/xyz123") is None


async def refused(fetcher: Fetcher, address: str, reason: str) -> None:
    with pytest.raises(FetchError, match=reason):
        await fetcher.fetch(address)
    await fetcher.close()


async def test_a_page_is_fetched_from_the_address_that_was_checked(site: WebSite) -> None:
    fetcher, _, local = site.fetcher({"page.example": [PUBLIC]})
    found = await fetcher.fetch("http://page.example/page#part")
    assert (found.body, found.address) == (b"<title>T</title><p>Text.", "http://page.example/page#part")
    assert (site.asked, local.connected) == (["page.example/page"], [PUBLIC])
    await fetcher.close()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "169.254.169.254", "[::1]", "[::ffff:7f00:1]", "10.0.0.8", "2130706433.example"]
)
async def test_nothing_inside_is_asked(site: WebSite, host: str) -> None:
    fetcher, _, local = site.fetcher({"2130706433.example": ["127.0.0.1"]})
    await refused(fetcher, f"http://{host}/page", NOT_PUBLIC)
    assert (site.asked, local.connected) == ([], [])


async def test_a_name_with_any_address_inside_is_refused(site: WebSite) -> None:
    fetcher, _, local = site.fetcher({"mixed.example": [PUBLIC, "192.168.0.1"], "none.example": []})
    await refused(fetcher, "http://mixed.example/page", NOT_PUBLIC)
    assert local.connected == []


@pytest.mark.parametrize(
    "to", ["http://169.254.169.254/latest/meta-data", "//127.0.0.1/page", "http://inside.example/page"]
)
async def test_a_redirect_leads_nowhere_inside(site: WebSite, to: str) -> None:
    site.redirect("/out", to)
    fetcher, _, local = site.fetcher({"page.example": [PUBLIC], "inside.example": ["10.0.0.1"]})
    await refused(fetcher, "http://page.example/out", NOT_PUBLIC)
    assert (site.asked, local.connected) == (["page.example/out"], [PUBLIC])


@pytest.mark.parametrize(
    "to", ["file:///etc/passwd", "http://user:word@page.example", "http://page.example:22"]
)
async def test_a_redirect_leads_to_no_other_kind_of_address(site: WebSite, to: str) -> None:
    site.redirect("/out", to)
    fetcher, _, _ = site.fetcher({"page.example": [PUBLIC]})
    await refused(fetcher, "http://page.example/out", "not accepted|no address")


async def test_a_name_that_changes_its_mind_is_asked_once_for_each_connection(site: WebSite) -> None:
    """What is checked is what is connected to: a name that is private the second time leads nowhere."""
    site.redirect("/out", "http://rebound.example/page")
    first, then = {"rebound.example": [PUBLIC]}, {"rebound.example": ["127.0.0.1"]}
    fetcher, _, local = site.fetcher(first, then)
    await refused(fetcher, "http://rebound.example/out", NOT_PUBLIC)
    assert (site.asked, local.connected) == (["rebound.example/out"], [PUBLIC])


async def test_what_is_too_much_or_not_there_is_said(site: WebSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "MAX_BYTES", 10)
    site.redirect("/loop", "/loop")
    site.pages["/broken"] = (500, {}, b"")
    for path, reason in [
        ("/page", "larger than"),
        ("/loop", "leads on more than 5 times"),
        ("/absent", "status 404"),
        ("/broken", "status 500"),
    ]:
        fetcher, _, _ = site.fetcher({"page.example": [PUBLIC]})
        await refused(fetcher, f"http://page.example{path}", reason)
