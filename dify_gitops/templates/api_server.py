"""The few calls to the Kubernetes API that scripts make from inside of a pod, with Python's standard library only.

Settings
    KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT
                  where the API server is: the kubelet sets both in every container, whatever enableServiceLinks says
    API_ACCESS    folder with the files token and ca.crt
"""

from __future__ import annotations

import http.client
import json
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_TIMEOUT = 15  # seconds
OK, UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 200, 401, 403, 404
NO_ANSWER = 600
# Their messages name the right or the object that is missing. Others may repeat a part of what was sent.
SPEAKING = (UNAUTHORIZED, FORBIDDEN, NOT_FOUND)


class ApiError(Exception):
    """An answer that is no success; one that never came has the status NO_ANSWER."""

    def __init__(self, method: str, path: str, status: int, text: str) -> None:
        what = "no answer" if status == NO_ANSWER else f"status {status}"
        super().__init__(f"{method} {path}: {what}: {text}")
        self.status = status


class ApiServer:
    """The API server, with the rights of the pod's token."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.host, self.port = settings["KUBERNETES_SERVICE_HOST"], int(settings["KUBERNETES_SERVICE_PORT"])
        self.token = Path(settings["API_ACCESS"], "token")
        self.tls = ssl.create_default_context(cafile=Path(settings["API_ACCESS"], "ca.crt"))

    def get(self, path: str, accept: str = "application/json") -> Any:
        """Read an object. Raises ApiError."""
        return self._call("GET", path, {"Accept": accept}, None)

    def patch(self, path: str, changes: dict[str, Any]) -> None:
        """Change exactly these fields; None removes one. Raises ApiError."""
        headers = {"Accept": "application/json", "Content-Type": "application/merge-patch+json"}
        self._call("PATCH", path, headers, json.dumps(changes))

    def _call(self, method: str, path: str, headers: dict[str, str], body: str | None) -> Any:
        connection = http.client.HTTPSConnection(self.host, self.port, timeout=REQUEST_TIMEOUT, context=self.tls)
        try:
            # Read each time: the kubelet replaces the token before it expires.
            authorization = {"Authorization": f"Bearer {self.token.read_text(encoding='ascii').strip()}"}
            connection.request(method, path, body, headers | authorization)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(method, path, NO_ANSWER, str(error)) from None
        finally:
            connection.close()
        if answer.status != OK:
            raise ApiError(method, path, answer.status, _reason(answer.status, text))
        return json.loads(text)


def _reason(status: int, text: bytes) -> str:
    """What Kubernetes says of a failure: a Status with a reason in one word, and a message."""
    try:
        said = json.loads(text)
        return str(said["message"] if status in SPEAKING else said["reason"])
    except (ValueError, KeyError, TypeError):
        return "the answer is no Status of Kubernetes"


def say(text: str) -> None:
    """Write a line to the container's log at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
