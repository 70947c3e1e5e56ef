"""What several tests of feeds need and none is about."""

from __future__ import annotations

import ssl
from functools import cache
from typing import Any

import pytest

_create = ssl.create_default_context


@cache
def _context(**said: Any) -> ssl.SSLContext:
    return _create(**said)


@pytest.fixture
def certificates_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the certificates of the world takes longer than everything that is asked of a server here, none of which shows one."""
    monkeypatch.setattr(ssl, "create_default_context", _context)
