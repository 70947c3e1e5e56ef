"""What directories, apps and standards ask of a feed, as data: each rule with who asks and where it is written. `check` finds what breaks them.

An error keeps a feed or an episode from being listed, downloaded or shown; a warning costs something smaller. Each has its reason in ``text``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Severity = Literal["error", "warning"]
Asker = Literal["apple", "spotify", "youtube", "podcast-index", "psp-1", "rss", "podlove", "acast"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What is asked. ``source`` is the address of the document that asks for it, ``text`` the rule in one sentence."""

    id: str
    asks: Asker
    severity: Severity
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a feed breaks. ``item`` is the guid of the item (the URL of its file where it has none), or None for the channel; ``line`` is that
    of the element in the feed, from 1; ``hint`` says what would mend it.
    """

    rule: Rule
    item: str | None
    message: str
    line: int
    hint: str


_RSS = "https://www.rssboard.org/rss-specification"
_PROFILE = "https://www.rssboard.org/rss-profile"
_APPLE = "https://help.apple.com/itc/podcasts_connect/#/itcb54353390"
_APPLE_REQUIREMENTS = "https://podcasters.apple.com/support/823-podcast-requirements"
_APPLE_NETWORK = "https://developer.apple.com/documentation/security/preventing-insecure-network-connections"
_APPLE_CATEGORIES = "https://podcasters.apple.com/support/1691-apple-podcasts-categories"
_PSP = "https://github.com/Podcast-Standards-Project/PSP-1-Podcast-RSS-Specification"
_NAMESPACE = "https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs"
_TAGS = f"{_NAMESPACE}/tags"
_PODLOVE = "https://podlove.org/simple-chapters/"
_SPOTIFY = "https://support.spotify.com/us/creators/article/podcast-specification-doc/"
_SPOTIFY_CHAPTERS = "https://support.spotify.com/us/creators/article/creating-and-managing-chapters/"
_YOUTUBE = "https://support.google.com/youtube/answer/13525207"
_YOUTUBE_CHAPTERS = "https://support.google.com/youtube/answer/9884579"
_YOUTUBE_VIDEOS = "https://developers.google.com/youtube/v3/docs/videos"
_ACAST = "https://learn.acast.com/en/articles/5265131-publish-an-episode"

_ALL: tuple[Rule, ...] = (
    # -- RSS 2.0 ------------------------------------------------------------------------------------------------------------------
    Rule("xml", "rss", "error", "https://www.w3.org/TR/xml/", "The feed is well-formed XML without a document type."),
    Rule("rss-version", "rss", "error", _RSS, 'The root is <rss version="2.0">, with one <channel> in it.'),
    Rule("rss-channel", "rss", "error", _RSS, "The channel has a title, a link and a description; Apple and PSP-1 ask for the same."),
    Rule("rss-item", "rss", "error", _RSS, "An item has a title or a description."),
    Rule("rss-enclosure", "rss", "error", _RSS, "An enclosure has a url, a length in bytes and a type."),
    Rule("rss-one-enclosure", "rss", "warning", _PROFILE, "An item has one enclosure: which of several is played differs between apps."),
    Rule("rss-date", "rss", "error", _RSS, "Dates are of the form of RFC 2822, in English, with four digits for the year and a zone."),
    Rule("rss-duplicate-guid", "rss", "error", _RSS, "No two items have the same guid: apps show one of them."),
    Rule("rss-permalink", "rss", "warning", _RSS, 'A guid that is no URL says isPermaLink="false".'),
    Rule("rss-future", "rss", "warning", _RSS, "No item is dated in the future: some apps hide it, some show it first for ever."),
    Rule(
        "rss-order",
        "rss",
        "warning",
        "https://help.rss.com/en/support/solutions/articles/44002317057-understanding-episode-sorting-on-rss-com-and-major-podcast-directories",
        "Items stand newest first: a convention, not a rule of RSS, but readers that look at the first items only rely on it.",
    ),
    Rule("rss-url", "rss", "error", "https://www.rfc-editor.org/rfc/rfc3986", "URLs are absolute, and what a URL cannot hold is percent-encoded."),
    # -- Apple --------------------------------------------------------------------------------------------------------------------
    Rule("apple-language", "apple", "error", _APPLE, "The channel's language is a two-letter code of ISO 639, with a region if it matters."),
    Rule("apple-image", "apple", "error", _APPLE, "The channel has an itunes:image."),
    Rule("apple-image-file", "apple", "error", _APPLE, "The URL of an itunes:image ends in .jpg or .png."),
    Rule("apple-category", "apple", "error", _APPLE, "The channel has an itunes:category."),
    Rule("apple-category-name", "apple", "error", _APPLE_CATEGORIES, "Categories and subcategories are of Apple's list, spelt as there."),
    Rule("apple-explicit", "apple", "error", _APPLE, "The channel says itunes:explicit, and its value is true or false, here and in items."),
    Rule("apple-author", "apple", "warning", _APPLE, "The channel has an itunes:author."),
    Rule("apple-type", "apple", "error", _APPLE, "An itunes:type is episodic or serial."),
    Rule("apple-serial", "apple", "error", _APPLE, "Each full episode of a serial show has an itunes:episode."),
    Rule("apple-season", "apple", "warning", _APPLE, "Where a serial show has seasons, each full episode has an itunes:season."),
    Rule("apple-number", "apple", "warning", _APPLE, "Numbers of seasons and episodes are whole and greater than nought."),
    Rule("apple-episode-type", "apple", "error", _APPLE, "An itunes:episodeType is full, trailer or bonus."),
    Rule("apple-items", "apple", "warning", _APPLE_REQUIREMENTS, "The feed has an episode: one without any is not accepted."),
    Rule("apple-item-title", "apple", "error", _APPLE, "An item has a title."),
    Rule("apple-title-number", "apple", "warning", _APPLE, "A title holds no number of an episode or a season: apps show these beside it."),
    Rule("apple-title-show", "apple", "warning", _APPLE, "A title does not repeat the title of the show."),
    Rule("apple-description-length", "apple", "error", _APPLE, "A description is at most 4000 bytes long in UTF-8, with its markup."),
    Rule("apple-item-description", "apple", "warning", _APPLE, "An item has a description."),
    Rule("apple-enclosure", "apple", "error", _APPLE, "An item has an enclosure."),
    Rule("apple-media", "apple", "error", _APPLE, "The enclosure's URL ends in .m4a, .mp3, .mov, .mp4, .m4v or .pdf: others are not listed."),
    Rule("apple-media-type", "apple", "error", _APPLE, "The enclosure's type is that of its file extension."),
    Rule(
        "apple-duplicate-enclosure",
        "apple",
        "warning",
        "https://help.prx.org/hc/en-us/articles/360023748473-Overview-of-feed-requirements",
        "No two items have the same file: Apple ignores the URL of an enclosure that it has seen before.",
    ),
    Rule("apple-date", "apple", "warning", _APPLE, "An item has a pubDate."),
    Rule("apple-duration", "apple", "warning", _APPLE, "An item has an itunes:duration."),
    Rule("apple-duration-form", "apple", "error", _APPLE, "An itunes:duration can be read, and is longer than nothing."),
    Rule("apple-duration-seconds", "apple", "warning", _APPLE, "An itunes:duration is in seconds: other forms are accepted, seconds recommended."),
    Rule("apple-https", "apple", "warning", _APPLE_NETWORK, "URLs are https: apps on Apple's systems load nothing else without an exception."),
    # -- PSP-1 --------------------------------------------------------------------------------------------------------------------
    Rule("psp-namespaces", "psp-1", "warning", _PSP, "The namespaces itunes, podcast and atom are declared in the root."),
    Rule("psp-utf-8", "psp-1", "warning", _PSP, "The feed is UTF-8."),
    Rule("psp-self", "psp-1", "error", _PSP, "The channel names its own address in an atom link with rel self."),
    Rule("psp-locked", "psp-1", "warning", _PSP, "The channel has a podcast:locked."),
    Rule("psp-podcast-guid", "psp-1", "warning", _PSP, "The channel has a podcast:guid."),
    Rule("psp-guid", "psp-1", "error", _PSP, "An item has a guid, which never changes."),
    Rule("psp-item-link", "psp-1", "warning", _PSP, "An item has a link to its page."),
    Rule("psp-item-image", "psp-1", "warning", _PSP, "An item has an itunes:image of its own."),
    Rule("psp-item-explicit", "psp-1", "warning", _PSP, "An item says itunes:explicit."),
    Rule("psp-transcript", "psp-1", "warning", _PSP, "An item has a podcast:transcript."),
    Rule("psp-blanks", "psp-1", "warning", _PSP, "Values have no blanks around them: some apps take them as part of the value."),
    Rule("psp-length", "psp-1", "warning", _PSP, "Values are at most 255 characters long where nothing else is said."),
    Rule(
        "psp-html",
        "psp-1",
        "warning",
        _PSP,
        "A description holds no HTML but p, br, ol, ul, li, a, b, i, strong and em: the rest is dropped or shown raw.",
    ),
    # -- the podcast namespace ----------------------------------------------------------------------------------------------------
    Rule(
        "pi-namespace", "podcast-index", "warning", f"{_NAMESPACE}/1.0.md", "The podcast namespace has its own name, not that of its first document."
    ),
    Rule("pi-guid", "podcast-index", "error", f"{_TAGS}/guid.md", "The podcast:guid is a UUID of version 5."),
    Rule("pi-locked", "podcast-index", "error", f"{_TAGS}/locked.md", "podcast:locked is yes or no."),
    Rule("pi-locked-owner", "podcast-index", "warning", f"{_TAGS}/locked.md", "podcast:locked names an owner by e-mail: moving the feed needs one."),
    Rule("pi-medium", "podcast-index", "error", f"{_TAGS}/medium.md", "podcast:medium is a word of the namespace's list."),
    Rule("pi-person", "podcast-index", "error", f"{_TAGS}/person.md", "A podcast:person has a name of at most 128 characters."),
    Rule("pi-person-words", "podcast-index", "warning", f"{_TAGS}/person.md", "Role and group are of the podcast taxonomy, in lower case."),
    Rule("pi-season", "podcast-index", "warning", f"{_TAGS}/season.md", "A podcast:season is a whole number, its name at most 128 characters long."),
    Rule(
        "pi-episode", "podcast-index", "warning", f"{_TAGS}/episode.md", "A podcast:episode is a number, what it displays at most 32 characters long."
    ),
    Rule("pi-chapters", "podcast-index", "error", f"{_TAGS}/chapters.md", "podcast:chapters has a url and a type."),
    Rule("pi-chapters-type", "podcast-index", "warning", f"{_TAGS}/chapters.md", "The type of podcast:chapters is application/json+chapters."),
    Rule("pi-transcript", "podcast-index", "error", f"{_TAGS}/transcript.md", "A podcast:transcript has a url, and a type that apps know."),
    Rule(
        "pi-soundbite",
        "podcast-index",
        "error",
        f"{_TAGS}/soundbite.md",
        "A podcast:soundbite has a start and a duration, and lies within the episode.",
    ),
    Rule(
        "pi-soundbite-length",
        "podcast-index",
        "warning",
        f"{_TAGS}/soundbite.md",
        "A podcast:soundbite lasts 15 to 120 s; its title is at most 128 long.",
    ),
    Rule("pi-funding", "podcast-index", "warning", f"{_TAGS}/funding.md", "A podcast:funding has a url and a text of at most 128 characters."),
    Rule(
        "pi-alternate", "podcast-index", "error", f"{_TAGS}/alternate-enclosure.md", "A podcast:alternateEnclosure has a type and a podcast:source."
    ),
    Rule("pi-alternate-title", "podcast-index", "warning", f"{_TAGS}/alternate-enclosure.md", "Its title is at most 32 characters long."),
    Rule("pi-integrity", "podcast-index", "warning", f"{_TAGS}/integrity.md", "Its podcast:integrity is there, and is one that can be verified."),
    Rule(
        "pi-license",
        "podcast-index",
        "warning",
        f"{_TAGS}/license.md",
        "podcast:license is lower case, at most 128 long; one of one's own has a url.",
    ),
    # -- Simple Chapters ----------------------------------------------------------------------------------------------------------
    Rule("psc-start", "podlove", "error", _PODLOVE, "A psc:chapter has a start in Normal Play Time, such as 00:12:30.500."),
    Rule("psc-title", "podlove", "error", _PODLOVE, "A psc:chapter has a title."),
    Rule("psc-order", "podlove", "error", _PODLOVE, "Chapters ascend."),
    Rule("psc-first", "podlove", "warning", _PODLOVE, "The first chapter starts at 0: some apps put it there, others show nothing before it."),
    Rule("psc-end", "podlove", "error", _PODLOVE, "Chapters start before the episode ends."),
    Rule(
        "psc-count",
        "podlove",
        "warning",
        "https://github.com/AntennaPod/AntennaPod/pull/5630",
        "Simple Chapters and the times in the notes are equally many: apps that know both take the longer list.",
    ),
    # -- Spotify and Acast --------------------------------------------------------------------------------------------------------
    Rule("spotify-size", "spotify", "warning", _SPOTIFY, "The file is at most 200 MB: Spotify is reported to refuse more."),
    Rule("spotify-chapters", "spotify", "warning", _SPOTIFY_CHAPTERS, "Chapters are at least three: Spotify shows fewer not at all."),
    Rule("spotify-chapter-title", "spotify", "warning", _SPOTIFY_CHAPTERS, "A chapter's title is at most 40 characters long."),
    Rule("spotify-chapter-length", "spotify", "warning", _SPOTIFY_CHAPTERS, "A chapter lasts at least 30 s."),
    Rule("acast-size", "acast", "warning", _ACAST, "The file is at most 150 MB: Acast is reported to refuse more."),
    # -- YouTube ------------------------------------------------------------------------------------------------------------------
    Rule(
        "youtube-owner", "youtube", "error", _YOUTUBE, "The channel has an itunes:owner with an itunes:email: a code sent there proves who owns it."
    ),
    Rule("youtube-audio", "youtube", "warning", _YOUTUBE, "The file is sound: YouTube makes still pictures of feeds, and takes no video from them."),
    Rule("youtube-title", "youtube", "warning", _YOUTUBE_VIDEOS, "A title is at most 100 characters long, and holds no < or >."),
    Rule(
        "youtube-chapters",
        "youtube",
        "warning",
        _YOUTUBE_CHAPTERS,
        "Times in a description become chapters when there are three or more, they ascend from 0:00, and each lasts 10 s or more.",
    ),
)

RULES: Final[Mapping[str, Rule]] = {one.id: one for one in _ALL}
"""Every rule by its id."""

CATEGORIES: Final[Mapping[str, frozenset[str]]] = {
    "Arts": frozenset({"Books", "Design", "Fashion & Beauty", "Food", "Performing Arts", "Visual Arts"}),
    "Business": frozenset({"Careers", "Entrepreneurship", "Investing", "Management", "Marketing", "Non-Profit"}),
    "Comedy": frozenset({"Comedy Interviews", "Improv", "Stand-Up"}),
    "Education": frozenset({"Courses", "How To", "Language Learning", "Self-Improvement"}),
    "Fiction": frozenset({"Comedy Fiction", "Drama", "Science Fiction"}),
    "Government": frozenset(),
    "Health & Fitness": frozenset({"Alternative Health", "Fitness", "Medicine", "Mental Health", "Nutrition", "Sexuality"}),
    "History": frozenset(),
    "Kids & Family": frozenset({"Education for Kids", "Parenting", "Pets & Animals", "Stories for Kids"}),
    "Leisure": frozenset({"Animation & Manga", "Automotive", "Aviation", "Crafts", "Games", "Hobbies", "Home & Garden", "Video Games"}),
    "Music": frozenset({"Music Commentary", "Music History", "Music Interviews"}),
    "News": frozenset({"Business News", "Daily News", "Entertainment News", "News Commentary", "Politics", "Sports News", "Tech News"}),
    "Religion & Spirituality": frozenset({"Buddhism", "Christianity", "Hinduism", "Islam", "Judaism", "Religion", "Spirituality"}),
    "Science": frozenset(
        {
            "Astronomy",
            "Chemistry",
            "Earth Sciences",
            "Life Sciences",
            "Mathematics",
            "Natural Sciences",
            "Nature",
            "Physics",
            "Social Sciences",
        }
    ),
    "Society & Culture": frozenset({"Documentary", "Personal Journals", "Philosophy", "Places & Travel", "Relationships"}),
    "Sports": frozenset(
        {
            "Baseball",
            "Basketball",
            "Cricket",
            "Fantasy Sports",
            "Football",
            "Golf",
            "Hockey",
            "Rugby",
            "Running",
            "Soccer",
            "Swimming",
            "Tennis",
            "Volleyball",
            "Wilderness",
            "Wrestling",
        }
    ),
    "TV & Film": frozenset({"After Shows", "Film History", "Film Interviews", "Film Reviews", "TV Reviews"}),
    "Technology": frozenset(),
    "True Crime": frozenset(),
}
"""Apple's categories, each with its subcategories."""

MEDIA: Final[Mapping[str, frozenset[str]]] = {
    ".m4a": frozenset({"audio/x-m4a", "audio/m4a", "audio/mp4"}),
    ".mp3": frozenset({"audio/mpeg"}),
    ".mov": frozenset({"video/quicktime"}),
    ".mp4": frozenset({"video/mp4"}),
    ".m4v": frozenset({"video/x-m4v", "video/m4v"}),
    ".pdf": frozenset({"application/pdf"}),
}
"""The file extensions that Apple lists, and the types that Apple or PSP-1 name for them."""

MEDIUMS: Final = frozenset({"podcast", "music", "video", "film", "audiobook", "newsletter", "blog", "publisher", "course"})
"""Words of podcast:medium; each also with an L for a list, and there is ``mixed``."""

GROUPS: Final = frozenset(
    {
        "administration",
        "audio post-production",
        "audio production",
        "cast",
        "community",
        "creative direction",
        "misc.",
        "video post-production",
        "video production",
        "visuals",
        "writing",
    }
)
"""Groups of the podcast taxonomy."""

TRANSCRIPTS: Final = frozenset({"text/plain", "text/html", "text/vtt", "application/json", "application/x-subrip", "application/srt"})
"""Types of transcripts: those of the namespace, and the name that many hosts write for SRT."""

HTML: Final = frozenset({"p", "br", "ol", "ul", "li", "a", "b", "i", "strong", "em"})
"""Tags that PSP-1 permits in a description, and br, which every app that knows p knows."""
