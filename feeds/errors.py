"""What can go wrong with a feed.

FeedError
`-- FeedRuleBroken     a channel or an item that no app would accept; carries the rule and the item
"""

from __future__ import annotations


class FeedError(Exception):
    """Root of everything this package raises on purpose."""


class FeedRuleBroken(FeedError):
    """A rule of RSS 2.0 or of a directory is broken. ``item`` is the guid of the item, or None for the channel."""

    def __init__(self, rule: str, item: str | None = None) -> None:
        self.rule = rule
        self.item = item
        super().__init__(f"{item or 'channel'}: {rule}")
