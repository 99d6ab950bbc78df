"""The shipped weaviate-backup.py, run as its container runs it, against Weaviate's and Cloud Storage's answers.

One small server speaks for Weaviate 1.27 (POST and GET /v1/backups/gcs), for Cloud Storage's JSON API (list with
prefix, delimiter and pages; delete) and for the metadata server.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import urllib.parse
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from servers import TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "weaviate-key"
TOKEN = "ya29.token"  # noqa: S105 - made up
PAGE = 2  # entries per page of a listing
OLD = [f"nightly-202601{day:02}t020000" for day in range(1, 6)]  # oldest first
HANG_UP = "no answer at all"  # instead of a state
EMPTY = "no available classes to backup, there's nothing to do here"


@dataclass
class Cloud:
    """State of the imitated servers; `states` is what Weaviate says of the new backup, the last one for ever."""

    folder: str = ""
    objects: set[str] = field(default_factory=set)
    statuses: dict[str, str] = field(default_factory=dict)
    states: list[Any] = field(default_factory=lambda: ["SUCCESS"])
    refusal: tuple[int, Any] | None = None
    started: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    port: int = 0

    def add(self, name: str, status: str = "SUCCESS") -> None:
        """An earlier backup as the module backup-gcs leaves it."""
        self.statuses[name] = status
        files = ("backup_config.json", "weaviate-0/backup.json", "weaviate-0/Vector index/chunk-1")
        self.objects |= {f"{self.folder}{name}/{file}" for file in files}

    def backups(self) -> list[str]:
        names = {o.removeprefix(self.folder).split("/")[0] for o in self.objects if o.startswith(self.folder)}
        return sorted(names)


class Handler(BaseHTTPRequestHandler):
    cloud: Cloud

    def do_POST(self) -> None:
        assert self.path == "/v1/backups/gcs"
        if not self.authorized(KEY):
            return
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.cloud.refusal:
            status, answer = self.cloud.refusal
            self.answer(status, answer)
            return
        name = body["id"]
        assert re.fullmatch("[a-z0-9_-]+", name)  # or Weaviate answers 422
        self.cloud.started.append(name)
        self.cloud.add(name, "STARTED")
        self.answer(200, {"backend": "gcs", "classes": ["A"], "id": name, "status": "STARTED"})

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/computeMetadata/v1/instance/service-accounts/default/token":
            assert self.headers["Metadata-Flavor"] == "Google"
            self.answer(200, {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})
        elif path == "/storage/v1/b/a-bucket/o":
            if self.authorized(TOKEN):
                self.list_objects(dict(urllib.parse.parse_qsl(query)))
        elif self.authorized(KEY):
            self.tell_state(path.removeprefix("/v1/backups/gcs/"))

    def do_DELETE(self) -> None:
        if self.authorized(TOKEN):
            name = urllib.parse.unquote(self.path.removeprefix("/storage/v1/b/a-bucket/o/"))
            self.cloud.objects.remove(name)
            self.cloud.deleted.append(name)
            self.answer(204, None)

    def tell_state(self, name: str) -> None:
        cloud = self.cloud
        if name in cloud.started:
            state = cloud.states.pop(0) if len(cloud.states) > 1 else cloud.states[0]
            if state == HANG_UP:
                return
            if isinstance(state, int):
                self.answer(state, {"error": [{"message": "for the moment"}]})
                return
            status, _, error = state.partition(": ")
            self.answer(200, {"backend": "gcs", "id": name, "status": status, "error": error})
        elif name in cloud.statuses:
            self.answer(200, {"backend": "gcs", "id": name, "status": cloud.statuses[name]})
        else:
            self.answer(404, {"error": [{"message": f"backup {name} not found"}]})

    def list_objects(self, query: dict[str, str]) -> None:
        prefix, delimiter, start = query["prefix"], query.get("delimiter"), int(query.get("pageToken", 0))
        entries: set[tuple[str, str]] = set()
        for name in self.cloud.objects:
            if name.startswith(prefix):
                head, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name, "", "")
                entries.add(("prefixes", prefix + head + found) if found else ("items", name))
        page = sorted(entries)[start : start + PAGE]
        answer: dict[str, Any] = {"kind": "storage#objects"}
        for kind, name in page:
            answer.setdefault(kind, []).append(name if kind == "prefixes" else {"name": name})
        if start + PAGE < len(entries):
            answer["nextPageToken"] = str(start + PAGE)
        self.answer(200, answer)

    def authorized(self, secret: str) -> bool:
        if self.headers["Authorization"] == f"Bearer {secret}":
            return True
        self.answer(401, {"code": 401, "message": "anonymous access not enabled"})
        return False

    def answer(self, status: int, body: object) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    state = Cloud()
    handler = type("CloudHandler", (Handler,), {"cloud": state})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        state.port = server.server_port
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield state
        finally:
            server.shutdown()


def back_up(cloud: Cloud, **changes: str | None) -> subprocess.CompletedProcess[str]:
    server = f"127.0.0.1:{cloud.port}"
    settings: dict[str, str | None] = {
        "WEAVIATE_URL": f"http://{server}",
        "WEAVIATE_API_KEY": KEY,
        "BACKUP_BUCKET": "a-bucket",
        "BACKUP_PATH": cloud.folder,
        "KEEP": "3",
        "TIMEOUT_SECONDS": "20",
        "STORAGE_EMULATOR_HOST": f"http://{server}",
        "GCE_METADATA_HOST": server,
        **changes,
    }
    return subprocess.run(
        [sys.executable, "-I", TEMPLATES / "weaviate-backup.py"],
        env={name: value for name, value in settings.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_backup_is_started_and_waited_for(cloud: Cloud) -> None:
    cloud.states = ["STARTED", "TRANSFERRING", "TRANSFERRED", "SUCCESS"]
    done = back_up(cloud)
    assert (done.returncode, done.stderr) == (0, "")
    (name,) = cloud.started
    assert re.fullmatch(r"nightly-\d{8}t\d{6}", name)
    assert done.stdout == f"backup {name} started\nbackup {name} succeeded\n"
    assert cloud.states == ["SUCCESS"]  # all states before were seen


@pytest.mark.parametrize(("path", "folder"), [("", ""), ("weaviate", "weaviate/"), ("a b/ü+&/", "a b/ü+&/")])
def test_the_newest_are_kept_and_nothing_else_is_touched(cloud: Cloud, path: str, folder: str) -> None:
    cloud.folder = folder
    for name in OLD:
        cloud.add(name)
    others = {
        f"{folder}nightly-by-hand/backup_config.json",
        f"{folder}nightly-20260101t020000-copy/backup_config.json",
        f"{folder}weekly-20260101t020000/backup_config.json",
        f"{folder}nightly-20260101t020000",
        f"elsewhere/{OLD[0]}/backup_config.json",
    }
    cloud.objects |= others
    done = back_up(cloud, KEEP="3", BACKUP_PATH=path)
    assert (done.returncode, done.stderr) == (0, "")
    ours = {name for name in cloud.backups() if re.fullmatch(r"nightly-\d{8}t\d{6}", name)}
    assert ours >= {OLD[3], OLD[4], cloud.started[0]}
    assert not any(object_.startswith(f"{folder}{old}/") for object_ in cloud.objects for old in OLD[:3])
    assert others <= cloud.objects
    assert done.stdout.count(" removed: 3 newer ones are kept\n") == 3


def test_failed_backups_use_up_no_place(cloud: Cloud) -> None:
    for name, status in zip(OLD, ["SUCCESS", "SUCCESS", "SUCCESS", "FAILED", "FAILED"], strict=True):
        cloud.add(name, status)
    del cloud.statuses[OLD[4]]  # not even a description in the bucket: Weaviate answers 404
    assert back_up(cloud, KEEP="3").returncode == 0
    assert cloud.backups() == [*OLD[1:], cloud.started[0]]


def test_nothing_is_removed_while_there_are_too_few(cloud: Cloud) -> None:
    for name in OLD:
        cloud.add(name, "FAILED")
    assert back_up(cloud, KEEP="2").returncode == 0
    assert cloud.deleted == []


def test_the_description_is_removed_first(cloud: Cloud) -> None:
    cloud.add(OLD[0])
    assert back_up(cloud, KEEP="1").returncode == 0
    assert cloud.backups() == cloud.started
    assert cloud.deleted[0] == f"{OLD[0]}/backup_config.json"


def test_an_instance_without_collections_is_no_failure(cloud: Cloud) -> None:
    cloud.refusal = (422, {"error": [{"message": EMPTY}]})
    for name in OLD:
        cloud.add(name)
    done = back_up(cloud, KEEP="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("nothing to back up: ")
    assert cloud.deleted == []


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (422, "backup nightly-20260101t020000 already in progress"),
        (422, 'no backup backend "gcs": backup-gcs, did you enable the right module?'),
        (403, "forbidden"),
        (500, EMPTY),  # these words excuse a 422 only
    ],
)
def test_a_refusal_is_a_failure_with_weaviates_words(cloud: Cloud, status: int, message: str) -> None:
    cloud.refusal = (status, {"error": [{"message": message}]})
    cloud.add(OLD[0])
    done = back_up(cloud, KEEP="1")
    assert done.returncode == 1
    assert f"/v1/backups/gcs: status {status}: " in done.stderr
    assert json.dumps(message)[1:-1] in done.stderr
    assert cloud.deleted == []


@pytest.mark.parametrize("end", ["FAILED: node weaviate-0: no space left", "CANCELED: operation cancelled by user"])
def test_a_backup_that_ends_badly_is_a_failure_and_removes_nothing(cloud: Cloud, end: str) -> None:
    cloud.states = ["STARTED", end]
    for name in OLD:
        cloud.add(name)
    done = back_up(cloud, KEEP="1")
    assert done.returncode == 1
    assert done.stderr == f"weaviate-backup: backup {cloud.started[0]} ended as {end}\n"
    assert cloud.deleted == []


def test_a_backup_that_does_not_end_is_a_failure_and_removes_nothing(cloud: Cloud) -> None:
    cloud.states = ["TRANSFERRING"]
    cloud.add(OLD[0])
    done = back_up(cloud, KEEP="1", TIMEOUT_SECONDS="1")
    assert done.returncode == 1
    assert done.stderr.endswith("has not ended after 1 s, last state: TRANSFERRING\n")
    assert cloud.deleted == []


def test_a_server_that_stumbles_gets_its_time(cloud: Cloud) -> None:
    cloud.states = [503, HANG_UP, "SUCCESS"]
    done = back_up(cloud)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_backup_that_vanishes_is_a_failure(cloud: Cloud) -> None:
    cloud.states = ["STARTED", 404]
    done = back_up(cloud)
    assert done.returncode == 1
    assert done.stderr.startswith("weaviate-backup: GET ")
    assert "status 404" in done.stderr


def test_a_wrong_key_is_a_failure(cloud: Cloud) -> None:
    done = back_up(cloud, WEAVIATE_API_KEY="wrong")
    assert done.returncode == 1
    assert "anonymous access not enabled" in done.stderr
    assert "wrong" not in done.stderr


def test_a_server_that_is_away_is_a_failure(cloud: Cloud) -> None:
    done = back_up(cloud, WEAVIATE_URL="http://127.0.0.1:1")
    assert done.returncode == 1
    assert done.stderr.startswith("weaviate-backup: POST http://127.0.0.1:1/v1/backups/gcs: no answer: ")


def test_a_bucket_that_cannot_be_listed_is_a_failure(cloud: Cloud) -> None:
    done = back_up(cloud, BACKUP_BUCKET="another-bucket")
    assert done.returncode == 1
    assert "another-bucket" in done.stderr


def test_keeping_nothing_is_refused_before_anything_is_done(cloud: Cloud) -> None:
    done = back_up(cloud, KEEP="0")
    assert done.returncode == 1
    assert done.stderr.startswith("weaviate-backup: KEEP must be at least 1, got 0")
    assert cloud.started == []


def test_a_missing_setting_is_a_failure_that_names_it(cloud: Cloud) -> None:
    done = back_up(cloud, KEEP=None)
    assert done.returncode == 1
    assert "KEEP" in done.stderr
    assert cloud.started == []
