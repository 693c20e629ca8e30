"""The API server as its administrator asks it: HTTP with a client's certificate, a connection kept open,
and no client library, which would have views of its own."""

import base64
import http.client
import json
import ssl
import tempfile
import threading
import urllib.parse
from pathlib import Path

import yaml

# Longer than any fault: a server that stands still answers when it goes on, and what was asked of it is
# then done once and not twice.
PATIENCE = 60.0
# By it the server knows which fields are ours; what we leave out it takes away (server-side apply).
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


class Unreachable(Exception):
    """No answer. What was asked may have been done all the same."""


class Refused(Exception):
    """An answer that is not of the 200s."""

    def __init__(self, status: int, text: str):
        super().__init__(f"{status}: {text[:300]}")
        self.status = status


class Api:
    """One connection for each thread that asks."""

    def __init__(self, kubeconfig: Path):
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.address = urllib.parse.urlsplit(cluster["server"]).netloc
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._tls = ssl.create_default_context(cadata=authority)
        pair = base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"])
        with tempfile.NamedTemporaryFile() as file:  # ssl reads certificates from files alone
            file.write(pair)
            file.flush()
            self._tls.load_cert_chain(file.name)
        self._kept = threading.local()

    def connection(self, timeout: float) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self.address, timeout=timeout, context=self._tls)

    def ask(
        self,
        method: str,
        path: str,
        body: "dict | None" = None,
        form: str = "application/json",
        timeout: float = PATIENCE,
    ) -> dict:
        """Asks once."""
        connection = getattr(self._kept, "connection", None) or self.connection(timeout)
        self._kept.connection = connection
        connection.timeout = timeout
        if connection.sock:
            connection.sock.settimeout(timeout)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, {"Content-Type": form, "Accept": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self._kept.connection = None
            raise Unreachable(str(error) or type(error).__name__) from error
        if not 200 <= answer.status < 300:
            raise Refused(answer.status, text.decode(errors="replace"))
        return json.loads(text)

    def apply(self, path: str, thing: dict) -> dict:
        """Makes an object or changes it to what is given."""
        return self.ask("PATCH", f"{path}?fieldManager=chaos&force=true", thing, APPLY)

    def answers(self, path: str) -> bool:
        try:
            self.ask("GET", path)
        except (Unreachable, Refused):
            return False
        return True
