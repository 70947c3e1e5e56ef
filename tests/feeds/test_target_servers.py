"""The kinds of targets against real servers on this machine: OpenSSH's, rsync, one that checks S3's signatures, and one that speaks WebDAV."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from feeds.errors import CredentialsMissing, FeedOvertaken, PublishError, TargetBusy, TargetRefused, TargetUnreachable
from feeds.patience import Patience
from feeds.publish import publish, rollback
from feeds.targets import Where, open_target
from feeds.targets.base import Text
from tests.conftest import ROOT, require
from tests.feeds.hostile import answering, endless
from tests.feeds.publishing import Killed, Stepped, episode, feed_of, outgoing, prove, seen_in, site_of

pytestmark = pytest.mark.process
PATIENCE = Patience(connect=5.0, answer=10.0, stall=20.0, attempts=3, pause=0.01)
FEED = "feeds/foundational.xml"


@dataclass(frozen=True)
class Server:
    """A server that runs: where it is, what it stores in, and what tells it who we are (variables of the environment, files at home)."""

    where: Where
    root: Path
    variables: dict[str, str] = field(default_factory=dict)
    home: dict[str, bytes] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def running(argv: list[str], port: int, log: Path, **variables: str) -> Iterator[None]:
    """A server until the end of the block, from when it takes connections on."""
    with log.open("wb") as out:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env={**os.environ, **variables}, start_new_session=True)
    try:
        for _ in range(600):
            if process.poll() is not None:
                pytest.skip(f"{argv[0]} does not run here: {log.read_text('utf-8', 'replace')[-300:]}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        else:
            pytest.fail(f"{argv[0]} takes no connections: {log.read_text('utf-8', 'replace')[-300:]}")
        yield
    finally:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def beside_python(name: str) -> str:
    """A program that a package of the [dev] extra brings."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.is_file() else require(name)


# -- the servers --------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ssh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    # Not on everybody's PATH.
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin") or require("sshd")
    keygen = require("ssh-keygen")
    folder = tmp_path_factory.mktemp("ssh")
    for name in ("host", "user", "stranger"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(folder / name)], check=True)
    (folder / "authorized").write_bytes((folder / "user.pub").read_bytes())
    port = free_port()
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\nPidFile none\nStrictModes no\n"
        "SetEnv SHLVL=5\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n"
        "Subsystem sftp internal-sftp\nLogLevel VERBOSE\n"
    )
    known = f"[127.0.0.1]:{port} ".encode() + b" ".join((folder / "host.pub").read_bytes().split()[:2]) + b"\n"
    config = "Host *\n  UserKnownHostsFile {known}\n  IdentityFile {key}\n  IdentitiesOnly yes\n"
    (folder / "known").write_bytes(known)
    (folder / "strange").write_bytes(known.replace(known.split()[2], (folder / "stranger.pub").read_bytes().split()[1]))
    (folder / "nobody").write_bytes(b"")
    for name, hosts, key in (("ok", "known", "user"), ("wrong", "known", "stranger"), ("unknown", "nobody", "user"), ("changed", "strange", "user")):
        (folder / f"ssh_{name}").write_text(config.format(known=folder / hosts, key=folder / key))
    (folder / "show").mkdir()
    where = Where("sftp", host="127.0.0.1", port=port, user=getpass.getuser(), path=str(folder / "show"), ssh_config=str(folder / "ssh_ok"))
    argv = [program, "-D", "-e", "-f", str(folder / "config")]
    if os.getuid() == 0:
        # Where it locks itself in when root starts it; what starts the machine makes this folder, if anything does.
        argv = ["sh", "-c", 'mkdir -p /run/sshd; exec "$@"', "sh", *argv]
    with running(argv, port, folder / "log"):
        yield Server(where, folder / "show")


@pytest.fixture(scope="module")
def dav_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    program = beside_python("rclone")
    folder = tmp_path_factory.mktemp("dav")
    (folder / "show").mkdir()
    port = free_port()
    argv = [
        program,
        "serve",
        "webdav",
        str(folder / "show"),
        "--addr",
        f"127.0.0.1:{port}",
        "--user",
        "jo",
        "--pass",
        "right",
        "--config",
        "/dev/null",
    ]
    argv += ["--cache-dir", str(folder / "cache")]
    with running(argv, port, folder / "log"):
        yield Server(
            Where("webdav", url=f"http://127.0.0.1:{port}/"),
            folder / "show",
            variables={"WEBDAV_USER": "jo", "WEBDAV_PASSWORD": "right"},
            wrong={"WEBDAV_PASSWORD": "WR0NG-PASSWORD"},
        )


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It compares signatures; it holds no conditions and computes no checksums, as many do not."""
    program = beside_python("nanio")
    folder = tmp_path_factory.mktemp("s3")
    (folder / "data" / "show").mkdir(parents=True)
    port = free_port()
    argv = [program, "serve", "--data-dir", str(folder / "data"), "--host", "127.0.0.1", "--port", str(port)]
    with running(argv, port, folder / "log", NANIO_ACCESS_KEY="somebody", NANIO_SECRET_KEY="right-secret-0123456789"):
        yield Server(
            Where("s3", bucket="show", endpoint=f"http://127.0.0.1:{port}", region="us-east-1"),
            folder / "data" / "show",
            variables={"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "right-secret-0123456789"},
            wrong={"AWS_SECRET_ACCESS_KEY": "WR0NG-SECRET-0123456789"},
        )


@pytest.fixture
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, certificates_once: None) -> Server:  # noqa: ARG001
    """The server of the kind that the test is for, with a folder of its own on it."""
    kind = str(request.param)
    if kind.startswith("rsync"):
        require("rsync")
    if kind in ("folder", "rsync"):
        return Server(Where(kind, path=str(tmp_path / "show")), tmp_path / "show")
    fixture = {"sftp": "ssh_server", "rsync over ssh": "ssh_server", "webdav": "dav_server", "s3": "s3_server"}[kind]
    pytest.importorskip({"sftp": "paramiko", "webdav": "httpx", "s3": "boto3"}.get(kind, "feeds"))
    found: Server = request.getfixturevalue(fixture)
    for name, value in found.variables.items():
        monkeypatch.setenv(name, value)
    own = "-".join(["t", *"".join(letter if letter.isalnum() else " " for letter in request.node.name).split()])[:60]
    where = found.where
    if kind == "s3":
        where = replace(where, prefix=own)
    elif kind == "webdav":
        # Long enough for those who run on one machine.
        monkeypatch.setattr("feeds.targets.webdav._SETTLED_SECONDS", 0.1)
        with opened(where) as target:
            target._make_folders(f"{own}/x")
        where = replace(where, url=where.url + own)
    else:
        where = replace(where, kind="sftp" if kind == "sftp" else "rsync", path=f"{where.path}/{own}")
    return replace(found, where=where, root=found.root / own)


# What rsync does over ssh, it does with the same words in a folder, and quicker.
every_kind = pytest.mark.parametrize("server", ["sftp", "rsync", "s3", "webdav"], indirect=True)
every_way = pytest.mark.parametrize("server", ["sftp", "rsync", "rsync over ssh", "s3", "webdav"], indirect=True)


@contextlib.contextmanager
def opened(where: Where, patience: Patience = PATIENCE) -> Iterator[Any]:
    target = open_target(where, patience)
    try:
        yield target
    finally:
        target.close()


# -- what each must do --------------------------------------------------------------------------------------------------------------


@every_way
def test_a_show_is_published_and_published_further(server: Server, tmp_path: Path) -> None:
    first = episode(tmp_path / "build", 1)
    second = [*first, *episode(tmp_path / "build", 2)]
    with opened(server.where) as target:
        report = publish(target, first, [feed_of(first)], patience=PATIENCE)
        assert len(report.sent) == 4
        assert report.replaced == (FEED,)
        # What these two servers do not hold, others do.
        said = {"s3": "does not hold conditions", "webdav": "may both be turned away"}.get(server.where.kind, "")
        assert len(report.warnings) == bool(said)
        assert said in "".join(report.warnings)
        public = seen_in(server.root)
        assert prove(public)[FEED] == feed_of(first).data
        assert {path: public[path] for path in (file.path for file in first)} == {file.path: file.local.read_bytes() for file in first}
    with opened(server.where) as target:
        report = publish(target, second, [feed_of(second)], patience=PATIENCE)
        assert len(report.sent) == 4
        assert len(report.already) == 4
        assert prove(seen_in(server.root))[FEED] == feed_of(second).data
        report = publish(target, second, [feed_of(second)], patience=PATIENCE)
        assert report.sent == report.replaced == ()
        assert rollback(target, "foundational", patience=PATIENCE).startswith("feeds/previous/foundational-0001-")
        assert prove(seen_in(server.root))[FEED] == feed_of(first).data
        assert target.read("feeds/nothing.xml") is None
        assert target.names("nowhere") == []
        assert not list(server.root.rglob(".*.part"))
        assert not list(server.root.rglob(".publish*"))


@every_kind
def test_pages_are_kept_and_nothing_else_is_touched(server: Server, tmp_path: Path) -> None:
    first = episode(tmp_path / "build", 1)[2:]
    old = {"assets/site.css": "a {}", "episodes/one.html": "one", "episodes/two.html": "two \u2713", "index.html": "1, 2"}
    new = {"assets/site.css": "a {}", "episodes/one.html": "other", "episodes/three.html": "three", "index.html": "1, 3"}
    with opened(server.where) as target:
        target.replace("listen/episodes/theirs.html", b"theirs", "text/html", None)
        for pages, counts in ((old, (4, 0, 0)), (old, (0, 4, 0)), (new, (3, 1, 1))):
            found = publish(target, first, [feed_of(first)], site=site_of(pages, "listen"), patience=PATIENCE).pages
            assert found is not None
            assert found.failed is None, found.failed
            assert (len(found.replaced), len(found.unchanged), len(found.removed)) == counts
            public = {path: data.decode() for path, data in seen_in(server.root).items() if path.startswith("listen/")}
            listed = json.loads(public.pop("listen/pages.json"))["pages"]
            assert sorted(listed) == sorted(pages)
            assert public == {f"listen/{path}": text for path, text in pages.items()} | {"listen/episodes/theirs.html": "theirs"}
        if server.where.kind == "s3":
            assert target.look(["listen/index.html"], lambda _: None)["listen/index.html"].type == "text/html; charset=utf-8"
        # brought to an end by the next run, wherever it was cut off
        stepped = Stepped(target)

        def plan(_: int, name: str) -> None:
            if stepped.steps.count("after replace") >= 3:
                raise Killed(name)

        stepped._plan = plan
        with contextlib.suppress(Killed):
            publish(stepped, first, [feed_of(first)], site=site_of(old, "listen"), patience=PATIENCE)
    with opened(server.where) as target:
        assert publish(target, first, [feed_of(first)], site=site_of(old, "listen"), patience=PATIENCE).pages
        public = seen_in(server.root)
        assert {path.removeprefix("listen/"): public[path].decode() for path in public if path.endswith((".html", ".css"))} == old | {
            "episodes/theirs.html": "theirs"
        }
        assert prove(public)[FEED] == feed_of(first).data


@every_kind
def test_of_two_publishers_one_wins(server: Server, tmp_path: Path) -> None:
    first = episode(tmp_path / "build", 1)
    heard: list[str] = []

    def meanwhile() -> None:
        with opened(server.where) as other, pytest.raises(TargetBusy) as caught:
            publish(other, first, [feed_of(first, title="Mine")], patience=PATIENCE)
        heard.append(caught.value.holder)

    with opened(server.where) as target:
        publish(target, first, [feed_of(first)], before_feeds=meanwhile, patience=PATIENCE)
    assert "process" in heard[0]
    assert prove(seen_in(server.root))[FEED] == feed_of(first).data


@every_kind
def test_a_feed_that_was_replaced_meanwhile_is_not_overwritten(server: Server, tmp_path: Path) -> None:
    first = episode(tmp_path / "build", 1)
    theirs = feed_of(first, title="Theirs").data
    with opened(server.where) as target, opened(server.where) as other:
        publish(target, first, [feed_of(first)], patience=PATIENCE)

        def meanwhile() -> None:
            other.replace(FEED, theirs, "application/rss+xml", other.read(FEED))

        with pytest.raises(FeedOvertaken):
            publish(target, first, [feed_of(first, title="Mine")], before_feeds=meanwhile, patience=PATIENCE)
        assert target.read(FEED).data == theirs
        with pytest.raises(FeedOvertaken):
            target.replace(FEED, b"<rss/>", "application/rss+xml", None)
        with pytest.raises(FeedOvertaken):
            target.replace(FEED, b"<rss/>", "application/rss+xml", Text(b"older", '"0123"'))
        assert target.read(FEED).data == theirs


@every_kind
def test_killed_in_the_middle_the_next_run_finishes(server: Server, tmp_path: Path) -> None:
    first = episode(tmp_path / "build", 1)
    long = outgoing(tmp_path / "build", "episode-02/episode-02.mp3", os.urandom(1 << 20) * (10 if server.where.kind == "s3" else 4), "audio/mpeg")
    both = [*first, long]
    with opened(server.where) as target:
        publish(target, first, [feed_of(first)], patience=PATIENCE)
    for label, times in (("within send", 3), ("before land", 1), ("before replace", 2), ("after replace", 2)):
        with opened(server.where) as target:
            stepped = Stepped(target)

            def plan(_: int, name: str, label: str = label, times: int = times, stepped: Stepped = stepped) -> None:
                if stepped.steps.count(label) >= times:
                    raise Killed(name)

            stepped._plan = plan
            with contextlib.suppress(Killed):
                publish(stepped, both, [feed_of(both)], patience=PATIENCE)
        assert prove(seen_in(server.root))[FEED] in (feed_of(first).data, feed_of(both).data)
    with opened(server.where) as target:
        publish(target, both, [feed_of(both)], patience=PATIENCE)
        assert publish(target, both, [feed_of(both)], patience=PATIENCE).sent == ()
    assert prove(seen_in(server.root))[FEED] == feed_of(both).data


@pytest.mark.parametrize("server", ["sftp", "rsync", "rsync over ssh", "s3"], indirect=True)
def test_an_upload_goes_on_where_it_was_cut_off(server: Server, tmp_path: Path) -> None:
    long = outgoing(tmp_path / "build", "episode-02/episode-02.mp3", os.urandom(1 << 20) * (20 if server.where.kind == "s3" else 8), "audio/mpeg")
    cut = [False]

    def cutting(done: int) -> None:
        if done > long.length // 2 and not cut[0]:
            cut[0] = True
            raise TargetUnreachable("cut off")

    with opened(server.where) as target, contextlib.suppress(TargetUnreachable):
        target.send(long, cutting)
    assert cut[0]
    begun: list[int] = []
    with opened(server.where) as target:
        if server.where.kind != "s3":
            assert next(server.root.rglob(".*.part")).stat().st_size > long.length // 8
        target.send(long, begun.append)
        # rsync may have been done by the time that it was heard.
        assert server.where.kind == "rsync" or next(number for number in begun if number) > long.length // 8
        assert target.proof(long, begun.append).sha256 == long.sha256
        target.land(long)
        assert target.look([long.path], begun.append)[long.path].length == long.length


def wrong_ssh(server: Server, name: str) -> Where:
    return replace(server.where, ssh_config=server.where.ssh_config.removesuffix("ssh_ok") + f"ssh_{name}")


@pytest.mark.parametrize("server", ["sftp", "rsync over ssh"], indirect=True)
def test_a_server_whose_key_is_not_known_is_not_spoken_to(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    files = episode(tmp_path / "build", 1)

    def attempt(name: str) -> None:
        with opened(wrong_ssh(server, name)) as target:
            publish(target, files, [], patience=PATIENCE)

    with pytest.raises(TargetRefused, match="key is not"):
        attempt("unknown")
    with pytest.raises(TargetRefused, match="key is not the one that is known"):
        attempt("changed")
    with pytest.raises((TargetRefused, CredentialsMissing), match=r"does not let us in|nothing to identify"):
        attempt("wrong")
    assert not server.root.exists()


@pytest.mark.parametrize("server", ["s3", "webdav"], indirect=True)
def test_a_wrong_secret_is_refused_and_not_repeated(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.wrong.items():
        monkeypatch.setenv(name, value)
    files = episode(tmp_path / "build", 1)
    said: list[str] = []
    with pytest.raises(TargetRefused) as caught, opened(server.where) as target:
        publish(target, files, [feed_of(files)], say=said.append, patience=PATIENCE)
    told = f"{caught.value} {caught.value.hint} {said}"
    assert not [value for value in (*server.wrong.values(), *server.variables.values()) if len(value) > 5 and value in told]
    assert seen_in(server.root) == {}


@pytest.mark.parametrize("server", ["webdav"], indirect=True)
def test_netrc_says_who_we_are(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEBDAV_USER")
    with pytest.raises(CredentialsMissing, match="nothing to identify"):
        open_target(server.where, PATIENCE)
    netrc = Path(os.environ["HOME"], ".netrc")
    netrc.write_text("machine 127.0.0.1 login jo password right\n")
    netrc.chmod(0o600)
    files = episode(tmp_path / "build", 1)
    with opened(server.where) as target:
        publish(target, files, [feed_of(files)], patience=PATIENCE)
    prove(seen_in(server.root))


@pytest.mark.parametrize("kind", ["sftp", "s3", "webdav"])
def test_a_server_that_says_nothing_does_not_keep_us(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip({"sftp": "paramiko", "webdav": "httpx", "s3": "boto3"}[kind])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    begun = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = int(silent.getsockname()[1])
        address = f"http://127.0.0.1:{port}"
        where = Where(kind, host="127.0.0.1", port=port, path="/srv", bucket="show", endpoint=address, url=address, region="here")
        quick = Patience(connect=0.5, answer=0.5, stall=2.0, attempts=2, pause=0.01)
        with pytest.raises(TargetUnreachable), opened(where, quick) as target:
            publish(target, [], [feed_of([])], patience=quick)
    assert time.monotonic() - begun < 12


@pytest.mark.parametrize("server", ["folder", "sftp", "rsync", "s3", "webdav"], indirect=True)
def test_of_many_publishers_at_once_no_two_succeed_unseen(server: Server, tmp_path: Path) -> None:
    first = episode(tmp_path / "build", 1)
    patience = replace(PATIENCE, pause=0.3)
    together = threading.Barrier(4)
    done: dict[str, str] = {}

    def attempt(title: str) -> None:
        with opened(server.where, patience) as target:
            together.wait(20)
            try:
                publish(target, first, [feed_of(first, title=title)], patience=patience)
                done[title] = "published"
            except PublishError as error:
                done[title] = type(error).__name__

    threads = [threading.Thread(target=attempt, args=(f"Title {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(done) == 4, "each hears how it went"
    published = [title for title, how in done.items() if how == "published"]
    public = seen_in(server.root)
    feed = prove(public).get(FEED, b"").decode()
    kept = b"".join(data for path, data in public.items() if path.startswith("feeds/previous/")).decode()
    assert [title for title in published if title in feed] or not published
    # One after the other is as good: whoever came first is kept.
    assert [title for title in published if title not in feed + kept] == []


# -- a network that fails -----------------------------------------------------------------------------------------------------------


class Wire:
    """What passes between us and a server. After ``most`` bytes of ours it is cut once, or nothing passes any more."""

    def __init__(self, port: int, most: int, *, hang: bool) -> None:
        self._port = port
        self._left = most
        self._hang = hang
        self._failed = False
        self._guard = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.cuts = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                for pair in ((near, far, True), (far, near, False)):
                    threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source: socket.socket, to: socket.socket, ours: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if ours and self._fails(len(data)):
                    if self._hang:
                        continue
                    break
                if not (self._hang and self._failed):
                    to.sendall(data)
        for one in (source, to):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _fails(self, length: int) -> bool:
        with self._guard:
            self._left -= length
            if self._left < 0 and (self._hang or not self.cuts):
                self.cuts, self._failed = 1, True
                return True
            return False

    def close(self) -> None:
        self._listener.close()


@contextlib.contextmanager
def through(server: Server, folder: Path, most: int, *, hang: bool = False) -> Iterator[tuple[Where, Wire]]:
    """The server at the end of a wire that fails."""
    where = server.where
    address = where.url or where.endpoint
    port = where.port or int(address.split("/")[2].split(":")[1])
    wire = Wire(port, most, hang=hang)
    try:
        if where.kind == "sftp":
            config = Path(where.ssh_config)
            (folder / "known").write_bytes((config.parent / "known").read_bytes().replace(f":{port} ".encode(), f":{wire.port} ".encode()))
            (folder / "config").write_text(config.read_text().replace(str(config.parent / "known"), str(folder / "known")))
            yield replace(where, port=wire.port, ssh_config=str(folder / "config")), wire
        else:
            there = {"url": where.url.replace(f":{port}", f":{wire.port}"), "endpoint": where.endpoint.replace(f":{port}", f":{wire.port}")}
            yield replace(where, **there), wire
    finally:
        wire.close()


over_a_wire = pytest.mark.parametrize("server", ["sftp", "s3", "webdav"], indirect=True)


@over_a_wire
def test_a_connection_that_is_lost_in_the_middle_is_made_again(server: Server, tmp_path: Path) -> None:
    first = episode(tmp_path / "build", 1)
    with opened(server.where) as target:
        publish(target, first, [feed_of(first)], patience=PATIENCE)
    long = outgoing(tmp_path / "build", "episode-02/episode-02.mp3", os.urandom(1 << 20) * 2, "audio/mpeg")
    said: list[str] = []
    with through(server, tmp_path, 1_000_000) as (where, wire), opened(where) as target:
        publish(target, [long], [feed_of([*first, long])], say=said.append, patience=PATIENCE)
        assert wire.cuts == 1
    assert any("trying again" in line for line in said)
    assert prove(seen_in(server.root))[FEED] == feed_of([*first, long]).data


@over_a_wire
def test_a_connection_on_which_nothing_passes_any_more_is_given_up(server: Server, tmp_path: Path) -> None:
    first = episode(tmp_path / "build", 1)
    with opened(server.where) as target:
        publish(target, first, [feed_of(first)], patience=PATIENCE)
    long = outgoing(tmp_path / "build", "episode-02/episode-02.mp3", os.urandom(1 << 20) * 2, "audio/mpeg")
    # opening the target, which is held to it too, reads much of a library, and takes a second where other tests run beside this one
    quick = Patience(connect=1.0, answer=0.5, stall=3.0, attempts=1)
    begun = time.monotonic()
    with through(server, tmp_path, 1_000_000, hang=True) as (where, _), opened(where, quick) as target, pytest.raises(TargetUnreachable):
        publish(target, [long], [feed_of([*first, long])], patience=quick)
    assert time.monotonic() - begun < 20
    assert prove(seen_in(server.root))[FEED] == feed_of(first).data
    with opened(server.where) as target:
        publish(target, [long], [feed_of([*first, long])], patience=PATIENCE)
    assert prove(seen_in(server.root))[FEED] == feed_of([*first, long]).data


def test_an_answer_without_an_end_is_not_read_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("boto3")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with answering(endless) as base, opened(Where("s3", bucket="show", endpoint=base, region="here")) as target:
        with pytest.raises(TargetUnreachable, match="answers without an end"):
            target.names("feeds")
        with pytest.raises(PublishError, match="is larger than"):
            target.read(FEED)


# -- killed for good ----------------------------------------------------------------------------------------------------------------

_CHILD = """
import pathlib, sys, time
from feeds.publish import publish
from feeds.targets import Where, open_target
from tests.feeds.publishing import Stepped, feed_of, outgoing

build, target, kind, label, times, marker = pathlib.Path(sys.argv[1]), *sys.argv[2:]
file = outgoing(build, "episode-01/episode-01.mp3", (build / "sound").read_bytes(), "audio/mpeg")
stepped = Stepped(open_target(Where(kind, path=target)))

def plan(number, name):
    if stepped.steps.count(label) >= int(times):
        pathlib.Path(marker).write_text("here")
        time.sleep(60)

stepped._plan = plan
publish(stepped, [file], [feed_of([file])])
"""


@pytest.mark.parametrize(
    ("kind", "label"),
    [*(("folder", label) for label in ("within send", "before proof", "after land", "before replace", "after replace")), ("rsync", "before replace")],
)
def test_a_process_that_was_killed_leaves_nothing_broken(kind: str, label: str, tmp_path: Path) -> None:
    if kind == "rsync":
        require("rsync")
    build, root, marker = tmp_path / "build", tmp_path / "show", tmp_path / "marker"
    first = episode(build, 7)
    sound = os.urandom(1 << 20) * 3
    (build / "sound").write_bytes(sound)
    where = Where(kind, path=str(root))
    with opened(where) as target:
        publish(target, first, [feed_of(first)], patience=PATIENCE)
    times = "6" if (kind, label) == ("folder", "within send") else "2" if "replace" in label else "1"
    argv = [sys.executable, "-c", _CHILD, str(build), str(root), kind, label, times, str(marker)]
    process = subprocess.Popen(argv, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"})
    try:
        for _ in range(1500):
            if marker.exists():
                break
            assert process.poll() is None
            time.sleep(0.02)
        assert marker.exists()
    finally:
        process.kill()
        process.wait()
    file = outgoing(build, "episode-01/episode-01.mp3", sound, "audio/mpeg")
    new = feed_of([file])
    assert prove(seen_in(root))[FEED] in (feed_of(first).data, new.data)
    if (kind, label) == ("folder", "within send"):
        assert next(root.rglob(".*.part")).stat().st_size > 0
    with opened(where) as target:
        publish(target, [file], [new], patience=PATIENCE)
        again = publish(target, [file], [new], patience=PATIENCE)
    assert again.sent == again.replaced == ()
    assert prove(seen_in(root))[FEED] == new.data
