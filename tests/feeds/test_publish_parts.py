"""The small parts of publishing: texts without secrets, who holds a target, which target is meant, listings that are not trusted."""

from __future__ import annotations

import inspect
import json
import os
import sys
from pathlib import Path

import pytest

from feeds import holder
from feeds.discreet import discreet
from feeds.errors import CredentialsMissing, ExtraMissing, PublishError, TargetUnreachable
from feeds.patience import Patience
from feeds.publish import unlock
from feeds.targets import KINDS, Where, open_target
from feeds.targets.folder import Folder
from tests.conftest import require
from tests.feeds.publishing import Memory

# -- secrets ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "https://jo:S3CRET@dav.example.org/x: refused",
        "https://S3CRET@dav.example.org/x",
        "sftp://jo:S3CRET@[::1]:22/x",
        "GET /x?X-Amz-Signature=S3CRET&X-Amz-Credential=S3CRET%2F2026 failed",
        "Authorization: Basic S3CRET==",
        "{'authorization': 'Digest username=\"jo\", response=\"S3CRET\"'}",
        "AWS_SECRET_ACCESS_KEY=S3CRET",
        "aws_access_key_id = S3CRET",
        "Bearer S3CRET0123456789",
        'password: "S3CRET"',
        "token=S3CRET;",
    ],
)
def test_no_secret_is_said(text: str) -> None:
    assert "S3CRET" in text
    assert "S3CRET" not in discreet(text)
    assert "S3CRET" not in str(PublishError(text, text))
    assert "S3CRET" not in PublishError(text, text).hint


@pytest.mark.parametrize(
    "text",
    [
        "https://media.example.org/a@b/c.mp3: 404",
        "set $WEBDAV_USER and $WEBDAV_PASSWORD, or add the server to ~/.netrc",
        "jo@studio:/srv/show: lost",
        "",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert discreet(text) == text


# -- who holds it -------------------------------------------------------------------------------------------------------------------


def test_a_process_that_is_at_work_is_not_gone_and_one_that_ended_is() -> None:
    text = holder.ourselves()
    assert not holder.gone(text)
    holder.finished(text)
    assert holder.gone(text)
    said = json.loads(text)
    assert said["pid"] == os.getpid()
    assert holder.gone(json.dumps(said | {"pid": 2**22 + 1}).encode())
    assert not holder.gone(json.dumps(said | {"pid": 1}).encode())
    assert not holder.gone(json.dumps(said | {"pid": 0}).encode())
    assert not holder.gone(json.dumps(said | {"machine": "another"}).encode())


@pytest.mark.parametrize("text", [b"", b"x", b"[]", b"{}", b'{"host": 1, "pid": "x", "since": "y", "machine": 2}', b"\xff", b'{"since": 3}'])
def test_what_nobody_of_our_kind_wrote_is_nobody(text: bytes) -> None:
    assert holder.read(text) is None
    assert not holder.gone(text)


def test_a_name_that_would_move_the_cursor_does_not() -> None:
    found = holder.read(b'{"host": "a\\u001b[2Jb", "pid": 7, "since": "2026-01-01T10:00:00+00:00", "machine": "m"}')
    assert str(found) == "a[2Jb, process 7, since 2026-01-01 10:00 UTC"


def test_nothing_is_unlocked_where_somebody_is_at_work(tmp_path: Path) -> None:
    folder, other = Folder(tmp_path), Folder(tmp_path)
    mine = holder.ourselves()
    assert folder.take(mine) is None
    with pytest.raises(PublishError, match="somebody else"):
        unlock(other)
    folder.release(mine)
    assert unlock(other) == ""
    assert unlock(Memory()) == ""


# -- which target -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (Where("ftp"), "no target of kind 'ftp'"),
        (Where("folder"), "needs path"),
        (Where("s3"), "needs bucket"),
        (Where("sftp", host="x"), "needs path"),
        (Where("webdav", url="file:///etc"), "no address of a web server"),
        (Where("webdav", url="https://[x"), "no address of a web server"),
        (Where("webdav", url="https://jo:S3CRET@dav.example.org/"), "holds a user or a password"),
        (Where("s3", bucket="b", endpoint="https://S3CRET@s3.example.org"), "holds a user or a password"),
        (Where("rsync", host="-oProxyCommand=x", path="/srv"), "host is none"),
        (Where("rsync", host="a b", path="/srv"), "host is none"),
        (Where("rsync", host="a", user="x@y", path="/srv"), "user is none"),
        (Where("sftp", host="a", path="/srv", port=70000), "port is none"),
        (Where("folder", path="a\nb"), "control characters"),
    ],
)
def test_values_that_name_no_target_are_refused(where: Where, said: str) -> None:
    with pytest.raises(PublishError, match=said) as caught:
        open_target(where)
    assert "S3CRET" not in str(caught.value) + caught.value.hint


def test_a_folder_needs_nothing_else(tmp_path: Path) -> None:
    target = open_target(Where("folder", path=str(tmp_path), public_url="https://media.example.org"))
    assert target.where == str(tmp_path)
    assert target.public_url == "https://media.example.org"


@pytest.mark.parametrize(("kind", "module"), [("s3", "boto3"), ("sftp", "paramiko"), ("webdav", "httpx")])
def test_a_library_that_is_missing_is_asked_for_by_its_extra(kind: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ExtraMissing) as caught:
        open_target(Where(kind, path="/srv", host="studio", url="https://dav.example.org", bucket="show"))
    assert caught.value.hint == f"pip install 'distributed-systems-podcast[{kind}]'"


def test_a_program_that_is_missing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(PublishError, match="rsync is not installed"):
        open_target(Where("rsync", path="/srv"))


@pytest.mark.process  # the library looks at once whether this machine speaks IPv6
def test_nobody_is_asked_for_credentials_that_the_environment_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("boto3")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(CredentialsMissing, match="nothing to identify ourselves with"):
        open_target(Where("s3", bucket="show", endpoint="https://s3.example.org"))


def test_every_kind_is_documented() -> None:
    for kind in KINDS:
        # some Pythons keep a docstring's indentation, others do not
        assert f"\n{kind} " in inspect.cleandoc(Where.__doc__ or "")


# -- listings -----------------------------------------------------------------------------------------------------------------------

_LISTING = """<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">
<D:response><D:href>/dav/feeds/previous/</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop></D:propstat></D:response>
<D:response><D:href>http://h/dav/feeds/previous/a%20b.xml</D:href><D:propstat><D:prop><D:resourcetype/></D:prop></D:propstat></D:response>
<D:response><D:href>/dav/feeds/previous/sub/</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop></D:propstat></D:response>
<D:response><D:href>/etc/passwd</D:href></D:response>
<D:response><D:href>/dav/feeds/previous/..%2f..%2fx</D:href></D:response>
</D:multistatus>"""


def test_of_a_listing_only_the_files_of_the_folder_count() -> None:
    from feeds.targets.webdav import _names

    assert _names(_LISTING.encode(), "/dav/feeds/previous") == ["a b.xml"]
    with pytest.raises(PublishError, match="what no listing does"):
        _names(b'<!DOCTYPE x [<!ENTITY a "b">]><x/>', "/dav")
    with pytest.raises(TargetUnreachable, match="cannot be read"):
        _names(b"<x", "/dav")


# -- programs -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.process
def test_what_ssh_knows_of_a_host_is_asked_of_ssh(tmp_path: Path) -> None:
    from feeds.targets.sftp import _known_hosts, _ssh_config

    require("ssh")
    config = tmp_path / "config"
    assert _ssh_config("studio", config) == {}
    config.write_text(
        "Host studio\n  HostName 192.0.2.7\n  Port 2222\n  User jo\n  UserKnownHostsFile /a /b\nHost far\n  ProxyJump studio\nHost none\n  Nonsense\n"
    )
    with pytest.raises(PublishError, match="cannot be read"):
        _ssh_config("studio", config)
    config.write_text(config.read_text().replace("  Nonsense\n", ""))
    said = _ssh_config("studio", config)
    assert (said["hostname"], said["port"], said["user"]) == (["192.0.2.7"], ["2222"], ["jo"])
    assert _known_hosts(said)[1:] == [Path("/a"), Path("/b")]
    with pytest.raises(PublishError, match="over another machine"):
        _ssh_config("far", config)


@pytest.mark.process
def test_a_program_is_heard_to_its_end_and_no_longer() -> None:
    from feeds import programs

    ended = programs.run(["sh", "-c", "cat; echo no >&2; exit 3"], data=b"hello")
    assert (ended.code, ended.out, ended.complaint) == (3, b"hello", "no")
    with pytest.raises(TargetUnreachable, match="answers without an end"):
        programs.run(["sh", "-c", "while :; do echo yes; done"], most=100_000)
    ended = programs.run(["sh", "-c", "i=0; while [ $i -lt 20000 ]; do echo complaint >&2; i=$((i+1)); done"])
    assert len(ended.complaint) <= 8192
    with pytest.raises(PublishError, match="cannot be started"):
        programs.run(["/nowhere/at/all"])


@pytest.mark.process
def test_a_program_that_hangs_is_ended_with_what_it_started() -> None:
    import threading
    import time

    from feeds import programs

    begun = time.monotonic()
    mine = object()
    threading.Timer(0.1, programs.cancel, [object()]).start()
    threading.Timer(0.3, programs.cancel, [mine]).start()
    assert programs.run(["sh", "-c", "sleep 30 & sleep 30; echo"], owner=mine).code < 0
    assert time.monotonic() - begun > 0.25
    assert time.monotonic() - begun < 5


def test_patience_ends_somewhere() -> None:
    assert Patience().whole(200_000_000) < 24 * 3600
