"""A competitor's process as the harness sees it: it is started, asked, and ended."""

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

THREAD_VARIABLES = (
    "PURRCEPTRON_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


class WorkerError(RuntimeError):
    """A competitor's process failed; the message has its own words."""


class Worker:
    """A competitor's process, idle until it is asked.

    Parameters
    ----------
    source : str
        The peer: a module's name, or a file's path.
    threads : int
        How many it may use.
    """

    def __init__(self, source: str, threads: int) -> None:
        self._log = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115  (until close)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "purrceptron._bench.worker", source, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env=os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)),
        )
        self.threads = threads
        try:
            who = self.ask("who")
        except WorkerError:
            self.close()
            raise
        self.name: str = who["name"]
        self.version: str = who["version"]

    def ask(self, what: str, **details: Any) -> dict[str, Any]:
        """Send a request and wait for its answer, which may be ``{"unsupported": why}``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"ask": what, **details}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended, and its log says why
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            words = self._log.read().strip().splitlines()
            status = self._process.wait()
            raise WorkerError(": ".join([f"its process ended with status {status}", *words[-1:]]))
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise WorkerError(f"{answer['error']}\n{answer['traceback']}")
        return answer

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()
