"""The shipped plugin-gateway-nginx.conf in a real nginx before an upstream that tells what it was sent."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from servers import TEMPLATES, program, replace_once, running, wait_for, wait_until_up

from e2e.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

DOMAIN = "dify.example.com"
UPSTREAM = "plugin-daemon.dify.svc.cluster.local:5002"


class QuietServer(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A test may hang up in the middle of a request."""


class Daemon(BaseHTTPRequestHandler):
    """Answers with what arrived; /e/stream sends three events, each of which must have been seen before the next."""

    protocol_version = "HTTP/1.1"
    seen = threading.Semaphore(0)
    body_began = threading.Event()

    def do_GET(self) -> None:
        if self.path == "/e/stream":
            self.stream()
            return
        body = self.rfile.read(1) if self.command == "POST" else b""
        self.body_began.set()
        body += self.rfile.read(int(self.headers.get("Content-Length", 0)) - len(body))
        seen = {
            "path": self.path,
            "version": self.request_version,
            "headers": self.headers.items(),
            "body": body.decode(),
            "connection": self.client_address[1],
        }
        self.answer(json.dumps(seen).encode())

    def do_POST(self) -> None:
        self.do_GET()

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "11")
        self.end_headers()
        for event in (b"one", b"two", b"three"):
            self.wfile.write(event)
            assert self.seen.acquire(timeout=10)

    def log_message(self, *_: object) -> None: ...


@dataclass(frozen=True)
class Gateway:
    port: int
    log: Path

    @contextmanager
    def send(
        self, path: str, host: str = DOMAIN, method: str = "GET", **headers: str
    ) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, headers={"Host": host, **named})
            yield connection.getresponse()
        finally:
            connection.close()

    def status(self, path: str, host: str = DOMAIN) -> int:
        with self.send(path, host) as answer:
            return answer.status

    def arrived(self, path: str, **headers: str) -> dict[str, Any]:
        """What the plugin daemon was sent for this request; its headers by lower-case name."""
        with self.send(path, **headers) as answer:
            assert answer.status == 200
            seen: dict[str, Any] = json.loads(answer.read())
        names = [name.lower() for name, _ in seen["headers"]]
        assert len(names) == len(set(names)), names
        seen["headers"] = {name.lower(): value for name, value in seen["headers"]}
        return seen


def install(folder: Path, upstream: str, port: int) -> Path:
    """Write both files as the pod finds them, with this machine's ports and folder."""
    config = folder / "nginx.conf"
    text = (TEMPLATES / "plugin-gateway-nginx.conf").read_text()
    text = replace_once(
        text.replace("/tmp/", f"{folder}/"),
        {
            UPSTREAM: upstream,
            "listen 8080 default_server;": f"listen 127.0.0.1:{port} default_server;",
            "listen 8080;": f"listen 127.0.0.1:{port};",
            "/dev/stdout": str(folder / "access.log"),
        },
    )
    config.write_text(text)
    (folder / "domain.conf").write_text(f"server_name {DOMAIN};\n")
    return config


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    nginx = program("nginx")
    folder = Path(tempfile.mkdtemp(prefix="nginx-"))
    daemon = QuietServer(("127.0.0.1", 0), Daemon)
    threading.Thread(target=daemon.serve_forever, args=(0.05,), daemon=True).start()
    try:
        port = free_port()
        config = install(folder, f"127.0.0.1:{daemon.server_port}", port)
        with running([*unprivileged(folder), nginx, "-c", config, "-g", "daemon off;"], folder / "log") as server:
            wait_until_up(server, port, folder / "log")
            yield Gateway(port, folder / "access.log")
            server.terminate()  # with its worker process
            server.wait(10)
    finally:
        daemon.shutdown()
        daemon.server_close()
        shutil.rmtree(folder)


def unprivileged(folder: Path) -> list[str]:
    """Command prefix: without privileges, as in the pod."""
    if os.geteuid() != 0:
        return []
    os.chown(folder, 101, 101)
    drop = "--clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all"
    return ["setpriv", "--reuid=101", "--regid=101", *drop.split()]


def test_nginx_finds_nothing_to_complain_about(tmp_path: Path) -> None:
    config = install(tmp_path, "127.0.0.1:5002", 8080)
    checked = subprocess.run([program("nginx"), "-t", "-c", config], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr


def test_it_writes_below_tmp_only(gateway: Gateway) -> None:
    # nginx makes all of its folders when it starts, and here it runs where it may write nowhere else.
    written = {path.name for path in gateway.log.parent.iterdir()}
    assert written >= {"nginx.pid", "client_body", "proxy", "fastcgi", "uwsgi", "scgi"}


@pytest.mark.parametrize(
    "uri",
    [
        "/e/abc123/hook",
        "/e/abc123/hook?token=a%20b&x=1",
        "/e/a//b/%C3%A9",
    ],
)
def test_the_hook_url_is_the_address_that_the_caller_used(gateway: Gateway, uri: str) -> None:
    seen = gateway.arrived(uri)
    assert seen["path"] == uri
    assert seen["headers"]["dify-hook-url"] == f"https://{DOMAIN}{uri}"


def test_a_callers_own_hook_url_is_replaced(gateway: Gateway) -> None:
    seen = gateway.arrived("/e/abc/hook", Dify_Hook_Url="https://evil.example/e/abc/hook")
    assert seen["headers"]["dify-hook-url"] == f"https://{DOMAIN}/e/abc/hook"


def test_the_daemon_learns_who_called(gateway: Gateway) -> None:
    seen = gateway.arrived("/e/abc/hook", X_Forwarded_For="198.51.100.7, 35.191.0.1", X_Forwarded_Proto="http")
    assert seen["version"] == "HTTP/1.1"
    assert seen["headers"]["host"] == DOMAIN
    assert seen["headers"]["x-forwarded-for"] == "198.51.100.7, 35.191.0.1, 127.0.0.1"
    assert seen["headers"]["x-forwarded-proto"] == "https"
    assert seen["headers"]["x-forwarded-port"] == "443"
    assert "connection" not in seen["headers"]


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/e", "/ee/x", "/E/x", "/plugin/x", "/health/check", "/e/../plugin", "/e/%2e%2e/x", "/e/..%2fx"),
        # nginx takes these for /e/…, and would hand them on as they are
        *("/plugin/x/../../e/abc", "/plugin/T/asset/..%2f..%2f..%2fe%2fx", "/health/check/../../e/", "//e/x"),
        *("/e/a/../a/hook", "/e/x/..", "/e/x/%2E.", "/e/x/.%2e%5cy", "/%65/x"),
    ],
)
def test_nothing_but_endpoints_is_reachable(gateway: Gateway, path: str) -> None:
    assert gateway.status(path) == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", f"{DOMAIN}.evil.example", f"x.{DOMAIN}"])
def test_another_host_name_is_not_served(gateway: Gateway, host: str) -> None:
    assert gateway.status("/e/abc/hook", host) == 404


@pytest.mark.parametrize("host", ["10.1.2.3", "10.1.2.3:8080"])
def test_probes_and_load_balancer_find_it_healthy(gateway: Gateway, host: str) -> None:
    assert gateway.status("/healthz", host) == 200


def test_streamed_answers_arrive_as_they_are_sent(gateway: Gateway) -> None:
    with gateway.send("/e/stream") as answer:
        for event in (b"one", b"two", b"three"):  # a buffering proxy would wait for the end
            assert answer.read(len(event)) == event
            Daemon.seen.release()


def test_uploads_arrive_as_they_are_sent(gateway: Gateway) -> None:
    Daemon.body_began.clear()
    head = f"POST /e/upload HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: 10\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(f"{head}first".encode())
        assert Daemon.body_began.wait(5)  # a buffering proxy would wait for the end
        connection.sendall(b"-last")
        answer = connection.makefile("rb").read()
    assert b'"body": "first-last"' in answer


def test_connections_to_the_daemon_are_used_again(gateway: Gateway) -> None:
    assert len({gateway.arrived("/e/abc")["connection"] for _ in range(5)}) == 1


@pytest.mark.parametrize(("size", "status"), [(100 * 1024**2, 100), (100 * 1024**2 + 1, 413)])
def test_a_body_may_have_100_mb(gateway: Gateway, size: int, status: int) -> None:
    head = f"POST /e/upload HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: {size}\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(f"HTTP/1.1 {status} ".encode())


def test_time_limits() -> None:
    text = (TEMPLATES / "plugin-gateway-nginx.conf").read_text()
    limits = {name: int(value) for name, value in re.findall(r"^ *(\w+_timeout) (\d+)s;$", text, re.MULTILINE)}
    assert limits["keepalive_timeout"] > 600  # how long Google's load balancer keeps an idle connection
    assert limits["proxy_read_timeout"] == limits["proxy_send_timeout"] == 3600


def test_it_does_not_tell_its_version(gateway: Gateway) -> None:
    with gateway.send("/") as answer:
        assert answer.headers["Server"] == "nginx"


def test_the_log_has_requests_as_json_but_no_query_and_no_probe(gateway: Gateway) -> None:
    gateway.status("/healthz", "10.1.2.3")
    gateway.status('/e/logged/"quoted"?token=secret')
    wait_for(lambda: "/e/logged" in gateway.log.read_text(), "the log line")
    lines = [json.loads(line) for line in gateway.log.read_text().splitlines()]
    logged = next(line for line in lines if line["path"] == '/e/logged/"quoted"')
    assert (logged["method"], logged["host"], logged["status"]) == ("GET", DOMAIN, 200)
    assert "secret" not in gateway.log.read_text()
    assert not any(line["path"] == "/healthz" for line in lines)
