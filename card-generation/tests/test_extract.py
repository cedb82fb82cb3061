"""Text out of pages and PDF files, and that no bytes make it fail in any other way than it says."""

import contextlib
import io

import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from card_generation.content.extract import ExtractError, extract, from_html, summary_of

PAGE = """<!doctype html><title> Osmosis &amp; more </title><style>p {}</style><script>alert(1)</script>
<nav>Home</nav><h1>Osmosis</h1><p>Osmosis moves <b>water</b>.<br>It is passive.<p>e\u0301 👩‍🔬 &lt;end&gt;
<footer>Imprint</footer>"""


def pdf(text: str, title: str | None = None, password: str | None = None) -> bytes:
    """Make a PDF of one page with a line of text."""
    writer = pypdf.PdfWriter()
    page = writer.add_blank_page(300, 300)
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    fonts = DictionaryObject({NameObject("/F1"): font})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    stream = DecodedStreamObject()
    stream.set_data(f"BT /F1 12 Tf 20 200 Td ({text}) Tj ET".encode("latin-1"))
    page[NameObject("/Contents")] = writer._add_object(stream)
    if title is not None:
        writer.add_metadata({"/Title": title})
    if password is not None:
        writer.encrypt(password, algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def test_a_page_is_what_a_person_reads() -> None:
    found = from_html(PAGE)
    assert found.title == "Osmosis & more"
    assert found.text == "Osmosis\n\nOsmosis moves water.\nIt is passive.\n\ne\u0301 👩‍🔬 <end>"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("é".encode("latin-1"), "text/html; charset=ISO-8859-1"),
        (b'<meta charset="iso-8859-1">' + "é".encode("latin-1"), "text/html"),
        ("é".encode(), "text/html; charset=nonsense"),
        ("é".encode(), "text/plain"),
    ],
)
def test_encodings(body: bytes, content_type: str) -> None:
    assert extract(body, content_type).text == "é"


def test_a_pdf_is_its_text_whatever_it_is_called() -> None:
    for kind in ["application/pdf", "text/html", "application/octet-stream"]:
        found = extract(pdf("Osmosis moves water.", "Cells"), kind)
        assert (found.title, found.text) == ("Cells", "Osmosis moves water.")


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (pdf("secret", password="word"), "application/pdf", "password"),
        (pdf(""), "application/pdf", "no text"),
        (b"%PDF-1.7 and nothing", "application/pdf", "cannot be read"),
        (b"<p> </p>", "text/html", "no text"),
        (b"\x89PNG", "image/png", "neither a page"),
    ],
)
def test_what_has_no_text_is_said(body: bytes, content_type: str, reason: str) -> None:
    with pytest.raises(ExtractError, match=reason):
        extract(body, content_type)


@given(cut=st.integers(0, 2_000), junk=st.binary(max_size=40))
def test_a_pdf_that_is_damaged_is_read_or_refused(cut: int, junk: bytes) -> None:
    whole = pdf("Osmosis moves water.")
    place = 5 + cut % (len(whole) - 5)
    with contextlib.suppress(ExtractError):
        extract(whole[:place] + junk + whole[place + len(junk) :], "application/pdf")


@given(body=st.binary(max_size=200) | st.text(alphabet="<>/!-&;='\"pscripttle \n").map(str.encode))
def test_any_bytes_are_a_page_or_refused(body: bytes) -> None:
    with contextlib.suppress(ExtractError):
        assert extract(body, "text/html").text.strip()


def test_a_summary_is_the_first_sentences() -> None:
    text = "One is the first. Two is the second. Three is the third. Four is the fourth."
    assert summary_of(text) == "One is the first. Two is the second. Three is the third."
    assert summary_of("") == ""
