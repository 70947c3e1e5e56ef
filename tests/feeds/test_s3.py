"""What the S3 target asks of a server, with one in memory that holds conditions and computes checksums, as Amazon's does, or does not."""

from __future__ import annotations

import base64
import hashlib
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from feeds.errors import CredentialsMissing, FeedOvertaken, NotAsSent, TargetBusy, TargetRefused, TargetUnreachable
from feeds.publish import publish
from feeds.targets.base import LOCK, Text
from feeds.targets.s3 import PART, S3
from tests.feeds.publishing import HASTY, episode, feed_of, outgoing, prove

FEED = "feeds/foundational.xml"


class ClientError(Exception):
    def __init__(self, code: str, status: int) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code, "Message": "said"}, "ResponseMetadata": {"HTTPStatusCode": status}}


class BotoCoreError(Exception):
    pass


class NoCredentialsError(BotoCoreError):
    pass


class PartialCredentialsError(BotoCoreError):
    pass


class ParamValidationError(BotoCoreError):
    pass


class InvalidRegionError(BotoCoreError):
    pass


FAULTS = SimpleNamespace(
    **{
        one.__name__: one
        for one in (ClientError, BotoCoreError, NoCredentialsError, PartialCredentialsError, ParamValidationError, InvalidRegionError)
    }
)


class Bucket:
    """The client of a server: every call by its name, with what it was given, in ``calls``. ``failing`` are raised one after the other."""

    def __init__(self, *, conditions: bool = True, checksums: bool = True, unknown: bool = False) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.uploads: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.failing: list[Exception] = []
        self._conditions, self._checksums, self._unknown = conditions, checksums, unknown

    def _note(self, name: str, given: dict[str, Any]) -> None:
        self.calls.append((name, given))
        if self.failing:
            raise self.failing.pop(0)

    def put_object(self, **given: Any) -> dict[str, Any]:
        self._note("put_object", given)
        body = given["Body"] if isinstance(given["Body"], bytes) else given["Body"].read()
        if self._unknown and ("IfMatch" in given or "IfNoneMatch" in given):
            raise ClientError("NotImplemented", 501)
        there = self.objects.get(given["Key"])
        if self._conditions and "IfNoneMatch" in given and there is not None:
            raise ClientError("PreconditionFailed", 412)
        if self._conditions and "IfMatch" in given:
            if there is None:
                raise ClientError("NoSuchKey", 404)
            if there["ETag"] != given["IfMatch"]:
                raise ClientError("PreconditionFailed", 412)
        if self._checksums and given["ChecksumSHA256"] != _sum(body):
            raise ClientError("XAmzContentSHA256Mismatch", 400)
        self.objects[given["Key"]] = self._object(body, given, _sum(body))
        return {}

    def _object(self, body: bytes, given: dict[str, Any], checksum: str) -> dict[str, Any]:
        found = {
            "data": body,
            "ETag": f'"{hashlib.md5(body).hexdigest()}"',
            "ContentType": given["ContentType"],
            "Metadata": given.get("Metadata", {}),
        }
        return found | ({"ChecksumSHA256": checksum} if self._checksums else {})

    def head_object(self, **given: Any) -> dict[str, Any]:
        self._note("head_object", given)
        if given["Key"] not in self.objects:
            raise ClientError("404", 404)
        found = self.objects[given["Key"]]
        return {key: value for key, value in found.items() if key != "data"} | {"ContentLength": len(found["data"])}

    def get_object(self, **given: Any) -> dict[str, Any]:
        self._note("get_object", given)
        if given["Key"] not in self.objects:
            raise ClientError("NoSuchKey", 404)
        found = self.objects[given["Key"]]
        return {"Body": io.BytesIO(found["data"]), "ETag": found["ETag"]}

    def delete_object(self, **given: Any) -> None:
        self._note("delete_object", given)
        self.objects.pop(given["Key"], None)

    def list_objects_v2(self, **given: Any) -> dict[str, Any]:
        names = sorted(key for key in self.objects if key.startswith(given["Prefix"]))
        begun = int(given.get("ContinuationToken", 0))
        more = {"IsTruncated": True, "NextContinuationToken": str(begun + 2)} if begun + 2 < len(names) else {}
        return {"Contents": [{"Key": name} for name in names[begun : begun + 2]], **more}

    def create_multipart_upload(self, **given: Any) -> dict[str, Any]:
        self._note("create_multipart_upload", given)
        name = f"upload-{len(self.uploads)}"
        self.uploads[name] = given | {"parts": {}}
        return {"UploadId": name}

    def list_multipart_uploads(self, **given: Any) -> dict[str, Any]:
        return {"Uploads": [{"Key": one["Key"], "UploadId": name} for name, one in self.uploads.items() if one["Key"].startswith(given["Prefix"])]}

    def upload_part(self, **given: Any) -> None:
        self._note("upload_part", given)
        data = given["Body"].read()
        part = {"PartNumber": given["PartNumber"], "Size": len(data), "ETag": f'"{hashlib.md5(data).hexdigest()}"', "data": data}
        self.uploads[given["UploadId"]]["parts"][given["PartNumber"]] = part | ({"ChecksumSHA256": _sum(data)} if self._checksums else {})

    def list_parts(self, **given: Any) -> dict[str, Any]:
        parts = [part for number, part in sorted(self.uploads[given["UploadId"]]["parts"].items()) if number > given["PartNumberMarker"]]
        return {"Parts": parts[:1], "IsTruncated": len(parts) > 1}

    def complete_multipart_upload(self, **given: Any) -> None:
        self._note("complete_multipart_upload", given)
        upload = self.uploads.pop(given["UploadId"])
        assert [part["PartNumber"] for part in given["MultipartUpload"]["Parts"]] == sorted(upload["parts"])
        data = b"".join(part["data"] for _, part in sorted(upload["parts"].items()))
        self.objects[given["Key"]] = self._object(data, upload, "bWFueQ==-3")

    def abort_multipart_upload(self, **given: Any) -> None:
        self.uploads.pop(given["UploadId"])

    def close(self) -> None:
        pass

    def named(self, name: str) -> list[dict[str, Any]]:
        return [given for called, given in self.calls if called == name]


def _sum(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def target_of(bucket: Bucket) -> S3:
    return S3(bucket, FAULTS, "show", "/a/prefix/", None)


def public(bucket: Bucket) -> dict[str, bytes]:
    return {key.removeprefix("a/prefix/"): one["data"] for key, one in bucket.objects.items() if LOCK not in key}


@pytest.mark.parametrize("kept", [{}, {"conditions": False}, {"unknown": True}, {"checksums": False}])
def test_a_show_is_published(kept: dict[str, bool], tmp_path: Path) -> None:
    bucket = Bucket(**kept)
    files = episode(tmp_path, 1)
    report = publish(target_of(bucket), files, [feed_of(files)], patience=HASTY)
    assert len(report.sent) == 4
    assert bool(report.warnings) == (kept.keys() <= {"conditions", "unknown"} and bool(kept))
    assert prove(public(bucket))[FEED] == feed_of(files).data
    more = [*files, *episode(tmp_path, 2)]
    publish(target_of(bucket), more, [feed_of(more)], patience=HASTY)
    assert publish(target_of(bucket), more, [feed_of(more)], patience=HASTY).sent == ()
    assert len(target_of(bucket).names("feeds/previous")) == 1
    assert not [key for key in bucket.objects if LOCK in key]
    sent = bucket.named("put_object")
    assert {given["CacheControl"] for given in sent if given["Key"].endswith(".mp3")} == {"public, max-age=31536000, immutable"}
    assert {given["CacheControl"] for given in sent if given["Key"].endswith("/foundational.xml")} == {"public, max-age=300"}
    reads = [given for given in bucket.named("get_object") if given["Key"].endswith(".mp3")]
    assert len(reads) == (2 if kept == {"checksums": False} else 0), "what the server computes is not read back"


@pytest.mark.parametrize("conditions", [True, False])
def test_a_feed_that_was_replaced_meanwhile_stays(conditions: bool, tmp_path: Path) -> None:
    bucket = Bucket(conditions=conditions)
    files = episode(tmp_path, 1)
    publish(target_of(bucket), files, [feed_of(files)], patience=HASTY)
    target, theirs = target_of(bucket), feed_of(files, title="Theirs").data

    def meanwhile() -> None:
        other = target_of(bucket)
        other.replace(FEED, theirs, "application/rss+xml", other.read(FEED))

    with pytest.raises(FeedOvertaken):
        publish(target, files, [feed_of(files, title="Mine")], before_feeds=meanwhile, patience=HASTY)
    assert public(bucket)[FEED] == theirs


def test_the_condition_is_the_version_that_was_read() -> None:
    bucket = Bucket()
    target = target_of(bucket)
    target.replace(FEED, b"one", "x/y", None)
    was = target.read(FEED)
    assert was is not None
    target.replace(FEED, b"two", "x/y", was)
    assert [(given.get("IfMatch"), given.get("IfNoneMatch")) for given in bucket.named("put_object")] == [(None, "*"), (was.version, None)]
    with pytest.raises(FeedOvertaken):
        target.replace(FEED, b"three", "x/y", was)
    bucket.objects.clear()
    target.replace(FEED, b"three", "x/y", was)
    assert target.read(FEED) == Text(b"three", f'"{hashlib.md5(b"three").hexdigest()}"')


def test_the_lock_is_one_publishers(tmp_path: Path) -> None:
    bucket = Bucket()
    files = episode(tmp_path, 1)

    def meanwhile() -> None:
        with pytest.raises(TargetBusy):
            publish(target_of(bucket), files, [], patience=HASTY)

    publish(target_of(bucket), files, [], before_feeds=meanwhile, patience=HASTY)


@pytest.mark.parametrize("checksums", [True, False])
def test_a_long_file_goes_on_after_the_last_part_that_arrived(checksums: bool, tmp_path: Path) -> None:
    bucket = Bucket(checksums=checksums)
    long = outgoing(tmp_path, "e/e.mp3", bytes(range(256)) * ((2 * PART + 1000) // 256), "audio/mpeg")
    target = target_of(bucket)

    def moved(done: int) -> None:
        if done > PART + 500_000:
            raise TargetUnreachable("cut off")

    with pytest.raises(TargetUnreachable):
        target.send(long, moved)
    assert len(bucket.named("upload_part")) == 2
    publish(target_of(bucket), [long], [], patience=HASTY)
    assert [given["PartNumber"] for given in bucket.named("upload_part")] == [1, 2, 2, 3]
    assert public(bucket) == {long.path: long.local.read_bytes()}
    assert bucket.uploads == {}
    assert publish(target_of(bucket), [long], [], patience=HASTY).sent == ()


def test_a_part_that_was_damaged_is_sent_again(tmp_path: Path) -> None:
    bucket = Bucket()
    long = outgoing(tmp_path, "e/e.mp3", b"sound" * (PART // 4), "audio/mpeg")
    target = target_of(bucket)
    target.send(long, lambda _: None)
    part = next(iter(bucket.uploads.values()))["parts"][1]
    part["ChecksumSHA256"] = _sum(b"other")
    assert target.proof(long, lambda _: None).sha256 == ""
    target.send(long, lambda _: None)
    assert target.proof(long, lambda _: None).sha256 == long.sha256
    target.drop(long)
    assert bucket.uploads == {}


def test_an_object_that_is_not_what_was_sent_is_in_no_feed(tmp_path: Path) -> None:
    class Damaging(Bucket):
        def _object(self, body: bytes, given: dict[str, Any], checksum: str) -> dict[str, Any]:
            damaged = body[:-1] + b"x" if given["Key"].endswith(".mp3") else body
            return super()._object(damaged, given, checksum)

    files = episode(tmp_path, 1)
    bucket = Damaging(checksums=False)
    with pytest.raises(NotAsSent, match="checksum differs"):
        publish(target_of(bucket), files, [feed_of(files)], patience=HASTY)
    assert public(bucket) == {}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (ClientError("SlowDown", 503), TargetUnreachable),
        (ClientError("InternalError", 500), TargetUnreachable),
        (ClientError("RequestTimeout", 400), TargetUnreachable),
        (BotoCoreError("connection lost"), TargetUnreachable),
        (OSError("reset"), TargetUnreachable),
        (ClientError("SignatureDoesNotMatch", 403), TargetRefused),
        (ClientError("AccessDenied", 403), TargetRefused),
        (ClientError("NoSuchBucket", 404), TargetRefused),
        (NoCredentialsError("none"), CredentialsMissing),
        (ParamValidationError("bucket"), TargetRefused),
    ],
)
def test_what_a_server_says_is_told_apart(fault: Exception, error: type[Exception]) -> None:
    bucket = Bucket()
    bucket.failing.append(fault)
    with pytest.raises(error):
        target_of(bucket).look(["x"], lambda _: None)
