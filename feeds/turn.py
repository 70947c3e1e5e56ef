"""A publisher's turn at a target: alone there, and with bounds to everything that is asked of it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from feeds import holder, web
from feeds.errors import FeedOvertaken, NotAsSent, PublishError, TargetBusy, TargetStalled
from feeds.patience import Moved, Patience, again, bounded
from feeds.targets.base import LOCK, Needed, Target, Text

SMALL: Final = 1 << 18
"""Bytes that whatever is not a file is taken for, when it is decided how long it may take."""

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the sending is: ``sent`` of the ``length`` bytes of the file at ``path``, and ``done`` of the ``total`` bytes of all that are sent.

    What an earlier run had sent already counts as sent.
    """

    path: str
    sent: int
    length: int
    done: int
    total: int


@dataclass(slots=True)
class Turn:
    """What is asked of the target passes `call`, with its bounds. ``say`` is given lines for people."""

    target: Target
    say: Callable[[str], None]
    progress: Callable[[Progress], None]
    patience: Patience
    warnings: list[str] = field(default_factory=list)
    mine: bytes = b""

    def bounded(self, what: str, work: Callable[[Moved], Done], length: int = SMALL, watch: Callable[[int], None] = lambda _: None) -> Done:
        try:
            return bounded(f"{self.target.where}: {what}", work, self.patience, length=length, watch=watch)
        except (TargetStalled, KeyboardInterrupt):
            # It must not go on once nobody waits for it; closing may hang in its turn.
            with contextlib.suppress(PublishError):
                bounded("closing", lambda _: self.target.close(), Patience(stall=min(self.patience.stall, 5.0)))
            raise

    def call(self, what: str, work: Callable[[Moved], Done], length: int = SMALL) -> Done:
        return again(lambda: self.bounded(what, work, length), self.patience, self.say)

    def warn(self, line: str) -> None:
        self.warnings.append(line)
        self.say(f"warning: {line}")

    # -- alone ---------------------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else publishes to the target meanwhile. Raises TargetBusy at once when somebody does."""
        self.mine = holder.ourselves()
        try:
            self._take()
            try:
                yield
            finally:
                self._let_go()
        finally:
            holder.finished(self.mine)

    def _take(self) -> None:
        theirs = self.call("taking the lock", lambda _: self.target.take(self.mine))
        if theirs == b"":
            # Of somebody who is about to write who it is, or just left.
            time.sleep(2 * self.patience.pause)
            theirs = self.call("taking the lock", lambda _: self.target.take(self.mine))
        if theirs is not None and (not theirs or holder.gone(theirs)):
            dead = theirs
            self.say(f"an earlier run was cut off ({holder.read(dead) or 'right at its beginning'}): taking over from it")
            theirs = self.call("taking the lock over", lambda _: self.target.take_over(self.mine, dead))
        if theirs is not None:
            raise busy(self.target, theirs)
        for caveat in self.target.caveats:
            self.warn(caveat)

    def _let_go(self) -> None:
        try:
            self.bounded("releasing the lock", lambda _: self.target.release(self.mine))
        except PublishError as error:
            self.warn(f"the lock could not be removed from the target ({error}); the next run on this machine takes it over")

    def still_alone(self) -> None:
        if not self.call("looking at the lock", lambda _: self.target.held(self.mine)):
            raise TargetBusy(f"{self.target.where}: the lock was taken away meanwhile; nothing further was changed", "run again")

    # -- small files -------------------------------------------------------------------------------------------------------------------

    def read(self, path: str) -> Text | None:
        return self.call(f"reading {path}", lambda _: self.target.read(path))

    def replace(self, path: str, data: bytes, media_type: str, was: Text | None) -> None:
        """Put a small file in the place of the one that was read as ``was``. Raises FeedOvertaken when another one stands there."""
        try:
            self.call(f"replacing {path}", lambda _: self.target.replace(path, data, media_type, was), SMALL + len(data))
        except FeedOvertaken:
            # By ourselves, when it was only the answer that was lost.
            if data_of(self.read(path)) != data:
                raise

    def check_needs(self, needs: Iterable[Needed], taken: Container[str], what: str) -> None:
        """Whatever is named besides the files that are ``taken`` is there; ``what`` names it. Raises PublishError."""
        wanted = {need.path: need for need in needs if need.path not in taken}
        if not wanted:
            return
        found = self.call(f"looking at what a {what} names", lambda moved: self.target.look(list(wanted), moved), SMALL * len(wanted))
        for path, need in wanted.items():
            if path not in found:
                raise PublishError(f"a {what} names {path}, which is not on {self.target.where}", "publish it from the machine that built it")
            if found[path].length != need.length:
                raise NotAsSent(path, f"is {found[path].length} bytes long on the target, and the {what} says {need.length}")

    def check_public(self, path: str, data: bytes, what: str) -> None:
        """A feed, or a page, that the public is given otherwise is no error: caches keep the old one for a while."""
        if self.target.public_url is None:
            return
        url = web.address(self.target.public_url, path)
        try:
            answer = self.bounded(f"asking for {url}", lambda _: web.ask("GET", url, self.patience, most=len(data) + 1))
        except PublishError as error:
            self.warn(str(error))
            return
        if answer.status != 200:
            self.warn(f"{url}: the server answers {answer.status}")
        elif answer.body != data:
            self.warn(f"{url} still gives another {what}: a cache, perhaps")


def data_of(text: Text | None) -> bytes | None:
    return None if text is None else text.data


def busy(target: Target, theirs: bytes) -> TargetBusy:
    who = holder.read(theirs)
    if who is None:
        hint = f"wait for it to end; if nothing is at work there, remove {LOCK} from the target"
        return TargetBusy(f"{target.where}: somebody else is publishing there", hint)
    stale = holder.age(who) > holder.STALE
    hint = f"wait for it to end; if it was cut off, remove {LOCK} from the target"
    if stale:
        hint = f"no publishing takes that long: it was probably cut off. Make sure that it does not run, and remove {LOCK} from the target"
    return TargetBusy(f"{target.where}: somebody else is publishing there: {who}", hint, holder=str(who), stale=stale)
