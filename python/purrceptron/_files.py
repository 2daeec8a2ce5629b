"""Write a file whole or not at all, whatever happens in the middle."""

import errno
import os
from pathlib import Path


def atomic_write(path: str | os.PathLike[str], data: bytes | memoryview) -> None:
    """Put `data` into the file at `path`, which until then stays as it was.

    The bytes go to a new file with a name of its own in the same folder; once
    they are on the disk, it takes the place of the old file in one step. A
    reader, a second writer or a crash at any moment sees the old file or the new
    one, never a part of either. A process that is killed may leave its temporary
    file, ``.<name>.<random>.tmp``, which nothing reads and anyone may delete.

    Parameters
    ----------
    path : path-like
        Where the file goes. Through a symbolic link, its target is replaced.
    data : bytes or memoryview
        The whole content; of a memoryview its bytes, which lie in one piece.

    Raises
    ------
    OSError
        The folder is missing or not writable, the disk is full, and so on. The
        old file is intact and the temporary one removed.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name[:50]}.{os.urandom(8).hex()}.tmp")
    try:
        file = temporary.open("xb")
        try:
            with file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)
    except OSError as error:
        # Name the file that was asked for, not the one that stood in for it.
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def _sync_folder(folder: Path) -> None:
    """Make the new name as durable as the bytes, where the system knows how."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network and user-space file systems do not sync folders.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)
