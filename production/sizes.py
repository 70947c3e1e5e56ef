"""Amounts of data, as people write and read them. Decimal, as disks are sold: 1 GB is 10^9 bytes; GiB and its kin are understood too. Pure."""

from __future__ import annotations

import re

_UNITS = {
    "": 1,
    "b": 1,
    "byte": 1,
    "bytes": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 1 << 10,
    "mib": 1 << 20,
    "gib": 1 << 30,
    "tib": 1 << 40,
}
_SIZE = re.compile(r"([0-9]{1,18})(\.[0-9]{1,9})?\s*([a-z]*)", re.IGNORECASE | re.ASCII)


def size(text: str) -> int:
    """``20 GB``, ``1.5TB``, ``512 MiB`` or a plain number of bytes, in bytes. Raises ValueError that says what to write instead."""
    found = _SIZE.fullmatch(text.strip())
    unit = _UNITS.get(found[3].lower()) if found else None
    if not found or unit is None or (found[2] and unit == 1):
        raise ValueError("write it as 20 GB or 500 MB")
    if not found[3] and 0 < int(found[1]) < 1000:
        # Nobody means 20 bytes.
        raise ValueError(f"add the unit, as in {found[1]} GB")
    return int(found[1]) * unit + round(float(found[2] or 0) * unit)


def said(amount: int) -> str:
    """``1.3 GB``, ``512 MB``, ``7 bytes``: three digits, more only of TB."""
    shown, unit = float(amount), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if shown < 999.5:
            break
        shown, unit = shown / 1000, larger
    return f"{shown:.{0 if shown >= 99.95 else 1}f}".removesuffix(".0") + f" {unit}"
