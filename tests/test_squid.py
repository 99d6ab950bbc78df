"""The shipped squid.conf in a real Squid: what it lets through, what it refuses, and how it runs.

Squid runs unmodified in a private network (squid_world.py) where every address on earth is local. Where neither
root nor unprivileged user namespaces are to be had, it runs on a free port instead, all refusals are tested in the
same way, and whatever needs the private network is skipped with that reason.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from servers import program, wait_for
from squid_proxy import POD, UID, Proxy, on_free_port, parse, private_network, render
from squid_world import NO_ROUTE, PUBLIC

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTSIDER = "10.7.0.1"

REFUSED_ADDRESSES = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.8.8.8",
    "169.254.169.254", "169.254.20.10", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1",
    "192.168.255.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
    "240.0.0.1", "255.255.255.255",
    "34.118.224.1", "34.118.239.255",  # the cluster's, although they look public
    "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0",  # other spellings of loopback and 0.0.0.0
    "[::]", "[::1]", "[::10.0.0.1]", "[::fffe:ffff:ffff]", "[::1:0:0:0]", "[::ffff:0:10.0.0.1]",
    "[::ffff:10.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]",
    "[::ffff:34.118.224.1]",
    "[64:ff9b::a00:1]", "[64:ff9b:1::1]", "[100::1]", "[1fff:ffff::1]", "[4000::1]", "[5f00::1]",
    "[2001::1]", "[2001:db8::1]", "[2002:a00:1::1]", "[3fff::1]",
    "[fc00::1]", "[fd12:3456::1]", "[fe80::1]", "[febf::1]", "[fec0::1]", "[ff02::1]", "[ffff::1]",
]  # fmt: skip
PUBLIC_ADDRESSES = [
    "1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "169.253.255.255", "172.15.255.255",
    "172.32.0.1", "192.0.1.1", "192.169.0.1", "198.17.255.255", "198.20.0.1", "223.255.255.255",
    "34.118.223.255", "34.118.240.1", "[2606:4700::1111]", "[2001:4860:4860::8844]", "[::ffff:8.8.4.4]",
]  # fmt: skip


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    squid = program("squid")
    folder = Path(tempfile.mkdtemp(prefix="squid-"))  # pytest's own folders are closed to other users
    folder.chmod(0o755)
    config = folder / "squid.conf"
    config.write_text(render())
    try:
        with private_network(folder, [squid, "-N", "-f", str(config)]) as found:
            if found:
                yield found
                return
        with on_free_port(folder, squid) as found:
            yield found
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def isolated(proxy: Proxy) -> Proxy:
    if proxy.port:
        pytest.skip("needs a private network: root or unprivileged user namespaces, and ip from iproute2")
    return proxy


def test_squid_finds_nothing_to_complain_about(tmp_path: Path) -> None:
    config = tmp_path / "squid.conf"
    config.write_text(render())
    parsed = subprocess.run(
        [program("squid"), "-k", "parse", "-f", config], capture_output=True, text=True, check=False
    )
    complaints = [line for line in parsed.stderr.splitlines() if re.search(r"WARNING|ERROR|FATAL|Bungled", line)]
    assert parsed.returncode == 0, parsed.stderr
    # Via is off on purpose; anything else, such as overlapping ranges of one acl, would be a hole.
    assert [line for line in complaints if not line.endswith("HTTP requires the use of Via")] == []


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
def test_addresses_that_are_not_public_are_refused(proxy: Proxy, address: str) -> None:
    assert proxy.send(f"http://{address}/").refused_by_squid()
    assert proxy.send(f"http://{address}:443/").refused_by_squid()
    tunnel, _ = proxy.tunnel(f"{address}:443")
    assert tunnel.refused_by_squid()


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_public_addresses_are_reached(isolated: Proxy, address: str) -> None:
    seen = isolated.send(f"http://{address}/").seen_by_origin()
    assert seen["address"] == address.strip("[]").removeprefix("::ffff:")


@pytest.mark.parametrize(
    "target",
    [
        f"http://{PUBLIC}:22/",
        f"http://{PUBLIC}:8080/",
        f"http://{PUBLIC}:3128/",
        f"ftp://{PUBLIC}:80/",
        f"ftp://{PUBLIC}:443/",
        f"https://{PUBLIC}/",
        "urn:isbn:0451450523",
        f"http://{PUBLIC}@10.0.0.1/",
        "http://127.0.0.1:3128/squid-internal-mgr/menu",
        f"http://{PUBLIC}/squid-internal-mgr/menu",
        "/squid-internal-mgr/menu",
    ],
)
def test_other_ports_protocols_and_the_manager_are_refused(proxy: Proxy, target: str) -> None:
    assert proxy.send(target, f"Host: {PUBLIC}").refused_by_squid()


@pytest.mark.parametrize("port", [22, 80, 3128, 5432, 6379, 8080])
def test_tunnels_to_other_ports_are_refused(proxy: Proxy, port: int) -> None:
    tunnel, _ = proxy.tunnel(f"{PUBLIC}:{port}")
    assert tunnel.refused_by_squid()


@pytest.mark.parametrize("port", [443, 8443])
def test_a_tunnel_to_an_allowed_port_reaches_its_destination(isolated: Proxy, port: int) -> None:
    opened, through = isolated.tunnel(f"public.test:{port}")
    assert opened.status == 200
    seen = parse(through).seen_by_origin()
    assert seen["address"] == PUBLIC
    assert seen["request"].startswith("GET /inside HTTP/1.1\r\nHost: tunnelled\r\n")


def test_an_extra_port_is_allowed_for_plain_requests_too(isolated: Proxy) -> None:
    assert isolated.send("http://public.test:8443/").seen_by_origin()["address"] == PUBLIC


@pytest.mark.parametrize(
    "name",
    ["localhost", "metadata.google.internal", "METADATA.google.INTERNAL.", "redis.dify.svc.cluster.local"],
)
def test_internal_names_are_refused_wherever_they_point(proxy: Proxy, name: str) -> None:
    assert proxy.send(f"http://{name}/").refused_by_squid()
    tunnel, _ = proxy.tunnel(f"{name}:443")
    assert tunnel.refused_by_squid()


@pytest.mark.parametrize("name", ["private.test", "private-v6.test", "mixed.test"])
def test_names_that_resolve_to_a_private_address_are_refused(isolated: Proxy, name: str) -> None:
    assert isolated.send(f"http://{name}/").refused_by_squid()
    tunnel, _ = isolated.tunnel(f"{name}:443")
    assert tunnel.refused_by_squid()


def test_a_name_that_changes_its_address_is_connected_where_it_was_checked(isolated: Proxy) -> None:
    answers = [isolated.send(f"http://rebinding.test/{n}") for n in range(20)]
    reached = {a.seen_by_origin()["address"] for a in answers if not a.refused_by_squid()}
    assert reached <= {PUBLIC}


def test_a_name_with_an_unreachable_ipv6_address_is_reached_by_ipv4(isolated: Proxy) -> None:
    assert isolated.send("http://dual-stack.test/").seen_by_origin()["address"] == PUBLIC
    assert isolated.send(f"http://[{NO_ROUTE}]/").status == 503


def test_an_unknown_name_is_looked_up_and_not_refused(proxy: Proxy) -> None:
    answer = proxy.send("http://nowhere.invalid/")
    assert answer.status in {502, 503}  # which of the two depends on Squid's version


@pytest.mark.parametrize("client", [OUTSIDER, "127.0.0.1"])
def test_only_pods_are_clients(isolated: Proxy, client: str) -> None:
    assert isolated.send("http://public.test/", client=client).refused_by_squid()
    assert not isolated.send("http://public.test/", client=POD).refused_by_squid()


def test_origins_do_not_learn_who_asked(isolated: Proxy) -> None:
    request = isolated.send("http://public.test/path?q=1", "X-Forwarded-For: 198.51.100.9").seen_by_origin()["request"]
    assert request.startswith("GET /path?q=1 HTTP/1.1\r\n")
    assert "X-Forwarded-For: 198.51.100.9\r\n" in request  # the user's own, untouched
    assert POD not in request
    assert "via:" not in request.lower()
    assert "squid" not in request.lower()


def test_an_origins_401_does_not_look_like_a_refusal_by_squid(isolated: Proxy) -> None:
    answer = isolated.send("http://public.test/401")
    assert answer.status == 401
    assert "squid" not in f"{answer.headers['Server']} {answer.headers['Via']}".lower()


def test_every_request_is_answered_by_its_origin_and_not_from_a_cache(isolated: Proxy) -> None:
    first, second = (isolated.send("http://public.test/cacheable").seen_by_origin() for _ in range(2))
    assert first["number"] != second["number"]
    assert "If-Modified-Since" not in second["request"]  # which would mean that an answer was kept


def test_answers_do_not_name_the_machine(proxy: Proxy) -> None:
    answer = proxy.send("http://10.0.0.1/")
    assert answer.headers["X-Cache"] == "MISS from ssrf-proxy"
    assert socket.gethostname() not in f"{answer.headers.items()} {answer.body.decode()}"


@pytest.mark.parametrize(("size", "status"), [(100 * 1024**2, 200), (100 * 1024**2 + 1, 413)])
def test_a_request_body_may_have_100_mb(isolated: Proxy, size: int, status: int) -> None:
    # The origin answers without reading the body, so none has to be sent.
    answer = isolated.send("http://public.test/", f"Content-Length: {size}", method="POST")
    assert answer.status == status


def test_no_limit_cuts_an_exchange_that_an_http_node_may_wait_for() -> None:
    seconds = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
    found = re.findall(r"^(read_timeout|write_timeout|client_lifetime) (\d+) (\w+?)s?$", render(), re.MULTILINE)
    limits = {name: int(number) * seconds[unit] for name, number, unit in found}
    assert set(limits) == {"read_timeout", "write_timeout", "client_lifetime"}
    assert min(limits.values()) > 600


def test_the_log_tells_requests_but_no_query_and_no_probe(isolated: Proxy) -> None:
    isolated.connect(POD).close()  # as a TCP probe does
    isolated.send("http://public.test/logged?api_key=secret")
    isolated.send("http://10.0.0.1/denied")
    wait_for(lambda: any("10.0.0.1/denied" in line for line in isolated.log), "the log line")
    log = "".join(isolated.log)
    assert re.search(r" TCP_MISS/200 \d+ GET http://public\.test/logged\? ", log)
    assert re.search(r" TCP_DENIED/403 \d+ GET http://10\.0\.0\.1/denied ", log)
    assert "secret" not in log
    assert "transaction-end-before-headers" not in log


def test_it_starts_without_complaint_and_writes_no_file(isolated: Proxy) -> None:
    start = [line for line in isolated.log if not re.match(r"\d+\.\d+ ", line)]  # all but the access log
    assert any("With 16384 file descriptors available" in line for line in start)
    assert [line for line in start if re.search(r"WARNING|ERROR|FATAL|denied|Read-only", line)] == []


def test_it_runs_as_the_images_user_without_privileges_on_a_read_only_root(isolated: Proxy) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user: the running Squid has the uid of this test")
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{isolated.pid}/status").read_text().splitlines() if ":\t" in line
    )
    assert status["Uid"].split() == [str(UID)] * 4
    assert (int(status["CapEff"], 16), int(status["CapBnd"], 16), status["NoNewPrivs"]) == (0, 0, "1")
    mounts = [line.split() for line in Path(f"/proc/{isolated.pid}/mountinfo").read_text().splitlines()]
    assert [m[5].split(",")[0] for m in mounts if m[4] == "/"] == ["ro"]
