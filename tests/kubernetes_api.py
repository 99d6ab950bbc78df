"""A small HTTPS server that answers as the Kubernetes API server does: objects by path, merge patches, refusals."""

from __future__ import annotations

import json
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
    from collections.abc import Callable, Iterator

TOKEN = "the-pod-s-token"  # noqa: S105 - made up
PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


@dataclass
class Api:
    """State of the server. `refused` maps (method, path) to a status, `seen` lists what was asked and answered."""

    access: Path
    port: int = 0
    objects: dict[str, Any] = field(default_factory=dict)
    refused: dict[tuple[str, str], int] = field(default_factory=dict)
    patches: list[tuple[str, Any]] = field(default_factory=list)
    seen: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, text of the answer
    before: Callable[[], None] = lambda: None  # called before each answer

    def run(self, script: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a shipped script as its container does."""
        access = {
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(self.port),
            "API_ACCESS": str(self.access),
        }
        return subprocess.run(
            [sys.executable, "-B", TEMPLATES / script],
            env=access | settings,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


class Handler(BaseHTTPRequestHandler):
    api: Api

    def do_GET(self) -> None:
        if found := self.found("GET"):
            if self.headers["Accept"] == PARTIAL:
                found = {"kind": "PartialObjectMetadata", "metadata": found["metadata"]}
            self.answer(200, found)

    def do_PATCH(self) -> None:
        assert self.headers["Content-Type"] == "application/merge-patch+json"
        patch = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if found := self.found("PATCH"):
            self.api.patches.append((self.path, patch))
            self.api.objects[self.path] = merged(found, patch)
            self.answer(200, self.api.objects[self.path])

    def found(self, method: str) -> Any:
        """The object; where there is none to give, that is answered, too."""
        self.api.before()
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self.fail(401, "Unauthorized")
        elif status := self.api.refused.get((method, self.path)):
            self.fail(status, "Forbidden" if status == 403 else "Sorry")
        elif self.path not in self.api.objects:
            self.fail(404, "NotFound")
        else:
            return self.api.objects[self.path]
        return None

    def fail(self, status: int, reason: str) -> None:
        message = f"{self.path}: {reason} says the message"
        self.answer(status, {"kind": "Status", "reason": reason, "message": message, "code": status})

    def answer(self, status: int, body: Any) -> None:
        text = json.dumps(body)
        self.api.seen.append((self.command, self.path, text))
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None: ...


@contextmanager
def serve(folder: Path) -> Iterator[Api]:
    """Serve a new, empty API on a port of 127.0.0.1; `folder` gets what the kubelet would mount."""
    subject = ["-subj", "/CN=kubernetes", "-addext", "subjectAltName=IP:127.0.0.1"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "server.key"]
    command = [program("openssl"), "req", "-x509", *key, "-days", "1", *subject, "-out", "ca.crt"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (folder / "token").write_text(f"{TOKEN}\n")
    state = Api(folder)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "ca.crt", folder / "server.key")
    handler = type("ApiHandler", (Handler,), {"api": state})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        state.port = server.server_port
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield state
        finally:
            server.shutdown()
