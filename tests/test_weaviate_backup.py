"""The shipped weaviate-backup.py, run as its container runs it, against weaviate_cloud.py."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from servers import TEMPLATES
from weaviate_cloud import HANG_UP, KEY, Cloud, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD = [f"nightly-202601{day:02}t020000" for day in range(1, 6)]  # oldest first
EMPTY = "no available classes to backup, there's nothing to do here"


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with serve() as found:
        yield found


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


@pytest.mark.parametrize(
    ("path", "folder"), [(None, ""), ("", ""), ("weaviate", "weaviate/"), ("a b/ü+&/", "a b/ü+&/")]
)
def test_the_newest_are_kept_and_nothing_else_is_touched(cloud: Cloud, path: str | None, folder: str) -> None:
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
