"""What a text or a number of the configs has to be, in pydantic's words: the types that `model` names in its annotations and `schema` evaluates."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints


def _web_address(text: str) -> str:
    if not text.startswith(("https://", "http://")) or any(c.isspace() for c in text) or len(text.split("/", 3)[2]) == 0:
        raise ValueError("is not a web address; it should start with https://")
    return text


def _corner(hertz: float) -> float:
    if hertz != 0 and not 40 <= hertz <= 300:
        raise ValueError("is no corner of a high-pass for a voice; it should be 40 to 300 Hz, or 0 for none")
    return hertz


def _not_of_feeds(path: str) -> str:
    if path.split("/")[0].lower() == "feeds":
        raise ValueError("is where the feeds stand; write . or another folder")
    return path


Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A time or a length in seconds."""
Target = Annotated[float, Field(ge=-40, le=-5, allow_inf_nan=False)]
"""Integrated loudness in LUFS; by the name of a platform in the YAML, too."""
Corner = Annotated[float, AfterValidator(_corner), Field(json_schema_extra={"maximum": 300})]
"""Where a high-pass begins, in Hz; 0 is none."""
ChainKind = Literal["voice", "linear", "none"]
Denoise = Literal["off", "ffmpeg", "deepfilter"]
Inside = Literal["report", "list"]
Size = Annotated[int, Field(ge=0)]
"""An amount of data in bytes; ``20 GB`` in the YAML."""
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
"""Lower-case words joined by hyphens: names of folders, files and chapter ids."""
PublicFolder = Annotated[
    str,
    StringConstraints(pattern=r"^(\.|[A-Za-z0-9_]+([.-]+[A-Za-z0-9_]+)*(/[A-Za-z0-9_]+([.-]+[A-Za-z0-9_]+)*)*)$", max_length=200),
    AfterValidator(_not_of_feeds),
]
"""A folder of a target, from its root on: names that every address and every file system takes as they are, or ``.`` for the root."""
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Url = Annotated[str, AfterValidator(_web_address), Field(json_schema_extra={"format": "uri"})]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
