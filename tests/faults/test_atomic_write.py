"""A file is written whole or not at all: full disk, closed folder, kill -9, two writers."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from purrceptron._files import atomic_write

OLD = b"the old file"
posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals and limits")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    path.write_bytes(OLD)
    return path


def files_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_new_file_gets_the_bytes_and_nothing_else_is_left(tmp_path: Path) -> None:
    atomic_write(tmp_path / "new", b"abc")
    assert (tmp_path / "new").read_bytes() == b"abc"
    assert files_in(tmp_path) == ["new"]


def test_an_old_file_is_replaced(target: Path) -> None:
    atomic_write(str(target), b"")
    assert target.read_bytes() == b""


def test_the_bytes_of_a_memoryview_are_written(target: Path) -> None:
    array = np.arange(6.0).reshape(2, 3)
    atomic_write(target, memoryview(array))
    assert target.read_bytes() == array.tobytes()


def test_a_link_stays_and_its_target_is_replaced(target: Path, tmp_path: Path) -> None:
    link = tmp_path / "latest"
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("this system does not let us make symbolic links")
    atomic_write(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_name_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    path = tmp_path / ("m" * 255)
    atomic_write(path, b"abc")
    assert path.read_bytes() == b"abc"


@posix
def test_the_file_has_the_permissions_that_the_user_gives_new_files(tmp_path: Path) -> None:
    ordinary = tmp_path / "ordinary"
    ordinary.touch()
    atomic_write(tmp_path / "new", b"abc")
    assert (tmp_path / "new").stat().st_mode == ordinary.stat().st_mode


def test_a_missing_folder_is_said_with_the_name_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "model.json"
    with pytest.raises(FileNotFoundError) as raised:
        atomic_write(path, b"abc")
    assert raised.value.filename == str(path)
    assert ".tmp" not in str(raised.value)


@posix
def test_disk_full_leaves_the_old_file_and_no_temporary(target: Path) -> None:
    # The kernel refuses to let a file of this process grow, as a full disk would.
    code = """
import resource, signal, sys
from purrceptron._files import atomic_write
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
atomic_write(sys.argv[1], bytes(100_000))
"""
    done = run_python(code, target)
    assert done.returncode == 1
    assert done.stderr.strip().endswith(f"OSError: [Errno 27] File too large: '{target}'")
    assert target.read_bytes() == OLD
    assert files_in(target.parent) == [target.name]


@pytest.mark.parametrize("step", ["write", "flush", "fsync", "replace"])
def test_no_space_at_any_step_is_raised(
    target: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    ordinary_open = Path.open
    with monkeypatch.context() as patch:
        if step == "fsync":
            patch.setattr(os, "fsync", full)
        elif step == "replace":
            patch.setattr(Path, "replace", full)
        else:
            patch.setattr(Path, "open", lambda *args: _Full(ordinary_open(*args), step, full))
        with pytest.raises(OSError, match="No space left on device") as raised:
            atomic_write(target, b"new")
    assert raised.value.errno == errno.ENOSPC
    assert raised.value.filename == str(target)
    assert target.read_bytes() == OLD
    assert files_in(target.parent) == [target.name]


def test_ctrl_c_while_writing_leaves_the_old_file_and_no_temporary(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(file: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        atomic_write(target, b"new")
    assert target.read_bytes() == OLD
    assert files_in(target.parent) == [target.name]


@posix
def test_a_read_only_folder_is_an_error_and_changes_nothing() -> None:
    # Root may write anywhere, so the write is tried as nobody; the folder is not
    # pytest's own, into which nobody cannot even look.
    folder = Path(tempfile.mkdtemp())
    target = folder / "model.safetensors"
    target.write_bytes(OLD)
    folder.chmod(0o555)
    code = """
import os, sys
from pathlib import Path
from purrceptron._files import atomic_write
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
print(Path(sys.argv[1]).read_bytes())
try:
    atomic_write(sys.argv[1], b"new")
except PermissionError as error:
    print(error.filename)
"""
    try:
        done = run_python(code, target)
        assert done.stdout.split("\n") == [repr(OLD), str(target), ""], done.stderr
        assert target.read_bytes() == OLD
        assert files_in(folder) == [target.name]
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


# Kills itself at step `argv[2]` of a write: before and after each call that
# touches the disk, and with half of the bytes written.
KILLED = """
import os, signal, sys
from pathlib import Path
from purrceptron._files import atomic_write

steps = 0

def step():
    global steps
    if steps == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    steps += 1

def around(call):
    def stepped(*args):
        step()
        result = call(*args)
        step()
        return result
    return stepped

class File:
    def __init__(self, file):
        self.file, self.fileno = file, file.fileno
        self.flush = around(file.flush)
    def __enter__(self):
        return self
    def __exit__(self, *_):
        around(self.file.close)()
    def write(self, data):
        self.file.write(data[: len(data) // 2])
        self.file.flush()
        step()
        self.file.write(data[len(data) // 2 :])
        step()

opened = around(Path.open)
Path.open = lambda path, mode: File(opened(path, mode))
Path.replace = around(Path.replace)
os.fsync = around(os.fsync)
atomic_write(sys.argv[1], bytes(range(256)) * 1000)
print(steps)
"""
NEW = bytes(range(256)) * 1000


@posix
def test_kill_9_at_every_step_leaves_the_old_file_or_the_new_one(target: Path) -> None:
    whole = run_python(KILLED, target, "-1")
    steps = int(whole.stdout)
    assert steps == 14
    seen = []
    for step in range(steps):
        for entry in target.parent.iterdir():
            entry.unlink()
        target.write_bytes(OLD)
        done = run_python(KILLED, target, str(step))
        assert done.returncode == -signal.SIGKILL
        assert target.read_bytes() in (OLD, NEW)
        seen.append(target.read_bytes() == NEW)

        # What the dead process left behind is in nobody's way.
        atomic_write(target, b"next")
        assert target.read_bytes() == b"next"
    # The old file up to the call of replace, the new one from there on.
    assert seen == sorted(seen)
    assert seen.count(True) == 3


def test_two_writers_leave_one_complete_file(target: Path) -> None:
    contents = [bytes([writer]) * 300_000 for writer in range(2)]
    failures: list[BaseException] = []

    def write(content: bytes) -> None:
        for _ in range(20):
            try:
                atomic_write(target, content)
            except PermissionError as error:
                # Windows may refuse a rename while the other one takes place.
                if os.name != "nt":
                    failures.append(error)
            except BaseException as error:
                failures.append(error)

    writers = [threading.Thread(target=write, args=(content,)) for content in contents]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        if os.name != "nt":  # there, an open file cannot be replaced
            assert target.read_bytes() in [OLD, *contents]
    for writer in writers:
        writer.join()
    assert failures == []
    assert target.read_bytes() in contents
    assert files_in(target.parent) == [target.name]


def run_python(code: str, *args: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


class _Full:
    """An open file of which one method fails."""

    def __init__(self, file: IO[bytes], step: str, fail: Callable[..., None]) -> None:
        self.file = file
        self.write, self.flush, self.fileno = file.write, file.flush, file.fileno
        setattr(self, step, fail)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self.file.close()
