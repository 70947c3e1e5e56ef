"""Podlove Simple Chapters as another program wrote them, read without trusting it: no entity is expanded, nothing is fetched, a document type is
refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from audio.errors import TextUnreadable
from audio.marker import MOST_BYTES, Marker, address
from audio.textfile import time


def chapters(data: bytes) -> Iterator[Marker]:
    """The chapters of a document in the order they stand there. Raises TextUnreadable."""
    for element in _root(data).iter("{*}chapter"):
        line = max(1, int(element.sourceline or 1))
        said = element.get("start", "")
        start = time(said)
        if start is None:
            raise TextUnreadable(f"this chapter's start is no time: {said[:40]!r}", line, 1, "write it as 00:01:30.500")
        yield Marker(element.get("title", ""), start, None, address(element.get("href")), line)


def _root(data: bytes) -> Any:
    if len(data) > MOST_BYTES:
        raise TextUnreadable(f"is larger than {MOST_BYTES:,} bytes", 1, 1, "is it the right file?")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True)
    try:
        root: Any = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise TextUnreadable(f"is no XML: {error.msg or 'it is empty'}", max(line or 1, 1), max(column or 1, 1)) from None
    except (etree.LxmlError, LookupError, ValueError) as error:
        raise TextUnreadable(f"is no XML: {error}", 1, 1) from None
    if root.getroottree().docinfo.doctype:
        raise TextUnreadable("declares a document type, which no list of chapters needs", 1, 1, "remove it")
    return root
