"""The photos are fetched once, checked, and kept: tried against a server on this machine."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import h5py
import numpy as np
import pytest

from purrceptron.data import _fetch, cats_cache, fetch_cats

pytest.importorskip("pooch")


class Server:
    """A folder behind HTTP, and the list of what was asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        asked = self.asked

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                asked.append(self.path)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder))
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/datasets"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "public" / "datasets").mkdir(parents=True)
    server = Server(tmp_path / "public")
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


@pytest.fixture
def small(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server with two small files in the place of the photos, known by their SHA-256."""
    known = {}
    for part, m in (("train", 3), ("test", 2)):
        path = server.folder / "datasets" / f"{part}_catvnoncat.h5"
        with h5py.File(path, "w") as file:
            file[f"{part}_set_x"] = np.full((m, 64, 64, 3), m, np.uint8)
            file[f"{part}_set_y"] = np.arange(m) % 2
            file["list_classes"] = np.array([b"non-cat", b"cat"])
        known[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(_fetch, "_SHA256", known)
    return server


def test_they_are_fetched_once_and_then_come_from_the_cache(small, tmp_path, capfd):
    for _ in range(2):
        train, test = fetch_cats(base_url=small.url, cache=tmp_path / "cache")
        assert (len(train), len(test)) == (3, 2)
        assert train.x[0, 0] == 3
    assert len(small.asked) == 2
    assert capfd.readouterr() == ("", "")


def test_with_the_cache_full_no_server_is_needed(small, tmp_path):
    fetch_cats(base_url=small.url, cache=tmp_path / "cache")
    fetch_cats(base_url="http://127.0.0.1:9/", cache=tmp_path / "cache")


def test_a_spoilt_file_in_the_cache_is_fetched_again(small, tmp_path):
    fetch_cats(base_url=small.url, cache=tmp_path / "cache")
    (tmp_path / "cache" / "test_catvnoncat.h5").write_bytes(b"spoilt")
    assert len(fetch_cats(base_url=small.url, cache=tmp_path / "cache").test) == 2


def test_what_is_not_the_photos_is_refused_and_not_kept(small, tmp_path):
    (small.folder / "datasets" / "train_catvnoncat.h5").write_bytes(b"something else")
    with pytest.raises(ValueError, match=f"what {small.url}/ sent is not the cat photos"):
        fetch_cats(base_url=small.url, cache=tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*"))


def test_a_server_without_them_is_named_with_its_answer(server, tmp_path):
    message = f"could not fetch the cat photos from {server.url}/ .*answered 404"
    with pytest.raises(OSError, match=message):
        fetch_cats(base_url=server.url, cache=tmp_path / "cache")


def test_a_server_that_is_not_there_is_named(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(OSError, match=f"could not fetch .* from {url}/ .*refused") as caught:
        fetch_cats(base_url=url, cache=tmp_path / "cache")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_cache_that_can_not_be_written_is_named(small, tmp_path):
    (tmp_path / "cache").write_bytes(b"a file where the folder should be")
    with pytest.raises(OSError, match=str(tmp_path / "cache")):
        fetch_cats(base_url=small.url, cache=tmp_path / "cache")


def test_the_source_is_pinned_to_a_commit():
    assert len(_fetch._BASE_URL.split("/")[5]) == 40
    assert int(_fetch._BASE_URL.split("/")[5], 16)


def test_the_cache_belongs_to_purrceptron():
    assert "purrceptron" in str(cats_cache())


@pytest.mark.photos
def test_the_real_photos_pass_the_check(server, photo_pair, photos, tmp_path):
    (server.folder / "datasets").rmdir()
    (server.folder / "datasets").symlink_to(photo_pair)
    train, test = fetch_cats(base_url=server.url, cache=tmp_path / "cache")
    np.testing.assert_array_equal(train.x, photos.X)
    np.testing.assert_array_equal(test.x, photos.X_test)
