"""Back Weaviate up to its bucket, wait for the end, then remove what is older than the newest KEEP backups.

Needs nothing but Python's standard library. Exit status: 0 backed up, or nothing there to back up; 1 anything else,
with the reason on standard error.

Weaviate 1.27 can start a backup and tell its state, but neither list nor delete backups (listing answers «not
implemented», DELETE cancels a running one): old ones are found and removed in the bucket, where each backup is one
folder named after its id.

Environment
    WEAVIATE_URL          for example http://weaviate.dify.svc.cluster.local:8080
    WEAVIATE_API_KEY
    BACKUP_BUCKET         bucket of Weaviate's module backup-gcs (its BACKUP_GCS_BUCKET)
    BACKUP_PATH           folder in the bucket, if any (its BACKUP_GCS_PATH)
    KEEP                  number of successful backups to keep, at least 1
    TIMEOUT_SECONDS       how long the backup may take
    STORAGE_EMULATOR_HOST, GCE_METADATA_HOST
                          other servers than Google's, under the names that Google's own libraries use
"""

from __future__ import annotations

import datetime as dt
import http.client
import json
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PREFIX = "nightly"  # ids may hold lower-case letters, digits, «_» and «-»
OURS = re.compile(rf"{PREFIX}-\d{{8}}t\d{{6}}")  # nothing else is ever removed
NOTHING_TO_DO = "no available classes to backup"  # Weaviate's words for an instance without collections
LONGEST_PAUSE = 15.0  # seconds between two looks at the state
REQUEST_TIMEOUT = 60  # seconds
UNPROCESSABLE, NOT_FOUND, SERVER_ERROR = 422, 404, 500
NO_ANSWER = 600


class BackupError(Exception):
    """The reason why this run failed, for a person."""


class HttpError(BackupError):
    """An answer that is no success; one that never came has the status NO_ANSWER."""

    def __init__(self, request: urllib.request.Request, status: int, text: str) -> None:
        what = "no answer" if status == NO_ANSWER else f"status {status}"
        super().__init__(f"{request.get_method()} {request.full_url}: {what}: {text.strip()}")
        self.status = status
        self.text = text


def call(method: str, url: str, headers: dict[str, str], body: object = None) -> Any:
    """Send one request; return the decoded JSON answer, None for an empty one. Raises HttpError."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        with error:
            raise HttpError(request, error.code, error.read().decode(errors="replace")) from None
    except (OSError, http.client.HTTPException) as error:
        raise HttpError(request, NO_ANSWER, str(error)) from None
    return json.loads(text) if text else None


class Weaviate:
    """The backup calls of one instance."""

    def __init__(self, url: str, key: str) -> None:
        self.backups = f"{url.rstrip('/')}/v1/backups/gcs"
        self.headers = {"Authorization": f"Bearer {key}"}

    def start(self, name: str) -> bool:
        """Start a backup of all collections; False when there are none."""
        try:
            call("POST", self.backups, self.headers, {"id": name})
        except HttpError as error:
            if error.status == UNPROCESSABLE and NOTHING_TO_DO in error.text:
                return False
            raise
        return True

    def wait(self, name: str, seconds: int) -> None:
        """Return when the backup has succeeded; a server that does not answer for a while gets its time."""
        end, pause, last = time.monotonic() + seconds, 0.1, "unknown"
        while time.monotonic() < end:
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            try:
                answer = call("GET", f"{self.backups}/{name}", self.headers)
            except HttpError as problem:
                if problem.status < SERVER_ERROR:
                    raise
                last = str(problem)
                continue
            last = answer["status"]  # STARTED, TRANSFERRING, TRANSFERRED, SUCCESS, FAILED, CANCELED
            if last == "SUCCESS":
                return
            if last in {"FAILED", "CANCELED"}:
                reason = answer.get("error") or "Weaviate gave no reason"
                raise BackupError(f"backup {name} ended as {last}: {reason}")
        raise BackupError(f"backup {name} has not ended after {seconds} s, last state: {last}")

    def succeeded(self, name: str) -> bool:
        """Whether an earlier backup is whole; one without its description in the bucket is not."""
        try:
            return bool(call("GET", f"{self.backups}/{name}", self.headers)["status"] == "SUCCESS")
        except HttpError as error:
            if error.status == NOT_FOUND:
                return False
            raise


class Bucket:
    """The backups' folder in Cloud Storage, with the rights of the pod's service account."""

    def __init__(self, bucket: str, path: str) -> None:
        host = os.environ.get("STORAGE_EMULATOR_HOST") or "https://storage.googleapis.com"
        self.objects = f"{host}/storage/v1/b/{urllib.parse.quote(bucket, safe='')}/o"
        self.folder = f"{path.rstrip('/')}/" if path else ""
        metadata = os.environ.get("GCE_METADATA_HOST") or "metadata.google.internal"
        token = f"http://{metadata}/computeMetadata/v1/instance/service-accounts/default/token"
        answer = call("GET", token, {"Metadata-Flavor": "Google"})
        self.headers = {"Authorization": f"Bearer {answer['access_token']}"}

    def pages(self, **query: str) -> Iterator[dict[str, Any]]:
        """Yield the pages of a listing."""
        while True:
            page = call("GET", f"{self.objects}?{urllib.parse.urlencode(query)}", self.headers)
            yield page
            if "nextPageToken" not in page:
                return
            query["pageToken"] = page["nextPageToken"]

    def backups(self) -> list[str]:
        """Ids of our backups, newest first."""
        pages = self.pages(prefix=f"{self.folder}{PREFIX}-", delimiter="/")
        names = [name[len(self.folder) : -1] for page in pages for name in page.get("prefixes", [])]
        return sorted(filter(OURS.fullmatch, names), reverse=True)

    def remove(self, name: str) -> None:
        """Remove a backup, its description first: what an interruption leaves cannot be taken for a whole one."""
        pages = self.pages(prefix=f"{self.folder}{name}/")
        objects = [item["name"] for page in pages for item in page.get("items", [])]
        description = f"{self.folder}{name}/backup_config.json"
        for item in sorted(objects, key=lambda item: item != description):
            try:
                call("DELETE", f"{self.objects}/{urllib.parse.quote(item, safe='')}", self.headers)
            except HttpError as error:
                if error.status != NOT_FOUND:  # gone already
                    raise


def outdated(names: list[str], succeeded: Callable[[str], bool], keep: int) -> list[str]:
    """Return what is older than the `keep` newest successful backups; failed ones use up no place."""
    whole = 0
    for index, name in enumerate(names):
        whole += succeeded(name)
        if whole == keep:
            return names[index + 1 :]
    return []


def back_up(settings: Mapping[str, str]) -> None:
    """Run the steps in the order of the module's first line."""
    keep, seconds = int(settings["KEEP"]), int(settings["TIMEOUT_SECONDS"])
    if keep < 1:
        raise BackupError(f"KEEP must be at least 1, got {keep}: the backup just made would be removed")
    weaviate = Weaviate(settings["WEAVIATE_URL"], settings["WEAVIATE_API_KEY"])
    name = f"{PREFIX}-{dt.datetime.now(dt.UTC):%Y%m%dt%H%M%S}"
    if not weaviate.start(name):
        say("nothing to back up: Weaviate has no collections yet; earlier backups stay as they are")
        return
    say(f"backup {name} started")
    weaviate.wait(name, seconds)
    say(f"backup {name} succeeded")
    bucket = Bucket(settings["BACKUP_BUCKET"], settings.get("BACKUP_PATH", ""))
    for old in outdated(bucket.backups(), weaviate.succeeded, keep):
        bucket.remove(old)
        say(f"backup {old} removed: {keep} newer ones are kept")


def say(text: str) -> None:
    """Write a line to the container's log at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        back_up(os.environ)
    except BackupError as problem:
        sys.exit(f"weaviate-backup: {problem}")
