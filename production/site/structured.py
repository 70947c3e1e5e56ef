"""What search engines and messengers read of a page: schema.org's nouns as JSON-LD. Pure."""

from __future__ import annotations

import json
from typing import Any

from feeds.model import Alternate, Channel, Enclosure, Item
from production.site.page import Addresses

CONTEXT = "https://schema.org"


def episode(item: Item, channel: Channel, series: str, path: str, addresses: Addresses) -> str:
    """A PodcastEpisode with its sound, its series and a Clip for each chapter."""
    page = addresses.page(path)
    sounds: list[Enclosure | Alternate] = [item.enclosure, *(one for one in item.alternates if not one.default)]
    ends = [*(one.start for one in item.chapters[1:]), item.duration * 1000]
    return _text(
        {
            "@context": CONTEXT,
            "@type": "PodcastEpisode",
            "identifier": item.guid,
            "name": item.title,
            "description": item.description,
            "url": page or item.link,
            "image": item.image,
            "datePublished": item.published.isoformat(),
            "inLanguage": channel.language,
            "duration": duration(item.duration),
            "timeRequired": duration(item.duration),
            "episodeNumber": item.episode,
            "isAccessibleForFree": True,
            "isFamilyFriendly": not item.explicit,
            "keywords": ", ".join(item.keywords),
            "license": channel.license.url if channel.license else None,
            "contributor": [{"@type": "Person", "name": one.name, "url": one.link} for one in item.persons or channel.persons],
            "partOfSeries": _podcast(channel, addresses),
            "partOfSeason": {"@type": "PodcastSeason", "name": item.season_name, "seasonNumber": item.season, "url": addresses.page(series)},
            "associatedMedia": [
                {
                    "@type": "AudioObject",
                    "contentUrl": one.url,
                    "encodingFormat": one.type,
                    "contentSize": str(one.length),
                    "duration": duration(item.duration),
                }
                for one in sounds
            ],
            "hasPart": [
                {
                    "@type": "Clip",
                    "name": one.title,
                    "startOffset": one.start / 1000,
                    "endOffset": end / 1000,
                    "url": f"{page}#t={one.start / 1000:g}" if page else None,
                }
                for one, end in zip(item.chapters, ends, strict=False)
            ],
        }
    )


def podcast(channel: Channel, addresses: Addresses) -> str:
    """A PodcastSeries: the show."""
    return _text({"@context": CONTEXT, **_podcast(channel, addresses), "description": channel.description, "image": channel.image})


def season(channel: Channel, title: str, number: int, description: str, path: str, addresses: Addresses) -> str:
    """A PodcastSeason: a series of the show."""
    said = {"name": title, "description": description, "seasonNumber": number, "url": addresses.page(path)}
    return _text({"@context": CONTEXT, "@type": "PodcastSeason", **said, "partOfSeries": _podcast(channel, addresses)})


def _podcast(channel: Channel, addresses: Addresses) -> dict[str, Any]:
    return {
        "@type": "PodcastSeries",
        "name": channel.title,
        "url": addresses.page("index.html") or channel.link,
        "webFeed": channel.feed_url,
        "author": {"@type": "Organization", "name": channel.author},
        "inLanguage": channel.language,
    }


def duration(seconds: int) -> str:
    """ISO 8601: PT3H1M18S."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"PT{hours}H{minutes}M{rest}S"


def _text(said: dict[str, Any]) -> str:
    """As JSON that ends no script element, whatever it holds."""
    text = json.dumps(_bare(said), ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _bare(said: Any) -> Any:
    """Without what is not known."""
    if isinstance(said, dict):
        return {name: _bare(value) for name, value in said.items() if value not in (None, "", [])}
    return [_bare(one) for one in said] if isinstance(said, list) else said
