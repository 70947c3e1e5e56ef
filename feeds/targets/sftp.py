"""A folder on a server that speaks SFTP. The only import of paramiko (the extra ``sftp``).

The server's key must be known: in ``~/.ssh/known_hosts`` or in the file that ssh's config names. It is never accepted unseen. We are who an agent, a
key under ``~/.ssh`` or in ssh's config, or ``$SFTP_PASSWORD`` says. Proofs are read back: the protocol has no checksums that servers know.
"""

from __future__ import annotations

import contextlib
import errno
import getpass
import logging
import os
import posixpath
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from feeds import programs
from feeds.errors import CredentialsMissing, ExtraMissing, PublishError, TargetRefused, TargetUnreachable
from feeds.patience import Moved, Patience, bounded
from feeds.targets.base import BLOCK, MOST_BYTES, MOST_NAMES, Found, LockedByFile, Outgoing, Text, aside, digest_from, mark_of, whole

PASSWORD: Final = "SFTP_PASSWORD"
"""The variable of the environment with the password, or with that of the key."""
_PIECE: Final = 1 << 15
"""What every server takes in one write."""
_AT_ONCE: Final = 256
"""Pieces that are asked for ahead: 8 MiB."""
_SAID_NO: Final = frozenset({errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def connected(host: str, path: str, user: str, port: int, config: Path | None, public_url: str | None, patience: Patience) -> Sftp:
    """A target on a server. Raises ExtraMissing, CredentialsMissing, TargetRefused, TargetUnreachable."""
    try:
        import paramiko
    except ImportError:
        raise ExtraMissing("sftp", "sftp") from None
    # What it has to say comes as an exception; without a handler it would be on the terminal too.
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    return Sftp(paramiko, host, path, user, port, config, public_url, patience)


class Sftp(LockedByFile):
    """A folder on a server; it connects again when the connection was lost."""

    def __init__(
        self, library: Any, host: str, path: str, user: str, port: int, config: Path | None, public_url: str | None, patience: Patience
    ) -> None:
        self._library = library
        self._asked = (host, user, port, config)
        self._root = path
        self._patience = patience
        self.where = f"sftp://{host}/{path.lstrip('/')}"
        self.public_url = public_url
        self.caveats: list[str] = []
        self._client: Any = None
        self._session: Any = None
        bounded(f"connecting to {host}", lambda _: self._sftp, patience)

    # -- the connection --------------------------------------------------------------------------------------------------------------

    @property
    def _sftp(self) -> Any:
        """The session, a new one when there is none. Raises PublishError."""
        if self._session is None:
            with self._errors("connecting"):
                self._connect()
        return self._session

    def _connect(self) -> None:
        host, user, port, config = self._asked
        said = _ssh_config(host, config)
        client = self._client = self._library.SSHClient()
        for file in _known_hosts(said):
            with contextlib.suppress(FileNotFoundError):
                client.load_host_keys(str(file))
        client.set_missing_host_key_policy(self._library.RejectPolicy())
        keys = [str(Path(name).expanduser()) for name in said.get("identityfile", [])]
        client.connect(
            said.get("hostname", [host])[0],
            port=port or int(said.get("port", ["22"])[0]),
            username=user or said.get("user", [""])[0] or getpass.getuser(),
            password=os.environ.get(PASSWORD),
            key_filename=[name for name in keys if os.path.isfile(name)] or None,
            timeout=self._patience.connect,
            banner_timeout=self._patience.answer,
            auth_timeout=self._patience.answer,
            channel_timeout=self._patience.answer,
        )
        client.get_transport().set_keepalive(15)
        session = client.open_sftp()
        session.get_channel().settimeout(self._patience.answer)
        self._session = session

    @contextlib.contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """What the library raises, as ours; after a lost connection the next call makes another."""
        library = self._library
        try:
            yield
        except PublishError:
            raise
        except library.BadHostKeyException as error:
            self.close()
            raise TargetRefused(
                f"{self.where}: the server's key is not the one that is known",
                "somebody may be in its place: ask who runs it, before you change known_hosts",
            ) from error
        except library.PasswordRequiredException as error:
            self.close()
            raise CredentialsMissing(f"{self.where}: the key is locked by a password", f"add it to an ssh agent, or set ${PASSWORD}") from error
        except library.AuthenticationException as error:
            self.close()
            raise TargetRefused(
                f"{self.where}: the server does not let us in", f"check the user, and the keys of the agent and of ~/.ssh, or set ${PASSWORD}"
            ) from error
        except library.SSHException as error:
            self.close()
            if "not found in known_hosts" in str(error):
                raise TargetRefused(
                    f"{self.where}: the server's key is not known", "connect once with ssh, compare the key that it shows, and accept it there"
                ) from error
            if "No authentication methods" in str(error):
                raise CredentialsMissing(f"{self.where}: nothing to identify ourselves with", f"start an ssh agent, or set ${PASSWORD}") from error
            raise TargetUnreachable(f"{self.where}: {what}: {error or 'the connection was lost'}") from error
        except OSError as error:
            raise self._refusal(what, error) from error
        except (EOFError, ValueError, AttributeError) as error:
            # What the library stumbles over when a server ends in the middle of a word, or says what no server says.
            self.close()
            raise TargetUnreachable(f"{self.where}: {what}: the connection was lost ({type(error).__name__})") from error

    def _refusal(self, what: str, error: OSError) -> PublishError:
        message = f"{self.where}: {what}: {error.strerror or str(error) or type(error).__name__}"
        if error.errno in _SAID_NO:
            return TargetRefused(message, "has the user the right to write there, and is there room?")
        # A plain "Failure" is all that a server says of a full disk; an error without a number is the connection's.
        if error.errno is None and str(error) == "Failure":
            return TargetRefused(message, "the server does not say why: is there room?")
        self.close()
        return TargetUnreachable(message)

    def close(self) -> None:
        client, self._client, self._session = self._client, None, None
        if client is not None:
            with contextlib.suppress(Exception):
                client.close()

    # -- files -----------------------------------------------------------------------------------------------------------------------

    def _place(self, path: str) -> str:
        return posixpath.join(self._root, path)

    def _stat(self, path: str) -> Any:
        """What the server says of a file, of a link as of itself; None when there is none."""
        try:
            return self._sftp.lstat(self._place(path))
        except FileNotFoundError:
            return None

    def look(self, paths: Sequence[str], moved: Moved) -> dict[str, Found]:
        found = {}
        with self._errors("looking"):
            for path in paths:
                said = self._stat(path)
                moved(0)
                if said is not None and stat.S_ISREG(said.st_mode or 0):
                    found[path] = Found(int(said.st_size or 0))
        return found

    def send(self, file: Outgoing, moved: Moved) -> None:
        part = aside(file.path)
        with self._errors(f"sending {file.path}"), file.local.open("rb") as source:
            self._make_folders(part)
            said = self._stat(part)
            begun = int(said.st_size or 0) if said is not None and stat.S_ISREG(said.st_mode or 0) else 0
            if said is not None and (begun > file.length or not stat.S_ISREG(said.st_mode or 0)):
                self._sftp.remove(self._place(part))
                said, begun = None, 0
            source.seek(begun)
            moved(begun)
            with self._sftp.open(self._place(part), "wb" if said is None else "r+b") as sink:
                sink.set_pipelined(True)
                sink.seek(begun)
                while block := source.read(_PIECE):
                    sink.write(block)
                    begun += len(block)
                    moved(begun)
            # Of what was not written, for want of room perhaps, the library says nothing.
            said = self._stat(part)
            if said is None or said.st_size != file.length:
                kept = said.st_size if said is not None else 0
                raise TargetRefused(f"{self.where}: of {file.path} the server kept {kept} of {file.length} bytes", "is there room?")

    def proof(self, file: Outgoing, moved: Moved) -> Found:
        part = aside(file.path)
        with self._errors(f"reading {file.path} back"):
            said = self._stat(part)
            if said is None or (said.st_size or 0) != file.length:
                return Found(int(said.st_size or 0) if said is not None else 0, None, "")
            with self._sftp.open(self._place(part), "rb") as back:
                # Asked for ahead, so that not every piece waits for a journey there and back.
                back.prefetch(file.length, max_concurrent_requests=_AT_ONCE)
                # In the pieces that were asked for: putting others together takes the library many times as long.
                return digest_from(back, moved, file.length, _PIECE)

    def land(self, file: Outgoing) -> None:
        with self._errors(f"renaming {file.path}"):
            self._rename(aside(file.path), file.path)

    def drop(self, file: Outgoing) -> None:
        self.remove(aside(file.path))

    def _rename(self, source: str, to: str) -> None:
        """In one step, over what is there. Raises TargetRefused where the server cannot."""
        try:
            self._sftp.posix_rename(self._place(source), self._place(to))
        except OSError as error:
            if "unsupported" in str(error).lower():
                raise TargetRefused(
                    f"{self.where}: the server cannot replace a file in one step (posix-rename@openssh.com)", "use another kind of target for it"
                ) from error
            raise

    def _make_folders(self, path: str) -> None:
        folder = posixpath.dirname(self._place(path))
        missing = []
        while folder and folder != "/":
            try:
                self._sftp.stat(folder)
                break
            except FileNotFoundError:
                missing.append(folder)
                folder = posixpath.dirname(folder)
        for one in reversed(missing):
            try:
                self._sftp.mkdir(one)
            except OSError:
                # Somebody else may have been quicker.
                self._sftp.stat(one)

    # -- small files -------------------------------------------------------------------------------------------------------------------

    def read(self, path: str) -> Text | None:
        with self._errors(f"reading {path}"):
            try:
                with self._sftp.open(self._place(path), "rb") as file:
                    data = bytearray()
                    while len(data) <= MOST_BYTES and (block := file.read(min(BLOCK, MOST_BYTES + 1 - len(data)))):
                        data += block
                    return Text(whole(path, bytes(data)))
            except FileNotFoundError:
                return None

    def create(self, path: str, data: bytes) -> bool:
        with self._errors(f"creating {path}"):
            self._make_folders(path)
            try:
                with self._sftp.open(self._place(path), "wbx") as file:
                    file.write(data)
            except OSError:
                # Of a file that is there, a server says no more than that it failed.
                if self._stat(path) is None:
                    raise
                return False
            return True

    def replace(self, path: str, data: bytes, media_type: str, was: Text | None) -> None:
        del media_type
        fresh = aside(path, mark_of(data))
        with self._errors(f"replacing {path}"):
            self._make_folders(path)
            with self._sftp.open(self._place(fresh), "wb") as file:
                file.write(data)
            self.stand_ready(fresh, path, data, was)
            self._rename(fresh, path)

    def names(self, folder: str) -> list[str]:
        with self._errors(f"listing {folder}"):
            listed: list[str] = []
            try:
                for one in self._sftp.listdir_iter(self._place(folder)):
                    listed.append(str(one.filename))
                    if len(listed) >= MOST_NAMES:
                        break
            except FileNotFoundError:
                return []
            return sorted(listed)

    def remove(self, path: str) -> None:
        with self._errors(f"removing {path}"), contextlib.suppress(FileNotFoundError):
            self._sftp.remove(self._place(path))


def _ssh_config(host: str, config: Path | None) -> dict[str, list[str]]:
    """What ssh's own config says of a host, each key with its values. ssh itself is asked: nobody else reads all that it can say."""
    file = config or Path("~/.ssh/config").expanduser()
    if not file.is_file() or shutil.which("ssh") is None:
        return {}
    ended = programs.run(["ssh", "-G", "-F", str(file.absolute()), host], most=1 << 20)
    if ended.code:
        raise PublishError(f"{file} cannot be read: {ended.complaint}")
    said: dict[str, list[str]] = {}
    for line in ended.out.decode("utf-8", "replace").splitlines():
        key, _, value = line.partition(" ")
        said.setdefault(key.lower(), []).append(value.strip())
    if any(said.get(key, ["none"])[0].lower() not in ("", "none") for key in ("proxyjump", "proxycommand")):
        raise PublishError(f"{file} leads to {host} over another machine, which a target of kind sftp cannot", "use a target of kind rsync")
    return said


def _known_hosts(said: dict[str, list[str]]) -> list[Path]:
    named = said.get("userknownhostsfile", ["~/.ssh/known_hosts"])[0].split()
    return [Path("/etc/ssh/ssh_known_hosts"), *(Path(name.strip('"')).expanduser() for name in named)]
