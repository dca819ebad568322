"""A web server on loopback with files to fetch; a test can choose how it fails."""

import hashlib
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from helpers.tiny import LINE
from helpers.waiting import PATIENCE
from wlm.catalog.wikitext2 import PublishedFile

TEXTS = {"train.txt": LINE * 5_000, "valid.txt": " a river \n", "test.txt": " a bridge \n" * 9}
FILES = {name: text.encode() for name, text in TEXTS.items()}


def published(name: str, content: bytes) -> PublishedFile:
    """Return a published file with its hashes by git and SHA-256."""
    git = subprocess.run(
        ["git", "hash-object", "--stdin", "--no-filters"],
        input=content,
        capture_output=True,
        check=True,
    )
    sha256 = None if name == "train.txt" else hashlib.sha256(content).hexdigest()
    return PublishedFile(name, len(content), git.stdout.decode().strip(), sha256)


class Mirror(ThreadingHTTPServer):
    """Serves `files` (name to bytes); `faults` maps a name to the way it fails."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, str] = {}
        self.asked: list[str] = []
        self.go_on = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> "Mirror":
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}).start()
        return self

    def __exit__(self, *_) -> None:
        self.go_on.set()
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        name = self.path.strip("/").removeprefix("moved/")
        self.server.asked.append(self.path)
        fault, content = self.server.faults.get(name, ""), self.server.files.get(name)
        if content is None:
            self.send_error(404)
            return
        if fault == "is busy twice" and self.server.asked.count(self.path) < 3:
            self.send_response(503)
            self.send_header("Retry-After", "3600")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if fault == "redirects" and not self.path.startswith("/moved/"):
            self._head(302, 0, ("Location", f"/moved/{name}"))
            return
        if fault == "redirects without end":
            self._head(302, 0, ("Location", self.path))
            return
        claimed = {"claims too much": len(content) + 9, "claims too little": len(content) - 9}
        if fault == "claims nonsense":
            self._head(200, "many")
        elif fault == "never ends":
            self._head(200, None)
        else:
            self._head(200, claimed.get(fault, len(content)))
        half = len(content) // 2
        self.wfile.write(content[:half])
        if fault == "dies half-way":
            self.wfile.flush()
            self.connection.close()
            return
        if fault == "stalls":
            self.wfile.flush()
            self.server.go_on.wait(PATIENCE)
        try:
            self.wfile.write(content[half:])
            while fault == "never ends":
                self.wfile.write(b"more\n" * 10_000)
        except OSError:
            pass  # the client has gone

    def _head(self, status: int, length: int | str | None, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for header in headers:
            self.send_header(*header)
        self.end_headers()

    def log_message(self, *_) -> None:
        pass
