"""One small API server over TLS: objects by their path, GET of the whole object or its metadata, merge patches."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from servers import TEMPLATES, program

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "a-token"  # noqa: S105 - made up
METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


@dataclass
class Api:
    """What is in the server, what was asked of it, and what it refuses (``{path: status}``)."""

    objects: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, Accept
    sent: list[str] = field(default_factory=list)  # texts of the answers
    patches: list[tuple[str, Any]] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    access: Path = Path()
    port: int = 0

    def run(self, script: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run one of the shipped scripts as the pod would, against this server."""
        place = {
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(self.port),
            "API_ACCESS": str(self.access),
        }
        return subprocess.run(
            [sys.executable, TEMPLATES / script],
            env={**os.environ, **place, **settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


def merged(target: Any, patch: Any) -> Any:
    """JSON merge patch, RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


class _Handler(BaseHTTPRequestHandler):
    api: Api

    def do_GET(self) -> None:
        if self._may():
            found = self.api.objects[self.path]
            only = self.headers["Accept"] == METADATA_ONLY
            self._answer(200, {"kind": "PartialObjectMetadata", "metadata": found["metadata"]} if only else found)

    def do_PATCH(self) -> None:
        patch = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self._may():
            assert self.headers["Content-Type"] == "application/merge-patch+json"
            self.api.patches.append((self.path, patch))
            self.api.objects[self.path] = merged(self.api.objects[self.path], patch)
            self._answer(200, self.api.objects[self.path])

    def _may(self) -> bool:
        self.api.asked.append((self.command, self.path, self.headers["Accept"]))
        status = self.api.refused.get(self.path, 200 if self.path in self.api.objects else 404)
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            status = 401
        if status != 200:
            self._answer(status, {"kind": "Status", "message": f"no: {self.path}", "reason": f"Reason{status}"})
        return status == 200

    def _answer(self, status: int, body: Any) -> None:
        text = json.dumps(body).encode()
        self.api.sent.append(text.decode())
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def serving(folder: Path) -> Iterator[Api]:
    """The server with a certificate of its own; its CA and the token are files in ``folder``."""
    key = folder / "key.pem"
    subprocess.run(
        [
            program("openssl"),
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"),
            *("-subj", "/CN=kubernetes", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key),
            *("-out", folder / "ca.crt"),
        ],
        check=True,
        capture_output=True,
    )
    (folder / "token").write_text(f"{TOKEN}\n", encoding="ascii")
    api = Api(access=folder)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "ca.crt", key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"api": api}))
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    api.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
