"""A private Internet for one Squid: run inside network and mount namespaces of its own by test_squid.py.

    python squid_world.py FOLDER LOG_FD SQUID COMMAND …

Every IPv4 and IPv6 address is local here and answered by one origin server, so that a destination that a rule
fails to deny is really reached, and no packet leaves the machine. FOLDER receives one Unix socket per client
address, each a way to Squid's port: paths, unlike ports, are visible from outside the namespace.
Prints «isolated» when the network stands, «ready» when Squid answers; ends with its standard input.
"""

from __future__ import annotations

import itertools
import json
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

CLIENTS = ("10.1.2.3", "10.7.0.1", "127.0.0.1")
PORTS = (22, 80, 443, 8080, 8443)
PUBLIC, PRIVATE, NO_ROUTE = "8.8.8.8", "10.9.9.9", "2001:4860:4860::8888"

# name → addresses. The internal names point to a public address: they must be denied for their name alone.
ZONE = {
    "public.test": [PUBLIC],
    "private.test": [PRIVATE],
    "private-v6.test": ["fd00::1"],
    "mixed.test": [PUBLIC, "192.168.0.1"],
    "dual-stack.test": [NO_ROUTE, PUBLIC],
    "metadata.google.internal": [PUBLIC],
    "redis.dify.svc.cluster.local": [PUBLIC],
}
NUMBERS = itertools.count()  # of the requests that arrive at origins
REBINDING = itertools.cycle([[PUBLIC], [PRIVATE]])  # rebinding.test: another answer for every query, TTL 0


def build_network(folder: Path) -> None:
    resolver = folder / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.1\n")
    for command in (
        "ip link set lo up",
        "ip route add local 0.0.0.0/0 dev lo",
        "ip -6 route add local ::/0 dev lo",
        f"ip -6 route add unreachable {NO_ROUTE}/128 table local",  # the longer prefix wins
        "mount -t tmpfs tmpfs /dev/shm",  # Squid's segments have fixed names
        f"mount --bind {resolver} /etc/resolv.conf",
        "mount -o remount,bind,ro /",  # as in the pod
    ):
        subprocess.run(command.split(), check=True, stdin=subprocess.DEVNULL)


def serve_dns() -> None:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    while True:
        query, client = server.recvfrom(512)
        server.sendto(answer(query), client)


def answer(query: bytes) -> bytes:
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode())
        at += 1 + length
    (kind,) = struct.unpack("!H", query[at + 1 : at + 3])
    name, family = ".".join(labels).lower(), {1: socket.AF_INET, 28: socket.AF_INET6}.get(kind)
    known = name in ZONE or name == "rebinding.test"
    if name == "rebinding.test":
        addresses = next(REBINDING) if family == socket.AF_INET else []
    else:
        addresses = [a for a in ZONE.get(name, []) if (":" in a) == (family == socket.AF_INET6)]
    records = [socket.inet_pton(family, address) for address in addresses] if family else []
    flags = 0x8180 if known else 0x8183
    header = query[:2] + struct.pack("!5H", flags, 1, len(records), 0, 0)
    return (
        header
        + query[12 : at + 5]
        + b"".join(struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(record)) + record for record in records)
    )


def serve_origin(family: socket.AddressFamily, port: int) -> None:
    server = socket.socket(family)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    server.bind(("", port))
    server.listen(64)
    while True:
        connection, _ = server.accept()
        threading.Thread(target=answer_request, args=(connection,), daemon=True).start()


def answer_request(connection: socket.socket) -> None:
    """Tell which address was reached and what arrived there; «/401» in the path asks for that status."""
    with connection:
        request = connection.recv(65536).decode("latin-1")
        reached = {"address": connection.getsockname()[0], "number": next(NUMBERS), "request": request}
        body = json.dumps(reached)
        head = [
            "HTTP/1.1 401 Unauthorized" if "/401" in request.split("\r\n", 1)[0] else "HTTP/1.1 200 OK",
            "Server: origin",
            "Cache-Control: public, max-age=600",
            "Connection: close",
            f"Content-Length: {len(body)}",
        ]
        connection.sendall("\r\n".join([*head, "", body]).encode())


def serve_client(folder: Path, address: str) -> None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(folder / address))
    server.listen(64)
    ready.wait()
    while True:
        outside, _ = server.accept()
        squid = socket.create_connection(("127.0.0.1", 3128), source_address=(address, 0))
        threading.Thread(target=pump, args=(outside, squid), daemon=True).start()
        threading.Thread(target=pump, args=(squid, outside), daemon=True).start()


def pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:  # the other side is gone: nothing left to hand over
        pass


def squid_answers() -> bool:
    try:
        socket.create_connection(("127.0.0.1", 3128), timeout=1).close()
    except OSError:
        return False
    return True


def main(folder: Path, log: int, command: list[str]) -> int:
    for address in CLIENTS:
        threading.Thread(target=serve_client, args=(folder, address), daemon=True).start()
    while sum(path.is_socket() for path in folder.iterdir()) < len(CLIENTS):
        time.sleep(0.01)  # they must exist before the file system becomes read-only
    build_network(folder)
    say("isolated")
    threading.Thread(target=serve_dns, daemon=True).start()
    for family, port in itertools.product((socket.AF_INET, socket.AF_INET6), PORTS):
        threading.Thread(target=serve_origin, args=(family, port), daemon=True).start()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as squid:
        try:
            while not squid_answers():
                if squid.poll() is not None:
                    return 1
                time.sleep(0.02)
            ready.set()
            say(f"ready {squid.pid}")
            sys.stdin.read()
        finally:
            squid.kill()
    return 0


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


ready = threading.Event()
if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
