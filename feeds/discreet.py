"""Texts without secrets: what a library says of its failure may hold the address with its password, or a signed request."""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "***"

_USER: Final = re.compile(r"(?<=://)[^/?#\s'\"]*@(?=[^/\s@])")
_NAMED: Final = re.compile(
    r"(?P<name>[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|signature|credential|access_?key(?:_?id)?|api_?key)[\w.-]*[\"']?\s*[:=]\s*[\"']?)"
    r"(?P<value>[^\s&\"',;]+)",
    re.IGNORECASE,
)
_AUTHORIZATION: Final = re.compile(r"(?P<name>\b(?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?)[^\r\n]+", re.IGNORECASE)
_SCHEME: Final = re.compile(r"(?P<name>\b(?:basic|bearer|digest|aws4-hmac-sha256)\s+)(?=[^\s]*[=\d+/.])[^\s\"']{8,}", re.IGNORECASE)


def discreet(text: str) -> str:
    """The text with every user and password of an address, every token, signature and authorization replaced by ``***``."""
    text = _USER.sub(f"{HIDDEN}@", text)
    text = _AUTHORIZATION.sub(rf"\g<name>{HIDDEN}", text)
    text = _SCHEME.sub(rf"\g<name>{HIDDEN}", text)
    return _NAMED.sub(rf"\g<name>{HIDDEN}", text)
