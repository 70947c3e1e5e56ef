"""Where files and feeds can be published to: a folder, or a server that speaks SFTP, S3, WebDAV or rsync.

No kind needs a library until a target of it is opened, and none takes a password from a config: who we are, the environment and the standard files
of each kind say.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from feeds.errors import PublishError
from feeds.patience import Patience
from feeds.targets.base import Target

KINDS: Final = ("folder", "sftp", "s3", "webdav", "rsync")


@dataclass(frozen=True, slots=True)
class Where:
    """A target in plain values, of which each kind needs some.

    ========  ===================================================================================================
    folder    ``path``
    sftp      ``host``, ``path`` there; ``user`` and ``port`` if ssh's own config does not say them
    s3        ``bucket``; ``prefix`` in it; ``endpoint`` (https://...) and ``region`` for others than Amazon
    webdav    ``url`` of the folder there
    rsync     ``path``; ``host``, ``user`` and ``port`` as for sftp, or no host for a folder of this machine
    ========  ===================================================================================================

    ``public_url`` is the address of the root of the target for everybody; with it, what is published is asked for as apps ask. ``ssh_config`` is
    another file than ``~/.ssh/config``.
    """

    kind: str
    path: str = ""
    host: str = ""
    user: str = ""
    port: int = 0
    url: str = ""
    bucket: str = ""
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    public_url: str = ""
    ssh_config: str = ""


def open_target(where: Where, patience: Patience = Patience()) -> Target:  # noqa: B008  frozen
    """The target that these values name; nothing is sent to it yet. The caller closes it.

    Raises PublishError for values that name none, ExtraMissing, ProgramMissing, CredentialsMissing, TargetUnreachable, TargetRefused.
    """
    _check(where)
    public = where.public_url or None
    if where.kind == "folder":
        from feeds.targets.folder import Folder

        return Folder(Path(where.path), public)
    if where.kind == "sftp":
        from feeds.targets import sftp

        return sftp.connected(where.host, where.path, where.user, where.port, Path(where.ssh_config) if where.ssh_config else None, public, patience)
    if where.kind == "s3":
        from feeds.targets import s3

        return s3.connected(where.bucket, where.prefix, where.endpoint, where.region, public, patience)
    if where.kind == "webdav":
        from feeds.targets import webdav

        return webdav.connected(where.url, public, patience)
    from feeds.targets.rsync import Rsync

    return Rsync(where.host, where.path, where.user, where.port, Path(where.ssh_config) if where.ssh_config else None, public, patience)


_NEEDED: Final = {"folder": ("path",), "sftp": ("host", "path"), "s3": ("bucket",), "webdav": ("url",), "rsync": ("path",)}


def _check(where: Where) -> None:
    if where.kind not in KINDS:
        raise PublishError(f"there is no target of kind {where.kind!r}", f"kinds are {', '.join(KINDS)}")
    for name in _NEEDED[where.kind]:
        if not getattr(where, name):
            raise PublishError(f"a target of kind {where.kind} needs {name}")
    for name in ("url", "endpoint", "public_url"):
        _check_url(name, getattr(where, name))
    for name in ("host", "user"):
        value = getattr(where, name)
        # ssh and rsync would take it for an option, or for two words
        if value.startswith("-") or any(letter.isspace() or letter in "@:/\\'\"$`;&|<>" or not letter.isprintable() for letter in value.strip("[]")):
            raise PublishError(f"{name} is none: {value!r}")
    if not 0 <= where.port < 65536:
        raise PublishError(f"port is none: {where.port}")
    if any(not letter.isprintable() for letter in where.path + where.prefix):
        raise PublishError("path and prefix hold no control characters")


def _check_url(name: str, value: str) -> None:
    if not value:
        return
    try:
        parts = urlsplit(value)
        sound = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0 and not parts.query and not parts.fragment
    except ValueError:
        raise PublishError(f"{name} is no address of a web server") from None
    if not sound:
        raise PublishError(f"{name} is no address of a web server: {value}")
    if parts.username is not None or parts.password is not None:
        raise PublishError(f"{name} holds a user or a password", "leave them out, and put them in the environment or in ~/.netrc")
