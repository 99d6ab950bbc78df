"""The shipped haproxy.cfg in a real HAProxy before a real Redis that speaks TLS and wants AUTH, as Memorystore does."""

from __future__ import annotations

import re
import signal
import socket
import socketserver
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from servers import TEMPLATES, program, replace_once, running, wait_for, wait_until_up

from e2e.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "b3f6-auth-string"  # noqa: S105 - of a Redis that lives for one test
INSTANCE_IP = "10.45.12.3"  # what the certificate names; the tunnel connects to 127.0.0.1
# The same decisions in less time.
FASTER = {
    "timeout check 2s": "timeout check 500ms",
    "inter 5s fastinter 1s": "inter 100ms fastinter 100ms",
    "hard-stop-after 5s": "hard-stop-after 500ms",
}


@dataclass(frozen=True)
class Tunnel:
    port: int
    probes: int
    server: subprocess.Popen[bytes]
    log: Path

    @contextmanager
    def client(self) -> Iterator[socket.socket]:
        """A connection that has said its password."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(f"AUTH {PASSWORD}\r\n".encode())
            assert _lines(connection, 1) == b"+OK\r\n"
            yield connection

    def ask(self, *commands: str) -> bytes:
        """What comes back for inline commands on a new connection, up to one line per command or the end."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
                connection.sendall("".join(f"{command}\r\n" for command in commands).encode())
                return _lines(connection, len(commands))
        except ConnectionResetError:  # how HAProxy refuses: it may come as early as during connect
            return b""

    def probe(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.probes}{path}", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code


def _lines(connection: socket.socket, count: int) -> bytes:
    data = b""
    while data.count(b"\r\n") < count:
        chunk = connection.recv(4096)
        if not chunk:
            break
        data += chunk
    return data


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two CAs (ca.crt, other.crt) and a server certificate of the first whose common name is an IP address."""
    folder = tmp_path_factory.mktemp("pki")
    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    for arguments in (
        f"req -x509 {key} -days 1 -subj /CN=CA -keyout ca.key -out ca.crt",
        f"req -x509 {key} -days 1 -subj /CN=other-CA -keyout other.key -out other.crt",
        f"req {key} -subj /CN={INSTANCE_IP} -keyout server.key -out server.csr",
        "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 1 -out server.crt",
    ):
        subprocess.run([program("openssl"), *arguments.split()], cwd=folder, check=True, capture_output=True)
    return folder


@contextmanager
def redis(folder: Path, pki: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    log = folder / f"redis-{port}.log"
    arguments = f"--port 0 --tls-port {port} --bind 127.0.0.1 --requirepass {PASSWORD} --tls-auth-clients no --save"
    files = f"--tls-cert-file {pki}/server.crt --tls-key-file {pki}/server.key --tls-ca-cert-file {pki}/ca.crt"
    command = [program("redis-server"), *arguments.split(), "", *files.split(), "--dir", str(folder)]
    with running(command, log) as server:
        wait_until_up(server, port, log)
        yield server


@contextmanager
def tunnel(folder: Path, ca: str, redis_port: int) -> Iterator[Tunnel]:
    """HAProxy with `ca` as the instance's CA list."""
    port, probes = free_port(), free_port()
    config, log = configure(folder, ca, port, probes), folder / "haproxy.log"
    env = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis_port)}
    with running([program("haproxy"), "-db", "-f", config], log, env) as server:
        wait_until_up(server, probes, log)
        yield Tunnel(port, probes, server, log)


def configure(folder: Path, ca: str, port: int, probes: int) -> Path:
    (folder / "bundle.crt").write_text(ca)
    config = folder / "haproxy.cfg"
    here = {
        "bind 127.0.0.1:6379": f"bind 127.0.0.1:{port}",
        "bind :8404": f"bind 127.0.0.1:{probes}",
        "ca-file /etc/redis-ca/ca.crt": f"ca-file {folder / 'bundle.crt'}",
    }
    config.write_text(replace_once((TEMPLATES / "haproxy.cfg").read_text(), here | FASTER))
    return config


def test_haproxy_finds_nothing_to_complain_about(tmp_path: Path, pki: Path) -> None:
    config = configure(tmp_path, (pki / "ca.crt").read_text(), free_port(), free_port())
    checked = subprocess.run(
        [program("haproxy"), "-dW", "-c", "-f", config],  # -dW: a warning is an error
        env={"REDIS_HOST": INSTANCE_IP, "REDIS_PORT": "6378"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("names", [["ca.crt"], ["other.crt", "ca.crt"]], ids=["one CA", "two CAs, during rotation"])
def test_plain_redis_on_localhost_reaches_the_instance(tmp_path: Path, pki: Path, names: list[str]) -> None:
    ca = "".join((pki / name).read_text() for name in names)
    port = free_port()
    with redis(tmp_path, pki, port), tunnel(tmp_path, ca, port) as found:
        assert found.ask(f"AUTH {PASSWORD}", "PING") == b"+OK\r\n+PONG\r\n"
        assert found.ask("PING").startswith(b"-NOAUTH")  # the tunnel adds no rights
        assert found.probe("/started") == 200
        assert found.log.read_text() == ""  # neither a good connection nor a check is worth a line


def test_dead_peers_are_noticed_within_minutes(tmp_path: Path, pki: Path) -> None:
    port = free_port()
    with (
        redis(tmp_path, pki, port),
        tunnel(tmp_path, (pki / "ca.crt").read_text(), port) as found,
        found.client(),
    ):
        (timer,) = _timers(to=port)
    kind, _, ticks = timer.partition(":")
    assert kind == "02"  # TCP keep-alive
    assert int(ticks, 16) <= 60 * 100  # Linux' default is two hours


def _timers(to: int) -> list[str]:
    """Running timers of established connections to 127.0.0.1:`to` that carry data now and then."""
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [s[5] for s in sockets if s[2] == f"0100007F:{to:04X}" and s[3] == "01" and s[5][:2] != "00"]


def test_an_instance_signed_by_another_ca_is_not_reached(tmp_path: Path, pki: Path) -> None:
    port = free_port()
    with redis(tmp_path, pki, port), tunnel(tmp_path, (pki / "other.crt").read_text(), port) as found:
        assert found.ask(f"AUTH {PASSWORD}", "PING") == b""
        wait_for(lambda: found.probe("/started") == 503, "the first check")
        assert found.ask(f"AUTH {PASSWORD}", "PING") == b""
        assert found.probe("/ready") == 200
        assert found.probe("/metrics") == 200
        log = found.log.read_text()
        assert "SSL handshake failure" in log
        assert re.search(r" redis memorystore/<NOSRV> .* SC ", log)  # the refused client


def test_an_instance_that_answers_but_not_as_redis_does_is_not_reached(tmp_path: Path, pki: Path) -> None:
    with loading_instance(pki) as port, tunnel(tmp_path, (pki / "ca.crt").read_text(), port) as found:
        wait_for(lambda: found.probe("/started") == 503, "the first check")
        assert "TCPCHK did not match" in found.log.read_text()


@contextmanager
def loading_instance(pki: Path) -> Iterator[int]:
    """What a restarted Redis says to everybody until its data are in memory."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pki / "server.crt", pki / "server.key")

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with tls.wrap_socket(self.request, server_side=True) as connection:
                connection.recv(100)
                connection.sendall(b"-LOADING Redis is loading the dataset in memory\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # HAProxy may hang up on us
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()


def test_the_application_may_start_once_the_instance_answers(tmp_path: Path, pki: Path) -> None:
    port = free_port()
    with tunnel(tmp_path, (pki / "ca.crt").read_text(), port) as found:
        wait_for(lambda: found.probe("/started") == 503, "the first check")
        assert found.ask("PING") == b""
        with redis(tmp_path, pki, port):
            wait_for(lambda: found.probe("/started") == 200, "the check after Redis came up")
            assert found.ask(f"AUTH {PASSWORD}", "PING") == b"+OK\r\n+PONG\r\n"
        wait_for(lambda: found.probe("/started") == 503, "the check after Redis went away")
        assert found.probe("/ready") == 200
        assert found.probe("/elsewhere") == 404


def test_clients_of_an_instance_that_stops_answering_are_disconnected(tmp_path: Path, pki: Path) -> None:
    port = free_port()
    with redis(tmp_path, pki, port) as server, tunnel(tmp_path, (pki / "ca.crt").read_text(), port) as found:
        with found.client() as worker:
            worker.sendall(b"BRPOP queue 0\r\n")
            server.send_signal(signal.SIGSTOP)  # as a node that vanishes: nothing tells the connection
            assert _closed(worker)
        assert found.ask("PING") == b""


def _closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_only_this_pod_may_use_the_tunnel_and_idle_connections_last() -> None:
    text = (TEMPLATES / "haproxy.cfg").read_text()
    binds = re.findall(r"^    bind (\S+)$", text, re.MULTILINE)
    assert binds == ["127.0.0.1:6379", ":8404"]
    assert re.findall(r"^    timeout (?:client|server) (\S+)$", text, re.MULTILINE) == ["24h", "24h", "5s"]


def test_the_stop_signal_ends_it_within_its_bound(tmp_path: Path, pki: Path) -> None:
    port = free_port()
    with (
        redis(tmp_path, pki, port),
        tunnel(tmp_path, (pki / "ca.crt").read_text(), port) as found,
        found.client(),  # a forgotten connection
    ):
        found.server.send_signal(signal.SIGUSR1)
        found.server.wait(timeout=10)
