"""One list of chapters, in every form that apps read.

Apps choose between the forms they find (tag, JSON, feed, description), some by length; so one list must come out of all of them, with the
same count and the same starts. Every form here, and the tag, is made from :func:`marks` and from nothing else.

Standards followed: JSON chapters 1.2.0 of the podcast namespace (``application/json+chapters``), Podlove Simple Chapters 1.2
(``http://podlove.org/simple-chapters``). Pure: no file, no clock.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import quote

from audio.errors import TagError
from audio.timeline import Chapter
from audio.units import Ms, ms

MAX_CHAPTERS = 255
"""What an ID3 table of contents can count (one byte); a longer list could not be the same in every form."""

PSC_NAMESPACE = "http://podlove.org/simple-chapters"

_BREAKS = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")
_LINE_ENDS = re.compile("\r\n|[\v\f\r\x85\u2028\u2029]")
_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_ADDRESS = re.compile(r"(?P<scheme>https?://)(?P<user>[^/?#@]*@)?(?P<host>[^/?#@:\s]+|\[[0-9A-Fa-f:.]+\])(?P<port>:\d+)?(?P<rest>(?:[/?#].*)?)")


@dataclass(frozen=True, slots=True)
class Mark:
    """A chapter as the forms hold it: [start, end) in whole milliseconds, text without control characters, an ASCII link or None."""

    slug: str
    title: str
    start: Ms
    end: Ms
    link: str | None
    image: bytes | None


def clean(text: str, *, lines: bool = False) -> str:
    """Text that every container can hold: no control characters, no lone surrogates, no byte order marks, nothing XML 1.0 refuses.

    Line breaks and tabs become single spaces; with ``lines`` they stay, as ``\\n`` and tab. Marks of direction and joiners (right-to-left
    text, composed emoji) stay.
    """
    text = _LINE_ENDS.sub("\n", text) if lines else _BREAKS.sub(" ", text)
    # Most texts are plain, and are not looked at letter by letter.
    text = text if text.isprintable() else "".join(c for c in text if c in "\n\t" or not _unwanted(c))
    return (text if lines else re.sub(" {2,}", " ", text)).strip()


def _unwanted(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs") or character in "\ufeff\ufffe\uffff"


def ascii_url(url: str) -> str:
    """A web address in ASCII: host in IDNA, the rest percent-encoded as UTF-8; what is already encoded stays as it is.

    Raises `TagError` for what is not an absolute address.
    """
    found = _ADDRESS.fullmatch(clean(url))
    if not found:
        raise TagError(f"not a web address: {url!r}; it should start with https://")
    host = found["host"]
    try:
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise TagError(f"not a web address: {url!r} ({error})") from error
    return f"{found['scheme']}{_percent(found['user'] or '')}{host}{found['port'] or ''}{_percent(found['rest'])}"


def _percent(text: str) -> str:
    return quote(_STRAY_PERCENT.sub("%25", text), safe=":/?#[]@!$&'()*+,;=%")


def check_list(chapters: Sequence[Chapter]) -> None:
    """Refuse a list that apps would show differently from how it was meant; raises `TagError` naming the first chapter that is wrong.

    At most 255 chapters; slugs and titles not empty, slugs unique; the first starts at 0 (some apps force it there); starts rise strictly,
    in milliseconds too; each ends where the next one starts, and the last after its start. An empty list is a list.
    """
    if len(chapters) > MAX_CHAPTERS:
        raise TagError(f"{len(chapters)} chapters; an ID3 table of contents holds at most {MAX_CHAPTERS}")
    seen: set[str] = set()
    for number, chapter in enumerate(chapters, 1):
        if not clean(chapter.title):
            raise TagError(f"chapter {number} ({chapter.slug}) has no title")
        if not chapter.slug or chapter.slug in seen:
            raise TagError(f"chapter {number} ({chapter.title!r}): its slug {chapter.slug!r} is empty or taken")
        seen.add(chapter.slug)
    if chapters and chapters[0].start != 0:
        raise TagError(f"the first chapter ({chapters[0].slug}) starts at {clock(ms(chapters[0].start))}; it must start at 0")
    for chapter in chapters:
        if ms(chapter.end) <= ms(chapter.start):
            raise TagError(f"chapter {chapter.slug} ends at {clock(ms(chapter.end))}, not after its start at {clock(ms(chapter.start))}")
    for before, after in pairwise(chapters):
        if after.start != before.end:
            where = f"{clock(ms(after.start))}; chapter {before.slug} before it ends at {clock(ms(before.end))}"
            raise TagError(f"chapter {after.slug} starts at {where}")


def marks(chapters: Sequence[Chapter]) -> tuple[Mark, ...]:
    """The checked list in milliseconds, texts cleaned: what every form is made from. Raises `TagError` as :func:`check_list` does."""
    check_list(chapters)
    return tuple(Mark(c.slug, clean(c.title), ms(c.start), ms(c.end), ascii_url(c.link) if c.link else None, c.image) for c in chapters)


def clock(time: int) -> str:
    """Milliseconds as ``HH:MM:SS.mmm`` (normal play time); hours grow past two digits when they must."""
    whole, thousandths = divmod(time, 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{thousandths:03d}"


def to_json(
    chapters: Sequence[Chapter],
    *,
    title: str | None = None,
    author: str | None = None,
    podcast: str | None = None,
    image_urls: Mapping[str, str] | None = None,
) -> bytes:
    """JSON chapters 1.2.0, UTF-8. ``image_urls`` maps a chapter's slug to where its image is published.

    Times are seconds, whole ones as integers, others with three decimals at most. Never ``toc: false``: some apps show those all the same.
    """
    document: dict[str, object] = {"version": "1.2.0"}
    for key, text in (("title", title), ("author", author), ("podcastName", podcast)):
        if text and clean(text):
            document[key] = clean(text)
    document["chapters"] = [_json_chapter(mark, image_urls or {}) for mark in marks(chapters)]
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


def _json_chapter(mark: Mark, image_urls: Mapping[str, str]) -> dict[str, object]:
    chapter: dict[str, object] = {"startTime": _seconds(mark.start), "endTime": _seconds(mark.end), "title": mark.title}
    if mark.slug in image_urls:
        chapter["img"] = ascii_url(image_urls[mark.slug])
    if mark.link:
        chapter["url"] = mark.link
    return chapter


def _seconds(time: Ms) -> int | float:
    whole, rest = divmod(time, 1000)
    # One correctly rounded division: its shortest repr is the decimal that was meant.
    return time / 1000 if rest else whole


def to_psc(chapters: Sequence[Chapter], *, image_urls: Mapping[str, str] | None = None) -> bytes:
    """A Podlove Simple Chapters 1.2 document, UTF-8. ``image_urls`` as in :func:`to_json`."""
    import xml.etree.ElementTree as ET

    ET.register_namespace("psc", PSC_NAMESPACE)
    root = ET.Element(f"{{{PSC_NAMESPACE}}}chapters", {"version": "1.2"})
    for mark in marks(chapters):
        attributes = {"start": clock(mark.start), "title": mark.title}
        if mark.link:
            attributes["href"] = mark.link
        if image_urls and mark.slug in image_urls:
            attributes["image"] = ascii_url(image_urls[mark.slug])
        ET.SubElement(root, f"{{{PSC_NAMESPACE}}}chapter", attributes)
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def to_description(chapters: Sequence[Chapter]) -> str:
    """Lines of ``HH:MM:SS Title`` for an episode's description, plain text, one chapter each, no newline at the end.

    Parts of a second are cut, as apps cut them: a chapter that starts between two seconds is entered a little early, never late.
    """
    return "\n".join(f"{clock(mark.start)[:-4]} {mark.title}" for mark in marks(chapters))
