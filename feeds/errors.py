"""What can go wrong with a feed, and with publishing it.

FeedError
|-- FeedRuleBroken     a channel or an item that no app would accept; carries the rule and the item
|-- IdentityChanged    apps would take a published episode for another one
|-- LockDamaged        what was published cannot be read
|-- FeedUnreadable     no XML that is safe to read; carries the place
`-- PublishError       a target did not take what was published; carries a hint
    |-- PathRefused         a public path that could leave the target, or a name that does not come from the content
    |-- TargetBusy          another publisher is at work there; carries who
    |-- TargetUnreachable   the connection failed: another attempt may help
    |   `-- TargetStalled   nothing moved for too long: it does not
    |-- TargetRefused       the target said no: a wrong password, no permission, no room
    |-- CredentialsMissing  nothing to identify ourselves with
    |-- ExtraMissing        a library is an extra and is not installed
    |-- ProgramMissing      a program is not installed
    |-- NotAsSent           what came back from the target is not what was sent
    |-- NotServed           listeners would not get from the public address what is on the target
    `-- FeedOvertaken       the feed on the target is no longer the one that was read at the start

No message of a PublishError holds a password, a key or a token, whatever the library said that it comes from.
"""

from __future__ import annotations

from feeds.discreet import discreet


class FeedError(Exception):
    """Root of everything this package raises on purpose."""


class FeedRuleBroken(FeedError):
    """A rule of RSS 2.0 or of a directory is broken. ``item`` is the guid of the item, or None for the channel."""

    def __init__(self, rule: str, item: str | None = None) -> None:
        self.rule = rule
        self.item = item
        super().__init__(f"{item or 'channel'}: {rule}")


class IdentityChanged(FeedError):
    """Something that apps know a published episode by would change. ``what`` is the key of its config: ``was`` is published, ``now`` is asked for."""

    def __init__(self, number: int, what: str, was: str, now: str) -> None:
        self.number, self.what, self.was, self.now = number, what, was, now
        super().__init__(f"episode {number} was published with {what} {was}; with {now} apps would take it for another one")


class LockDamaged(FeedError):
    """A lock cannot be read, and is not guessed at. ``line`` and ``column`` count from 1."""

    def __init__(self, why: str, line: int, column: int) -> None:
        self.why, self.line, self.column = why, line, column
        super().__init__(why)


class FeedUnreadable(FeedError):
    """A feed is no XML, or none that is safe to read. ``line`` and ``column`` count from 1."""

    def __init__(self, why: str, line: int, column: int) -> None:
        self.why, self.line, self.column = why, line, column
        super().__init__(f"line {line}, column {column}: {why}")


class PublishError(FeedError):
    """Root of what can go wrong with a target. ``hint`` is the next thing to do, or ""."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.hint = discreet(hint)
        super().__init__(discreet(message))


class PathRefused(PublishError):
    """A public path that is none, or that does not carry a part of the digest of its file."""


class TargetBusy(PublishError):
    """Another publisher has the target. ``holder`` says who, ``stale`` whether it has had it for longer than any publishing takes."""

    def __init__(self, message: str, hint: str = "", *, holder: str = "", stale: bool = False) -> None:
        self.holder = holder
        self.stale = stale
        super().__init__(message, hint)


class TargetUnreachable(PublishError):
    """The connection could not be made, or was lost, or the server is in trouble: the same again may go well."""


class TargetStalled(TargetUnreachable):
    """Nothing moved for longer than we wait, or far too slowly. It is not tried again in this run: what hangs may still be at work."""


class TargetRefused(PublishError):
    """The target answered, and the answer was no."""


class CredentialsMissing(PublishError):
    """The target wants to know who we are, and neither the environment nor its standard files say so."""


class ExtraMissing(PublishError):
    """A library that this kind of target needs is an extra, and is not installed."""

    def __init__(self, kind: str, extra: str) -> None:
        super().__init__(f"a target of kind {kind} needs a library that is not installed", f"pip install 'distributed-systems-podcast[{extra}]'")


class ProgramMissing(PublishError):
    """A program that this kind of target needs is not installed."""


class NotAsSent(PublishError):
    """Length, type or checksum of what is on the target differ from what was sent. ``path`` is the public path."""

    def __init__(self, path: str, why: str) -> None:
        self.path = path
        super().__init__(f"{path}: {why}", "run again; if it happens again, the target or the way to it damages files")


class NotServed(PublishError):
    """The file is on the target, and its public address does not give it as apps need it. ``url`` is that address."""

    def __init__(self, url: str, why: str, hint: str = "") -> None:
        self.url = discreet(url)
        super().__init__(f"{url}: {why}", hint)


class FeedOvertaken(PublishError):
    """Somebody replaced the feed since it was read: what they published is not undone unseen. ``path`` is the feed's."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} was replaced by somebody else in the meantime", "run again, with their changes")
