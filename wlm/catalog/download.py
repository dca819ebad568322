"""Downloads: one file from a URL or a folder, with a limit in bytes and progress."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from wlm.errors import FetchError
from wlm.progress import Progress

TIMEOUT_S = 30.0  # without a byte
CHUNK = 1 << 16  # bytes
# A second and a third try if there is no connection or the server is busy. Not if the server stays
# silent, which takes TIMEOUT_S each time; nor after the time that a server asks for, which may be
# long and cannot be stopped.
RETRIES = Retry(
    total=2,
    read=0,
    status_forcelist=(429, 500, 502, 503, 504),
    backoff_factor=0.2,
    raise_on_status=False,
    respect_retry_after_header=False,
)


class Meter:
    """Counts bytes and reports the progress of a download."""

    def __init__(self, name: str, total: int | None, report: Callable[[Progress], None]):
        self.name, self.total, self.report = name, total, report
        self.done, self.started = 0, time.monotonic()
        self.add(0)

    def add(self, count: int) -> None:
        self.done += count
        seconds, megabytes = time.monotonic() - self.started, f"{self.done / 1e6:.1f}"
        if self.total is None:
            self.report(Progress(f"Fetching {self.name}, {megabytes} MB", 0.0))
            return
        stage = f"Fetching {self.name}, {megabytes} of {self.total / 1e6:.1f} MB"
        share = min(1.0, self.done / self.total)
        left = seconds * (1 - share) / share if share and seconds > 0.5 else None
        self.report(Progress(stage, share, left))


@dataclass(frozen=True)
class Source:
    """The source of files: a URL or a folder that has them all, or None for their publishers.

    `report` gets the progress of every download. A server may send nothing for `timeout_s` seconds.
    """

    origin: str | Path | None
    report: Callable[[Progress], None]
    timeout_s: float

    def download(self, publisher: str, path: Path, most: int, meter: Meter) -> None:
        """Copy the file with the name of `path` to `path`.

        Raises FetchError if the file is missing or has more than `most` bytes, if the server sends
        nothing for too long, and if the connection breaks.
        """
        base = self.origin or publisher
        with path.open("wb") as file:
            if not isinstance(base, Path):
                self._request(f"{base}/{path.name}", file, most, meter)
                return
            try:
                with (base / path.name).open("rb") as opened:
                    write_limited(chunks_of(opened), file, most, meter)
            except OSError as error:
                reason = error.strerror or error
                raise FetchError(f"{str(base / path.name)!r}: {reason}") from None

    def _request(self, url: str, file: BinaryIO, most: int, meter: Meter) -> None:
        # Uncompressed, so that the bytes received are the bytes of the file.
        headers = {"Accept-Encoding": "identity"}
        try:
            with requests.Session() as session:
                for scheme in ("http://", "https://"):
                    session.mount(scheme, HTTPAdapter(max_retries=RETRIES))
                options = {"headers": headers, "timeout": self.timeout_s, "stream": True}
                with session.get(url, **options) as answer:
                    answer.raise_for_status()
                    int(answer.headers.get("Content-Length", 0))  # nonsense is a ValueError
                    write_limited(answer.iter_content(CHUNK), file, most, meter)
        except (requests.RequestException, ValueError) as error:
            why = _why(error, self.timeout_s, file.tell())
            raise FetchError(f"{without_password(url)}: {why}") from None


def chunks_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield a file's content."""
    return iter(lambda: file.read(CHUNK), b"")


def write_limited(
    chunks: Iterable[bytes], file: BinaryIO, most: int, meter: Meter | None = None
) -> None:
    """Write a content into a file. Raises FetchError if there are more than `most` bytes."""
    for content in chunks:
        if file.tell() + len(content) > most:
            raise FetchError(f"{Path(file.name).name} must have at most {most:,} bytes, got more")
        if meter:
            meter.add(len(content))
        file.write(content)


def _why(error: Exception, timeout_s: float, written: int) -> str:
    """Return what went wrong, for an error of requests."""
    if isinstance(error, requests.HTTPError):
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.TooManyRedirects):
        return "the server redirects without end"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return f"the server sent nothing for {timeout_s:g} s"
    if written or isinstance(error, requests.exceptions.ChunkedEncodingError):
        return f"the connection broke after about {written:,} bytes"
    if isinstance(error, requests.ConnectionError):
        return "no connection to the server"
    return "the server's answer is not valid HTTP"


def parse_origin(given: str) -> str | Path:
    """Return a URL without its last slash, or a folder that exists. Raises FetchError."""
    try:
        if given.startswith(("http://", "https://")) and urlsplit(given).hostname:
            return given.rstrip("/")
        if "://" not in given and Path(given).is_dir():
            return Path(given)
    except ValueError:  # no URL that can be parsed, or a NUL character
        pass
    raise FetchError(f"the source must be an http(s) URL or a folder, got {given!r}")


def without_password(url: str) -> str:
    """Return an address without its user name and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
