"""The listener's pages as a part of a publishing: when they are made, of what, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from feeds.errors import PublishError
from feeds.lock import Lock
from feeds.pages import Outcome, OutgoingPage, Site
from feeds.publish import Report
from production import locks
from production.errors import ProduceError, StepFailed
from production.model import Place, Project

Pages = Callable[[Mapping[str, Lock], Callable[[str], bytes | None]], tuple[OutgoingPage, ...]]
"""Makes the listener's pages of what the locks hold; the second gives what stands on the target under a public path."""


def site(project: Project, place: Place, pages: Pages, held: Mapping[str, Lock] | None) -> Site:
    """The pages, made once the locks are saved: of what this publishing publishes too. In a dry run they are of what the locks would hold."""

    def make(read: Callable[[str], bytes | None]) -> tuple[OutgoingPage, ...]:
        try:
            return pages(locks.all_of(project) if held is None else held, read)
        except ProduceError as error:
            raise PublishError(f"they could not be made: {error}") from error

    return Site("" if place.pages in (None, ".") else str(place.pages), make)


def failed(report: Report, place: Place) -> ProduceError | None:
    """Why the pages are not what they should be, if they are not: the feeds were published then. The next run finishes them."""
    error = report.pages.failed if report.pages else None
    if error is None:
        return None
    if isinstance(error.__cause__, ProduceError):
        return error.__cause__
    return StepFailed(f"target {place.name}: pages", str(error), hint=error.hint)


def in_lines(pages: Outcome, *, dry_run: bool) -> Iterator[str]:
    """For people."""
    would, tense = ("would be ", "are") if dry_run else ("", "were")
    if pages.failed:
        yield "the pages would not be published" if dry_run else "the feeds are published, the pages are not all: the next run finishes them"
        return
    if dry_run:
        yield from (f"page {path} would be replaced" for path in pages.replaced)
    yield from (f"page {path} {would}removed" for path in pages.removed)
    yield f"{len(pages.replaced)} pages {would}replaced, {len(pages.unchanged)} as they {tense}"
