"""Show notes: Markdown in, HTML out that does no harm wherever it is shown. The only import of nh3, and with
`production.authoring.markdown` of markdown-it.

Two walls, of which either would do: HTML in the Markdown stays text, and of what comes out nothing is kept but the tags that podcast apps show
(Apple names p, ol, ul, li and a; the others degrade to their text) and links to web addresses and mail. No script, no style, no picture, no
attribute that acts.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

from feeds.model import Chapter

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

TAGS: Final = frozenset({"p", "br", "ol", "ul", "li", "a", "strong", "em", "code", "pre", "blockquote", "h2", "h3", "h4"})
SCHEMES: Final = frozenset({"http", "https", "mailto"})
MOST_BYTES: Final = 50_000
"""Of Markdown: what is longer is no show notes, and would keep the parser busy."""


class NotesTooLong(ValueError):
    """The notes are longer than `MOST_BYTES`."""


def rendered(markdown: str) -> str:
    """Markdown (CommonMark) as HTML of the tags above; "" for nothing. Raises NotesTooLong."""
    size = len(markdown.encode("utf-8", "replace"))
    if size > MOST_BYTES:
        raise NotesTooLong(f"{size} bytes of show notes; {MOST_BYTES} are the most")
    parser = _parser()
    tokens = parser.parse(markdown)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            # The episode's title is the first heading of whatever page the notes are shown on.
            token.tag = f"h{min(int(token.tag[1]) + 1, 4)}"
    return cleaned(parser.renderer.render(tokens, parser.options, {})).strip()


def cleaned(text: str) -> str:
    """HTML without anything that is not known to be harmless; what stood inside of a dropped tag stays as text, but for scripts and styles."""
    import nh3

    found: str = nh3.clean(text, tags=set(TAGS), attributes={"a": {"href"}, "*": set()}, url_schemes=set(SCHEMES), link_rel="noopener nofollow")
    return found


def paragraph(text: str) -> str:
    """Plain text as one paragraph."""
    return f"<p>{html.escape(text, quote=False)}</p>"


def with_chapters(content: str, chapters: Sequence[Chapter]) -> str:
    """Notes, and under them the list of chapters with their times, as apps that know no chapters turn into links: ``00:12:30 Title``."""
    if not chapters:
        return content
    lines = "".join(f"<li>{_clock(one.start)} {_linked(one)}</li>" for one in chapters)
    return f"{content}\n<p>Chapters</p>\n<ul>{lines}</ul>".strip()


def _linked(chapter: Chapter) -> str:
    title = html.escape(chapter.title, quote=False)
    address = chapter.link or ""
    return f'<a href="{html.escape(address)}">{title}</a>' if address.startswith(("https://", "http://")) else title


def _clock(ms: int) -> str:
    """Whole seconds, cut and not rounded: a link is never late."""
    minutes, seconds = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}"


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "typographer": False})
    # A picture would tell its server who reads the notes, and few apps show any: its words are left.
    parser.add_render_rule("image", lambda _self, tokens, at, _options, _env: html.escape(tokens[at].content))
    return parser
