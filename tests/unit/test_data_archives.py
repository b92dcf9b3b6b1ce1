"""Fetching an archive: checksum, going on after a cut, and what is said when it fails."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from common.base.errors import UserError
from common.data.prepare.archives import SBD, VOC12, Official, fetch

CONTENT = bytes(range(256)) * 4096


class Server(ThreadingHTTPServer):
    """Serves CONTENT; cuts the first `cuts` answers in the middle; knows ranges if `ranges`."""

    cuts, ranges = 0, True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str | None] = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path != "/data.tar":
            self.send_error(404)
            return
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        start = int(wanted.split("=")[1].rstrip("-")) if wanted and self.server.ranges else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        stop = len(CONTENT)
        if self.server.cuts:
            self.server.cuts -= 1
            stop = (start + stop) // 2
        self.wfile.write(CONTENT[start:stop])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def archive(server: Server, name: str = "data.tar", content: bytes = CONTENT) -> Official:
    return Official(f"http://127.0.0.1:{server.server_port}/{name}", hashlib.md5(content).hexdigest())


def test_fetches_once(server, tmp_path):
    for _ in range(2):
        path = fetch(archive(server), tmp_path)
        assert path == tmp_path / "data.tar" and path.read_bytes() == CONTENT
    assert server.asked == [None]


@pytest.mark.parametrize("ranges", [True, False])
def test_goes_on_after_a_cut(server, tmp_path, ranges):
    server.cuts, server.ranges = 1, ranges
    with pytest.raises(UserError, match=r"could not be fetched.*run the command again to go on"):
        fetch(archive(server), tmp_path)
    assert not (tmp_path / "data.tar").exists()
    part = (tmp_path / "data.tar.part").stat().st_size
    assert 0 < part < len(CONTENT)
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={part}-"]


def test_wrong_checksum_leaves_nothing(server, tmp_path):
    with pytest.raises(UserError, match="does not have the MD5"):
        fetch(archive(server, content=b"other"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_address_that_is_gone(server, tmp_path):
    with pytest.raises(UserError, match=r"gone\.tar could not be fetched .*404"):
        fetch(archive(server, "gone.tar"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_official_facts_are_torchvisions():
    from torchvision.datasets.sbd import SBDataset
    from torchvision.datasets.voc import DATASET_YEAR_DICT

    year = DATASET_YEAR_DICT["2012"]
    assert (VOC12.url, VOC12.md5, VOC12.filename) == (year["url"], year["md5"], year["filename"])
    assert (SBD.url, SBD.md5, SBD.filename) == (SBDataset.url, SBDataset.md5, SBDataset.filename)
