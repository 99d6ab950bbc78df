"""One small server that answers as Weaviate 1.27, Cloud Storage and the metadata server do.

Weaviate: POST and GET /v1/backups/gcs; Cloud Storage's JSON API: list with prefix, delimiter and pages, delete.
"""

from __future__ import annotations

import json
import re
import threading
import urllib.parse
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "weaviate-key"
TOKEN = "ya29.token"  # noqa: S105 - made up
PAGE = 2  # entries per page of a listing
HANG_UP = "no answer at all"  # instead of a state


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


@contextmanager
def serve() -> Iterator[Cloud]:
    """Serve a new cloud on a port of 127.0.0.1."""
    state = Cloud()
    handler = type("CloudHandler", (Handler,), {"cloud": state})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        state.port = server.server_port
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield state
        finally:
            server.shutdown()
