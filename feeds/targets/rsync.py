"""A folder that rsync brings the files to, over ssh or on this machine.

What rsync cannot do by itself (a lock, a checksum, a rename) a shell does on the other side: POSIX sh, and sha256sum or shasum. ssh is told never to
ask anything, and to know the server's key already. Every path and text goes to the shell as a word of its own, never as a part of a command.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import shlex
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from feeds import programs
from feeds.errors import CredentialsMissing, FeedOvertaken, PublishError, TargetRefused, TargetUnreachable
from feeds.patience import Moved, Patience
from feeds.programs import Ended
from feeds.targets.base import MOST_BYTES, MOST_NAMES, Found, LockedByFile, Outgoing, Text, aside, mark_of, whole

_THERE, _MISSING, _OVERTAKEN, _BROKEN = 43, 44, 45, 46
"""Exit codes of our own scripts, apart from those of shells and of ssh."""
_SSH_FAILED: Final = 255
_LOST: Final = frozenset({10, 12, 20, 30, 35, 255})
"""rsync's exit codes of a connection that failed."""
_IDLE_SECONDS: Final = 60
_SENT: Final = re.compile(rb"[\r\n ]+(\d{1,18}) +\d{1,3}%")
_NO_ROOM: Final = ("No space left", "Disk quota exceeded", "Read-only file system", "Permission denied", "File too large")

_SUM: Final = 'sum() { if command -v sha256sum >/dev/null 2>&1; then sha256sum; else shasum -a 256; fi | { read -r s rest; printf %s "$s"; }; }\n'
_LOOK: Final = """
cd -- "$1" 2>/dev/null || exit 0
while IFS= read -r p; do
  if [ -f "$p" ] && [ ! -L "$p" ]; then printf '%s %s\\n' "$(($(wc -c <"$p")))" "$p"; fi
done
"""
_FOLDER: Final = 'mkdir -p -- "$1" && cd -- "$1" && mkdir -p -- "$(dirname -- "$2")"'
_CLIP: Final = _FOLDER + ' && if [ -L "$2" ] || [ "$(($([ -f "$2" ] && wc -c <"$2" || echo 0)))" -gt "$3" ]; then rm -f -- "$2"; fi'
_PROOF: Final = _SUM + 'cd -- "$1" && [ -f "$2" ] || exit 44\nprintf \'%s %s\\n\' "$(($(wc -c <"$2")))" "$(sum <"$2")"'
_LAND: Final = 'cd -- "$1" && [ ! -d "$3" ] && mv -f -- "$2" "$3"'
_READ: Final = 'cd -- "$1" 2>/dev/null && [ -e "$2" ] || exit 44\ncat <"$2"'
_CREATE: Final = (
    _FOLDER
    + """ && cat >"$3" || exit 1
if ln -- "$3" "$2" 2>/dev/null; then r=0; elif [ -e "$2" ]; then r=43; else r=1; fi
rm -f -- "$3"; exit $r
"""
)
_REPLACE: Final = (
    _SUM
    + _FOLDER
    + """ && [ ! -d "$2" ] && cat >"$3" || exit 1
if [ "$(sum <"$3")" != "$4" ]; then rm -f -- "$3"; exit 46; fi
if [ -e "$2" ] && [ "$(sum <"$2")" != "$5" ]; then rm -f -- "$3"; exit 45; fi
mv -f -- "$3" "$2"
"""
)
_NAMES: Final = 'cd -- "$1/$2" 2>/dev/null || exit 0\nfor f in *; do if [ -f "$f" ]; then printf \'%s\\n\' "$f"; fi; done'
_REMOVE: Final = 'cd -- "$1" 2>/dev/null || exit 0\nrm -f -- "$2"'


class Rsync(LockedByFile):
    """A folder on another machine, or on this one when there is no host. Raises ProgramMissing when rsync or ssh is not installed."""

    def __init__(self, host: str, path: str, user: str, port: int, config: Path | None, public_url: str | None, patience: Patience) -> None:
        self._rsync = programs.find("rsync", "install rsync, or use a target of kind sftp")
        self._host = host
        self._root = path if host else str(Path(path).absolute())
        self._there = f"{user}@{host}" if user else host
        # ssh wants a number without the brackets that rsync wants around it.
        self._address = self._there.replace("[", "").replace("]", "")
        self.where = f"{host}:{path}" if host else path
        self.public_url = public_url
        self.caveats: list[str] = []
        self._answer = round(patience.answer)
        self._ssh: list[str] = []
        self._control: Path | None = None
        if host:
            options = {
                "BatchMode": "yes",
                "StrictHostKeyChecking": "yes",
                # Or a server could add what it likes to known_hosts.
                "UpdateHostKeys": "no",
                "ConnectTimeout": f"{max(1, round(patience.connect))}",
                "ServerAliveInterval": "10",
                "ServerAliveCountMax": f"{max(1, self._answer // 10)}",
                "ForwardAgent": "no",
                "ForwardX11": "no",
                "ClearAllForwardings": "yes",
                "PermitLocalCommand": "no",
            }
            self._ssh = [programs.find("ssh", "install OpenSSH"), *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]
            if config:
                self._ssh += ["-F", str(config.absolute())]
            if port:
                self._ssh += ["-p", str(port)]
            # All go over one connection, which ends a while after the last one, or when we say so.
            self._control = Path(tempfile.mkdtemp(prefix="ssh-"))
            weakref.finalize(self, shutil.rmtree, self._control, ignore_errors=True)
            self._ssh += ["-o", f"ControlPath={self._control}/c", "-o", "ControlMaster=auto", "-o", f"ControlPersist={_IDLE_SECONDS}"]

    # -- the other side ----------------------------------------------------------------------------------------------------------------

    def _run(self, script: str, *words: str, data: bytes = b"", most: int = programs.MOST_BYTES, fine: Sequence[int] = ()) -> Ended:
        """Run a script where the folder is, which is its first word. Raises PublishError for every exit code but 0 and these."""
        arguments = ["sh", "-c", script, "sh", self._root, *words]
        # ssh makes one text of all words for the shell of the other side.
        argv = [*self._ssh, self._address, shlex.join(arguments)] if self._host else arguments
        ended = programs.run(argv, data=data, most=most, owner=self)
        if ended.code and ended.code not in fine:
            raise self._failed(ended, lost=ended.code == _SSH_FAILED and bool(self._host))
        return ended

    def _failed(self, ended: Ended, *, lost: bool) -> PublishError:
        lines = ended.complaint.splitlines()
        said = next((line for line in lines if any(word in line for word in _NO_ROOM)), lines[-1] if lines else f"it ended with {ended.code}")
        message = f"{self.where}: {said[:300]}"
        if "Host key verification failed" in ended.complaint or "REMOTE HOST IDENTIFICATION HAS CHANGED" in ended.complaint:
            return TargetRefused(
                f"{self.where}: the server's key is not the one that is known, or none is", "connect once with ssh, and compare the key that it shows"
            )
        if lost and "Permission denied (" in ended.complaint:
            return CredentialsMissing(f"{self.where}: the server does not let us in", "check the user, and the keys of the agent and of ~/.ssh")
        if any(word in ended.complaint for word in _NO_ROOM):
            return TargetRefused(message, "is there room, and has the user the right to write there?")
        return TargetUnreachable(message) if lost else TargetRefused(message)

    # -- files -----------------------------------------------------------------------------------------------------------------------

    def look(self, paths: Sequence[str], moved: Moved) -> dict[str, Found]:
        del moved
        ended = self._run(_LOOK, data="".join(f"{path}\n" for path in paths).encode())
        found = {}
        for line in ended.out.decode("utf-8", "replace").splitlines():
            length, _, path = line.partition(" ")
            if length.isdecimal() and len(length) < 19:
                found[path] = Found(int(length))
        return {path: found[path] for path in paths if path in found}

    def send(self, file: Outgoing, moved: Moved) -> None:
        part = aside(file.path)
        self._run(_CLIP, part, str(file.length))
        whereto = f"{self._root.rstrip('/')}/{part}"
        options = ["--append-verify", "--no-whole-file", "--protect-args", "--progress", "--no-human-readable", f"--timeout={self._answer}"]
        if self._host:
            options += ["-e", shlex.join(self._ssh)]
            whereto = f"{self._there}:{whereto}"
        rest = b""

        def heard(block: bytes) -> None:
            nonlocal rest
            rest += block
            for number in _SENT.findall(rest):
                moved(int(number))
            rest = rest[-64:]

        ended = programs.run([self._rsync, *options, "--", str(file.local.absolute()), whereto], heard=heard, owner=self)
        if ended.code:
            raise self._failed(ended, lost=ended.code in _LOST)

    def proof(self, file: Outgoing, moved: Moved) -> Found:
        del moved
        ended = self._run(_PROOF, aside(file.path), fine=(_MISSING,))
        words = ended.out.decode("ascii", "replace").split()
        if ended.code or len(words) != 2 or not words[0].isdecimal() or len(words[0]) > 18:
            return Found(0, None, "")
        return Found(int(words[0]), None, words[1])

    def land(self, file: Outgoing) -> None:
        self._run(_LAND, aside(file.path), file.path)

    def drop(self, file: Outgoing) -> None:
        self.remove(aside(file.path))

    # -- small files -------------------------------------------------------------------------------------------------------------------

    def read(self, path: str) -> Text | None:
        ended = self._run(_READ, path, most=MOST_BYTES + 1, fine=(_MISSING,))
        return None if ended.code == _MISSING else Text(whole(path, ended.out))

    def create(self, path: str, data: bytes) -> bool:
        return self._run(_CREATE, path, aside(path, mark_of(data)), data=data, fine=(_THERE,)).code == 0

    def replace(self, path: str, data: bytes, media_type: str, was: Text | None) -> None:
        del media_type
        digests = hashlib.sha256(data).hexdigest(), hashlib.sha256(was.data).hexdigest() if was else ""
        ended = self._run(_REPLACE, path, aside(path, mark_of(data)), *digests, data=data, fine=(_OVERTAKEN, _BROKEN))
        if ended.code == _OVERTAKEN:
            raise FeedOvertaken(path)
        if ended.code == _BROKEN:
            raise TargetUnreachable(f"{self.where}: {path} did not arrive whole")

    def names(self, folder: str) -> list[str]:
        return sorted(self._run(_NAMES, folder).out.decode("utf-8", "replace").splitlines()[:MOST_NAMES])

    def remove(self, path: str) -> None:
        self._run(_REMOVE, path)

    def close(self) -> None:
        programs.cancel(self)
        if self._control is not None and (self._control / "c").exists():
            with contextlib.suppress(PublishError):
                programs.run([*self._ssh, "-O", "exit", self._address], owner=self)
