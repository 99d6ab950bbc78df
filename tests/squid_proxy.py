"""Ways to run one real Squid with the shipped configuration, and to talk to it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from servers import replace_once, running, wait_until_up

from dify_gitops.overlay.networks import squid_conf
from e2e.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

UID = 13  # user «proxy» of the image
CLUSTER = ["10.0.0.0/16", "10.1.0.0/16", "10.2.0.0/16", "172.16.0.0/28", "34.118.224.0/20"]
POD = "10.1.2.3"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes

    def refused_by_squid(self) -> bool:
        """As Dify sees it: 403 (or 401) and «squid» in Server or Via."""
        return self.status == 403 and self.headers["Server"] == "squid"

    def seen_by_origin(self) -> dict[str, Any]:
        assert self.headers["Server"] == "origin", (self.status, self.headers.items())
        seen: dict[str, Any] = json.loads(self.body)
        return seen


@dataclass
class Proxy:
    """A running Squid and the ways to it: Unix sockets named after client addresses, or one port."""

    folder: Path
    port: int | None
    pid: int
    log: list[str] = field(default_factory=list)

    def connect(self, client: str) -> socket.socket:
        if self.port:
            return socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(30)
        connection.connect(str(self.folder / client))
        return connection

    def send(self, target: str, *headers: str, method: str = "GET", client: str = POD) -> Answer:
        """One request to the proxy, exactly as written."""
        with self.connect(client) as connection:
            connection.sendall(_head(f"{method} {target}", *headers))
            return parse(_read(connection))

    def tunnel(self, target: str) -> tuple[Answer, bytes]:
        """CONNECT and, where it is granted, what a request through the tunnel brings."""
        with self.connect(POD) as connection:
            connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
            opened = parse(_read(connection, until=b"\r\n\r\n"))
            if opened.status != 200:
                return opened, b""
            connection.sendall(_head("GET /inside", "Host: tunnelled"))
            return opened, _read(connection)


def _head(first: str, *headers: str) -> bytes:
    return "".join(f"{line}\r\n" for line in (f"{first} HTTP/1.1", *headers, "Connection: close", "")).encode()


def _read(connection: socket.socket, until: bytes | None = None) -> bytes:
    data = b""
    while not (until and until in data):
        chunk = connection.recv(65536)
        if not chunk:
            break
        data += chunk
    return data


def parse(data: bytes) -> Answer:
    head, _, body = data.partition(b"\r\n\r\n")
    status, _, headers = head.partition(b"\r\n")
    assert status.startswith(b"HTTP/1.1 "), data
    return Answer(int(status.split()[1]), BytesParser().parsebytes(headers), body)


def render(clients: str = "10.1.0.0/16") -> str:
    return squid_conf(clients, CLUSTER, (80, 8443, 443))


def as_proxy_user() -> list[str]:
    """Command prefix: uid 13 without any privilege, as in the pod; for others than root at least a user namespace."""
    if os.geteuid() == 0:
        drop = "--clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all"
        return ["setpriv", f"--reuid={UID}", f"--regid={UID}", *drop.split()]
    return ["unshare", "--user", f"--map-user={UID}", f"--map-group={UID}"]


@contextmanager
def private_network(folder: Path, command: list[str]) -> Iterator[Proxy | None]:
    """Squid inside squid_world.py, or None where that cannot be had."""
    unshare = shutil.which("unshare")
    if unshare is None:
        yield None
        return
    read, write = os.pipe()
    if os.geteuid() == 0:
        os.fchown(write, UID, UID)  # container runtimes hand the output to the container's user
    namespaces = ["--net", "--mount"] + (["--user", "--map-root-user"] if os.geteuid() else [])
    script = [sys.executable, str(Path(__file__).with_name("squid_world.py")), str(folder), str(write)]
    world = subprocess.Popen(
        [unshare, *namespaces, *script, *as_proxy_user(), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(write,),
        start_new_session=True,
        text=True,
    )
    os.close(write)
    log: list[str] = []
    with os.fdopen(read) as lines, world:
        collector = threading.Thread(target=lambda: log.extend(lines))
        collector.start()
        try:
            assert world.stdin
            assert world.stdout
            if world.stdout.readline() != "isolated\n":
                yield None
                return
            ready, _, pid = world.stdout.readline().partition(" ")
            assert ready == "ready", "Squid did not start:\n" + "".join(log)
            yield Proxy(folder, port=None, pid=int(pid), log=log)
        finally:
            os.killpg(world.pid, signal.SIGKILL)
            collector.join()


@contextmanager
def on_free_port(folder: Path, squid: str) -> Iterator[Proxy]:
    """Squid on a port of this machine; only what it refuses may be asked there."""
    port, log = free_port(), folder / "log"
    config = replace_once(render("127.0.0.1/32"), {"http_port 3128": f"http_port 127.0.0.1:{port}"})
    (folder / "squid.conf").write_text(config.replace("stdio:/dev/stdout", "none").replace("/dev/stderr", "/dev/null"))
    prefix = as_proxy_user() if os.geteuid() == 0 else []
    name = f"test{port}"  # of its segments in shared memory, which another Squid may use at the same time
    try:
        with running([*prefix, squid, "-N", "-n", name, "-f", folder / "squid.conf"], log) as server:
            wait_until_up(server, port, log)
            yield Proxy(folder, port=port, pid=server.pid)
    finally:
        for segment in Path("/dev/shm").glob(f"{name}-*"):
            segment.unlink()
