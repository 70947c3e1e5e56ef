"""A bucket of a server that speaks S3. The only import of boto3 (the extra ``s3``).

We are who the environment or ``~/.aws`` says (``AWS_ACCESS_KEY_ID``, ``AWS_PROFILE``, ...). An object appears whole or not at all, and the server
compares its checksum; feeds are replaced on the condition that they still are what was read (If-Match), and the lock is created on the condition that
there is none (If-None-Match). A server that does not hold conditions is noticed, and said so.

What is larger than one part is sent in parts, and goes on after the last one that arrived. Parts of an upload that nobody goes on with are kept, and
paid for: give the bucket a rule that aborts them after some days.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

from feeds.errors import CredentialsMissing, ExtraMissing, FeedOvertaken, NotAsSent, PublishError, TargetRefused, TargetUnreachable
from feeds.patience import Moved, Patience, bounded
from feeds.targets.base import BLOCK, LOCK, MOST_BYTES, MOST_NAMES, Found, LockedByFile, Outgoing, Text, digest_from, whole

PART: Final = 8 << 20
"""Bytes of a part; the last one is shorter. S3 takes no less than 5 MiB, and 10000 of them."""
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_FOR_A_WHILE: Final = "public, max-age=300"
_MISSING: Final = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchUpload"})
_OVERTAKEN: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412"})
_IN_TROUBLE: Final = frozenset(
    {"SlowDown", "RequestTimeout", "RequestTimeTooSkewed", "InternalError", "ServiceUnavailable", "OperationAborted", "BadDigest"}
)
_UNKNOWN: Final = frozenset({"NotImplemented", "501"})
_SIGNATURE: Final = frozenset({"SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken", "InvalidToken", "TokenRefreshRequired"})


def connected(bucket: str, prefix: str, endpoint: str, region: str, public_url: str | None, patience: Patience) -> S3:
    """A target in a bucket. Raises ExtraMissing, CredentialsMissing, TargetRefused."""
    try:
        import boto3
        import botocore.config
        import botocore.exceptions
    except ImportError:
        raise ExtraMissing("s3", "s3") from None
    faults = botocore.exceptions

    def client() -> Any:
        session = boto3.session.Session()
        if session.get_credentials() is None:
            raise CredentialsMissing(
                f"s3://{bucket}: nothing to identify ourselves with", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            )
        config = botocore.config.Config(
            connect_timeout=patience.connect,
            read_timeout=patience.answer,
            # Again is what the publisher says.
            retries={"total_max_attempts": 1},
            signature_version="s3v4",
            # Other servers than Amazon's know neither names of buckets before their own, nor checksums that nobody asked for.
            s3={"addressing_style": "path" if endpoint else "auto"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        made = session.client("s3", endpoint_url=endpoint or None, region_name=region or session.region_name or "us-east-1", config=config)
        made._endpoint.http_session = _Session(made._endpoint.http_session)
        return made

    try:
        made = bounded(f"s3://{bucket}", lambda _: client(), patience)
    except (faults.BotoCoreError, ValueError) as error:
        raise TargetRefused(f"s3://{bucket}: {error}") from error
    return S3(made, faults, bucket, prefix, public_url)


class S3(LockedByFile):
    """A bucket, or what begins with a prefix in it."""

    def __init__(self, client: Any, faults: Any, bucket: str, prefix: str, public_url: str | None) -> None:
        self._client = client
        self._faults = faults
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.where = f"s3://{bucket}/{self._prefix}".rstrip("/")
        self.public_url = public_url
        self.caveats: list[str] = []
        self._uploads: dict[str, str] = {}
        self._conditions = True

    def _at(self, path: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + path}

    @contextlib.contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """What the library raises, as ours; no more of it than the server's own words."""
        faults = self._faults
        try:
            yield
        except faults.ClientError as error:
            code, status = _code(error), int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            message = f"{self.where}: {what}: {code} {error.response.get('Error', {}).get('Message', '')}"[:500]
            if status >= 500 or status == 429 or code in _IN_TROUBLE:
                raise TargetUnreachable(message) from error
            if code in _SIGNATURE:
                raise TargetRefused(message, "check the keys that the environment or ~/.aws gives") from error
            raise TargetRefused(message, "is it the right bucket, and may these keys write to it?") from error
        except (faults.NoCredentialsError, faults.PartialCredentialsError) as error:
            raise CredentialsMissing(f"{self.where}: {error}", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE") from error
        except (faults.ParamValidationError, faults.InvalidRegionError) as error:
            raise TargetRefused(f"{self.where}: {what}: {error}") from error
        except (faults.BotoCoreError, OSError) as error:
            raise TargetUnreachable(f"{self.where}: {what}: {error}") from error

    # -- files -----------------------------------------------------------------------------------------------------------------------

    def look(self, paths: Sequence[str], moved: Moved) -> dict[str, Found]:
        found = {}
        for path in paths:
            with self._errors(f"looking for {path}"):
                try:
                    said = self._client.head_object(**self._at(path), ChecksumMode="ENABLED")
                except self._faults.ClientError as error:
                    if _code(error) not in _MISSING:
                        raise
                else:
                    found[path] = Found(int(said["ContentLength"]), said.get("ContentType"), _sha256(said))
            moved(0)
        return found

    def send(self, file: Outgoing, moved: Moved) -> None:
        with self._errors(f"sending {file.path}"), file.local.open("rb") as source:
            described = {"ContentType": file.type, "CacheControl": _FOR_EVER, "Metadata": {"sha256": file.sha256}}
            if file.length <= PART:
                body = _Piece(source.read(), 0, moved)
                checksum = _base64(bytes.fromhex(file.sha256))
                self._client.put_object(**self._at(file.path), Body=body, ContentLength=file.length, ChecksumSHA256=checksum, **described)
                return
            upload = self._unfinished(file.path)
            if upload is None:
                upload = str(self._client.create_multipart_upload(**self._at(file.path), ChecksumAlgorithm="SHA256", **described)["UploadId"])
            self._uploads[file.path] = upload
            arrived = {part["PartNumber"]: part for part in self._parts(file.path)}
            for number, begun in enumerate(range(0, file.length, PART), 1):
                data = source.read(PART)
                if number not in arrived or not _is_part(arrived[number], data):
                    piece = _Piece(data, begun, moved)
                    sum_of_it = _base64(hashlib.sha256(data).digest())
                    self._client.upload_part(
                        **self._at(file.path), UploadId=upload, PartNumber=number, Body=piece, ContentLength=len(data), ChecksumSHA256=sum_of_it
                    )
                moved(begun + len(data))

    def _unfinished(self, path: str) -> str | None:
        """The newest upload of this file that was begun and not finished: its name says what is in it."""
        key = self._at(path)["Key"]
        try:
            listed = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=key).get("Uploads", [])
        except self._faults.ClientError as error:
            if _code(error) in _UNKNOWN:
                return None
            raise
        same = sorted((str(one.get("Initiated", "")), str(one["UploadId"])) for one in listed if one["Key"] == key)
        return same[-1][1] if same else None

    def _parts(self, path: str) -> list[dict[str, Any]]:
        """The parts that arrived, in their order."""
        parts: list[dict[str, Any]] = []
        marker = 0
        while len(parts) < MOST_NAMES:
            said = self._client.list_parts(**self._at(path), UploadId=self._uploads[path], PartNumberMarker=marker)
            listed = said.get("Parts", [])
            parts += listed
            if not said.get("IsTruncated") or not listed:
                break
            marker = int(listed[-1]["PartNumber"])
        return sorted(parts, key=lambda part: int(part["PartNumber"]))

    def proof(self, file: Outgoing, moved: Moved) -> Found:
        """By the checksums that the server gives; where it gives none, by reading back."""
        if file.length <= PART:
            said = self.look([file.path], moved).get(file.path)
            if said is None:
                raise NotAsSent(file.path, "is not there after it was sent")
            return said if said.sha256 and self._checks(file.path) else self._read_back(file, moved)
        with self._errors(f"proving {file.path}"), file.local.open("rb") as source:
            parts = self._parts(file.path)
            sound = [_is_part(part, source.read(PART)) for part in parts]
        length = sum(int(part["Size"]) for part in parts)
        return Found(length, None, file.sha256 if all(sound) and length == file.length else "")

    def _checks(self, path: str) -> bool:
        """Whether the checksum of an object is one that the server computed, and not only what we said of it."""
        with self._errors(f"proving {path}"):
            return "ChecksumSHA256" in self._client.head_object(**self._at(path), ChecksumMode="ENABLED")

    def _read_back(self, file: Outgoing, moved: Moved) -> Found:
        with self._errors(f"reading {file.path} back"):
            body = self._client.get_object(**self._at(file.path))["Body"]
            with contextlib.closing(body):
                return digest_from(body, moved, file.length)

    def land(self, file: Outgoing) -> None:
        if file.length <= PART:
            return
        with self._errors(f"completing {file.path}"):
            parts = [{key: part[key] for key in ("PartNumber", "ETag", "ChecksumSHA256") if key in part} for part in self._parts(file.path)]
            self._client.complete_multipart_upload(**self._at(file.path), UploadId=self._uploads.pop(file.path), MultipartUpload={"Parts": parts})

    def drop(self, file: Outgoing) -> None:
        upload = self._uploads.pop(file.path, None)
        if file.length <= PART:
            self.remove(file.path)
        elif upload is not None:
            with self._errors(f"forgetting {file.path}"):
                self._client.abort_multipart_upload(**self._at(file.path), UploadId=upload)

    # -- small files -------------------------------------------------------------------------------------------------------------------

    def read(self, path: str) -> Text | None:
        with self._errors(f"reading {path}"):
            try:
                said = self._client.get_object(**self._at(path))
            except self._faults.ClientError as error:
                if _code(error) in _MISSING:
                    return None
                raise
            with contextlib.closing(said["Body"]) as body:
                return Text(whole(path, body.read(MOST_BYTES + 1)), str(said["ETag"]))

    def create(self, path: str, data: bytes) -> bool:
        # A server that holds no conditions would put ours in the place of another one's.
        if self.read(path) is not None:
            return False
        return self._put(path, data, "application/json", {"IfNoneMatch": "*"})

    def take(self, mine: bytes) -> bytes | None:
        theirs = super().take(mine)
        if theirs is None and self._conditions and self._put(LOCK, mine, "application/json", {"IfNoneMatch": "*"}):
            self._conditions = False
        if theirs is None and not self._conditions:
            self.caveats.append(f"{self.where} does not hold conditions (If-None-Match): two publishers at once would not notice each other for sure")
        return theirs

    def replace(self, path: str, data: bytes, media_type: str, was: Text | None) -> None:
        if not self._conditions:
            there = self.read(path)
            if there is not None and (was is None or there.data != was.data):
                raise FeedOvertaken(path)
        if not self._put(path, data, media_type, {"IfMatch": was.version} if was else {"IfNoneMatch": "*"}):
            raise FeedOvertaken(path)

    def _put(self, path: str, data: bytes, media_type: str, condition: dict[str, str]) -> bool:
        """Put a small object if the condition holds; whether it did."""
        cache = "no-store" if path == LOCK else _FOR_A_WHILE
        said = {"ContentType": media_type, "CacheControl": cache, "ChecksumSHA256": _base64(hashlib.sha256(data).digest())}
        with self._errors(f"writing {path}"):
            try:
                self._client.put_object(**self._at(path), Body=data, **said, **(condition if self._conditions else {}))
            except self._faults.ClientError as error:
                code = _code(error)
                if code in _OVERTAKEN:
                    return False
                if code in _MISSING and "IfMatch" in condition:
                    # It was removed: nobody's news are lost.
                    return self._put(path, data, media_type, {"IfNoneMatch": "*"})
                if code in _UNKNOWN and self._conditions:
                    self._conditions = False
                    return self._put(path, data, media_type, condition)
                raise
        return True

    def names(self, folder: str) -> list[str]:
        prefix = f"{self._prefix}{folder}/"
        listed: list[str] = []
        more: dict[str, str] = {}
        with self._errors(f"listing {folder}"):
            while len(listed) < MOST_NAMES:
                said = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, Delimiter="/", **more)
                listed += [str(one["Key"])[len(prefix) :] for one in said.get("Contents", [])]
                if not said.get("IsTruncated") or not said.get("NextContinuationToken"):
                    break
                more = {"ContinuationToken": said["NextContinuationToken"]}
        return sorted(listed)

    def remove(self, path: str) -> None:
        with self._errors(f"removing {path}"):
            self._client.delete_object(**self._at(path))

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._client.close()


class _Session:
    """What the library sends its requests with, but that no answer is read into memory without an end; the library itself knows no limit."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def send(self, request: Any) -> Any:
        streamed, request.stream_output = request.stream_output, True
        response = self._session.send(request)
        response.raw = _Limited(response.raw)
        if not streamed:
            # Read now, as the library would have.
            _ = response.content
        return response

    def close(self) -> None:
        self._session.close()


class _Limited:
    """An answer of which `MOST_BYTES` are read at once; what is read piece by piece is for the reader to bound."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        length = 0
        for block in self._raw.stream(BLOCK):
            length += len(block)
            if length > MOST_BYTES:
                self._raw.close()
                raise OSError("the server answers without an end")
            yield block

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


class _Piece(io.BytesIO):
    """Bytes that say how far they were read: the library reads them as it sends them."""

    def __init__(self, data: bytes, begun: int, moved: Moved) -> None:
        super().__init__(data)
        self._begun = begun
        self._moved = moved

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size)
        self._moved(self._begun + self.tell())
        return block


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode("ascii")


def _sha256(said: dict[str, Any]) -> str | None:
    """The checksum of a whole object: the server's, or of one that came in parts what was written beside it when each part had been compared."""
    found = str(said.get("ChecksumSHA256", ""))
    if found and "-" not in found:
        try:
            return base64.b64decode(found, validate=True).hex()
        except ValueError as error:
            raise PublishError("the server gives a checksum that is none") from error
    noted = said.get("Metadata", {}).get("sha256")
    return None if noted is None else str(noted)


def _is_part(part: dict[str, Any], data: bytes) -> bool:
    """Whether a part that arrived is these bytes, by the checksum that the server gives of it, or by its ETag, which is the MD5."""
    if int(part["Size"]) != len(data):
        return False
    if "ChecksumSHA256" in part:
        return bool(part["ChecksumSHA256"] == _base64(hashlib.sha256(data).digest()))
    return bool(str(part["ETag"]).strip('"') == hashlib.md5(data, usedforsecurity=False).hexdigest())
