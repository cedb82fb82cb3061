"""From what was fetched or uploaded to text that cards are made of: HTML, PDF, plain text."""

import codecs
import io
import re
from dataclasses import dataclass
from html.parser import HTMLParser

import pypdf
from pypdf.errors import PyPdfError

from card_generation.generation.offline.languages import detect_language
from card_generation.generation.offline.sentences import split_sentences
from card_generation.limits import MAX_TEXT_LENGTH

MAX_PAGES = 500
MAX_TITLE_LENGTH = 300
MAX_SUMMARY_LENGTH = 600

# A library that reads what strangers made fails in more ways than it lists.
_UNREADABLE = (
    *(PyPdfError, ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError),
    *(OSError, RecursionError, AssertionError),
)
_SKIPPED = {"script", "style", "noscript", "template", "svg", "nav", "header", "footer", "aside", "form"}
_BLOCKS = {
    *("address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "h1", "h2", "h3"),
    *("h4", "h5", "h6", "hr", "li", "main", "ol", "p", "pre", "section", "table", "td", "th", "tr", "ul"),
}
_META_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset=["']?([A-Za-z0-9_-]{1,40})""", re.IGNORECASE)
_HEADER_CHARSET = re.compile(r"""charset=["']?([A-Za-z0-9_-]{1,40})""", re.IGNORECASE)


class ExtractError(Exception):
    """There is no text in it. The text is for the person."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """A title, which may be empty, and a text, which is not."""

    title: str
    text: str


def extract(body: bytes, content_type: str) -> Extracted:
    """Find title and text.

    Raises `ExtractError` when there is none, or it is of another kind.
    """
    kind = content_type.split(";")[0].strip().lower()
    if body.startswith(b"%PDF-") or kind == "application/pdf":
        found = from_pdf(body)
    elif kind in ("text/html", "application/xhtml+xml", ""):
        found = from_html(_decoded(body, content_type))
    elif kind == "text/plain":
        found = Extracted("", _tidied(_decoded(body, content_type)))
    else:
        raise ExtractError("It is neither a page nor a PDF nor a plain text.")
    if not found.text:
        raise ExtractError("There is no text in it.")
    return found


def summary_of(text: str) -> str:
    """Take the first sentences."""
    taken: list[str] = []
    for sentence in split_sentences(text[:20_000], detect_language(text[:20_000])):
        if len(taken) == 3 or sum(map(len, taken)) + len(sentence.plain) > MAX_SUMMARY_LENGTH:
            break
        taken.append(sentence.plain)
    return " ".join(taken)


def from_pdf(body: bytes) -> Extracted:
    """Read the text of a PDF, up to the longest text of a note.

    Raises `ExtractError` when it cannot be read.
    """
    pages: list[str] = []
    length = 0
    try:
        reader = pypdf.PdfReader(io.BytesIO(body))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ExtractError("The PDF is protected by a password.")
        title = (reader.metadata.title if reader.metadata else None) or ""
        for page in reader.pages[:MAX_PAGES]:
            pages.append(page.extract_text())
            length += len(pages[-1])
            if length > MAX_TEXT_LENGTH:
                break
    except ExtractError:
        raise
    except _UNREADABLE as error:
        raise ExtractError("The PDF cannot be read.") from error
    return Extracted(_line(title), _tidied("\n\n".join(pages)))


def from_html(page: str) -> Extracted:
    """Take what a person reads of a page: no scripts, no navigation."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return Extracted(_line("".join(reader.title)), _tidied("".join(reader.text)))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title: list[str] = []
        self.text: list[str] = []
        self._skipped: list[str] = []
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title" and not self.title:
            self._in_title = True
        elif tag in _SKIPPED:
            self._skipped.append(tag)
        elif tag in _BLOCKS:
            self.text.append("\n\n" if tag != "br" else "\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif tag in self._skipped:
            # What was not closed before it is closed with it.
            del self._skipped[self._skipped.index(tag) :]
        elif tag in _BLOCKS:
            self.text.append("\n\n")

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)
        elif not self._skipped:
            self.text.append(re.sub(r"\s+", " ", data))


def _decoded(body: bytes, content_type: str) -> str:
    named = _HEADER_CHARSET.search(content_type)
    found = _META_CHARSET.search(body[:4_096])
    charset = named[1] if named else found[1].decode("ascii") if found else "utf-8"
    try:
        codecs.lookup(charset)
        return body.decode(charset, "replace")
    except (LookupError, ValueError):
        return body.decode("utf-8", "replace")


def _line(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text.encode("utf-8", "replace").decode())
    return " ".join(printable.split())[:MAX_TITLE_LENGTH]


def _tidied(text: str) -> str:
    """Bring lines and paragraphs into one form, and drop what is no text."""
    text = text.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\x00", "")
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()[:MAX_TEXT_LENGTH]
