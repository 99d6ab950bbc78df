"""Bring address, password and CAs of Redis from the status of its RedisInstance into the Secret that pods read.

Waits until the instance is ready and all of it is known. Changes the Secret only where it differs. Never writes a
value to its log. Exit status: 0 the Secret is as it should be; 1 anything else, with the reason on standard error.

Environment, beside that of api_server.py
    INSTANCE           path of the RedisInstance at the API server
    SECRET             path of the Secret
    BROKER_URL         what pods call the broker; {password} stands for the password, percent-encoded
    HASH_ANNOTATION    annotation of the Secret that tells when its data has changed
    TIMEOUT_SECONDS    how long the instance, and the right to read it, may take
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
import time
import urllib.parse
from typing import TYPE_CHECKING, Any

from api_server import FORBIDDEN, NOT_FOUND, UNAUTHORIZED, ApiError, ApiServer, say

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_PAUSE = 15.0  # seconds between two looks
SERVER_ERROR = 500
# Object, kind and right come from other Applications of Argo CD, perhaps later than this pod.
LATER = (UNAUTHORIZED, FORBIDDEN, NOT_FOUND)


class EndpointError(Exception):
    """The reason why this run failed, for a person."""


class NotYetError(Exception):
    """What is missing so far."""


def endpoint(instance: dict[str, Any], broker_url: str) -> dict[str, str]:
    """The keys of the Secret. Raises NotYetError while the instance is not ready or a field is missing."""
    status: dict[str, Any] = instance.get("status") or {}
    ready = [one for one in status.get("conditions") or [] if one.get("type") == "Ready"]
    if not any(one.get("status") == "True" for one in ready):
        raise NotYetError(f"the instance is not ready: {ready[0].get('reason') if ready else 'no condition yet'}")
    host: Any = status.get("host")
    port: Any = status.get("port")
    password: Any = (status.get("observedState") or {}).get("authString")
    certificates = [one.get("cert") for one in status.get("serverCaCerts") or []]
    known = {
        "host": host,
        "port": port,
        "observedState.authString": password,
        "serverCaCerts[].cert": certificates and all(certificates),
    }
    if missing := [name for name, value in known.items() if not value]:
        raise NotYetError(f"its status lacks {', '.join(missing)}")
    return {
        "host": host,
        "port": str(port),
        "address": f"{host}:{port}",
        "password": password,
        "ca.crt": "".join(f"{one.strip()}\n" for one in certificates),
        "broker-url": broker_url.replace("{password}", urllib.parse.quote(password, safe="")),
    }


def wait(api: ApiServer, settings: Mapping[str, str]) -> dict[str, str]:
    """The keys of the Secret, as soon as there are any. Raises EndpointError when the time is over."""
    seconds = int(settings["TIMEOUT_SECONDS"])
    end, pause, said = time.monotonic() + seconds, 0.1, ""
    while True:
        try:
            return endpoint(api.get(settings["INSTANCE"]), settings["BROKER_URL"])
        except NotYetError as problem:
            reason = str(problem)
        except ApiError as problem:
            if problem.status not in LATER and problem.status < SERVER_ERROR:
                raise
            reason = str(problem)
        if reason != said:
            say(f"waiting: {reason}")
            said = reason
        if time.monotonic() + pause > end:
            raise EndpointError(f"gave up after {seconds} s: {reason}")
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def fill(api: ApiServer, settings: Mapping[str, str], values: Mapping[str, str]) -> None:
    """Make the Secret hold exactly these values, and the hash of them."""
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
    annotation = settings["HASH_ANNOTATION"]
    secret = api.get(settings["SECRET"])
    before = secret.get("data") or {}
    if before == data and (secret["metadata"].get("annotations") or {}).get(annotation) == digest:
        say("the Secret is up to date")
        return
    gone = dict.fromkeys(before.keys() - data.keys())
    api.patch(settings["SECRET"], {"metadata": {"annotations": {annotation: digest}}, "data": {**gone, **data}})
    changed = sorted(key for key in before.keys() | data.keys() if before.get(key) != data.get(key))
    say(f"the Secret is written; changed: {', '.join(changed) or 'only its hash'}")


def bring(settings: Mapping[str, str]) -> None:
    """Run the steps in the order of the module's first lines."""
    api = ApiServer(settings)
    fill(api, settings, wait(api, settings))


if __name__ == "__main__":
    try:
        bring(os.environ)
    except (ApiError, EndpointError) as error:
        sys.exit(f"redis-endpoint: {error}")
