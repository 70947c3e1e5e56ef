"""What a tag is to say, as a value. `tags` makes the tag of it; who only asks whether it has changed need not load mutagen."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from audio.errors import TagError
from audio.timeline import Chapter
from audio.units import Samples

RECIPE = 1
"""Raised when the same sheet gives another tag."""

# ISO 639-1 to ISO 639-2 (terminological), all that have both.
_LANGUAGE_PAIRS = """
    aa:aar ab:abk ae:ave af:afr ak:aka am:amh an:arg ar:ara as:asm av:ava ay:aym az:aze ba:bak be:bel bg:bul bi:bis bm:bam bn:ben bo:bod
    br:bre bs:bos ca:cat ce:che ch:cha co:cos cr:cre cs:ces cu:chu cv:chv cy:cym da:dan de:deu dv:div dz:dzo ee:ewe el:ell en:eng eo:epo
    es:spa et:est eu:eus fa:fas ff:ful fi:fin fj:fij fo:fao fr:fra fy:fry ga:gle gd:gla gl:glg gn:grn gu:guj gv:glv ha:hau he:heb hi:hin
    ho:hmo hr:hrv ht:hat hu:hun hy:hye hz:her ia:ina id:ind ie:ile ig:ibo ii:iii ik:ipk io:ido is:isl it:ita iu:iku ja:jpn jv:jav ka:kat
    kg:kon ki:kik kj:kua kk:kaz kl:kal km:khm kn:kan ko:kor kr:kau ks:kas ku:kur kv:kom kw:cor ky:kir la:lat lb:ltz lg:lug li:lim ln:lin
    lo:lao lt:lit lu:lub lv:lav mg:mlg mh:mah mi:mri mk:mkd ml:mal mn:mon mr:mar ms:msa mt:mlt my:mya na:nau nb:nob nd:nde ne:nep ng:ndo
    nl:nld nn:nno no:nor nr:nbl nv:nav ny:nya oc:oci oj:oji om:orm or:ori os:oss pa:pan pi:pli pl:pol ps:pus pt:por qu:que rm:roh rn:run
    ro:ron ru:rus rw:kin sa:san sc:srd sd:snd se:sme sg:sag sh:hbs si:sin sk:slk sl:slv sm:smo sn:sna so:som sq:sqi sr:srp ss:ssw st:sot
    su:sun sv:swe sw:swa ta:tam te:tel tg:tgk th:tha ti:tir tk:tuk tl:tgl tn:tsn to:ton tr:tur ts:tso tt:tat tw:twi ty:tah ug:uig uk:ukr
    ur:urd uz:uzb ve:ven vi:vie vo:vol wa:wln wo:wol xh:xho yi:yid yo:yor za:zha zh:zho zu:zul
"""
_LANGUAGES = dict(pair.split(":") for pair in _LANGUAGE_PAIRS.split())


@dataclass(frozen=True, slots=True)
class TagSheet:
    """Everything the tag says. Empty texts and None leave their frame out; only ``title`` must hold something.

    ``language`` is ISO 639-2 (see :func:`language_code`); ``link`` the episode's page; ``guid`` and ``feed_url`` as in the feed;
    ``season`` and ``track`` count from 1; ``cover`` is JPEG or PNG data; ``encoder`` says what made the audio; ``duration`` is where the
    last chapter ends. ``scratch`` marks a build with placeholder narration.
    """

    title: str
    artist: str
    album: str
    season: int
    track: int
    date: dt.date
    duration: Samples
    language: str = "eng"
    album_artist: str = ""
    track_total: int | None = None
    genre: str = "Podcast"
    comment: str = ""
    description: str = ""
    link: str | None = None
    feed_url: str | None = None
    guid: str = ""
    keywords: tuple[str, ...] = ()
    category: str = ""
    copyright: str = ""
    publisher: str = ""
    owner: str = ""
    encoder: str = ""
    chapters: tuple[Chapter, ...] = ()
    cover: bytes | None = None
    scratch: bool = False


def language_code(language: str) -> str:
    """The ISO 639-2 code for a language tag: ``en`` and ``en-GB`` become ``eng``. Raises `TagError` for one not in ISO 639-1."""
    primary = language.split("-")[0].lower()
    if primary in _LANGUAGES:
        return _LANGUAGES[primary]
    if primary in _LANGUAGES.values():
        return primary
    raise TagError(f"unknown language {language!r}; use an ISO 639-1 code, as 'en'")
