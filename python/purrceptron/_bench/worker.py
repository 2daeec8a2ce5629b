"""The process of one competitor: it gets work as lines of JSON, and answers with times.

``python -m purrceptron._bench.worker PEER THREADS``, where PEER is the name of a module or the
path of a file. It stays alive between workloads, so that its libraries are loaded and its
threads started once, and it is idle while another competitor is timed.
"""

import importlib
import importlib.util
import json
import os
import sys
import time
import traceback
from statistics import median
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from purrceptron._bench.peer import Task


LONG = 0.2
"""Seconds of a run beside which those that caches and threads need to get warm do not count."""


def main() -> None:
    """Answer requests until the pipe is closed."""
    source, threads = sys.argv[1], int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is not an answer
    use_cores(threads)
    peer = load(source)
    state: dict[str, Any] = {}
    for line in sys.stdin:
        try:
            answer = respond(peer, state, json.loads(line))
        except Exception as error:
            kind = "unsupported" if type(error).__name__ == "Unsupported" else "error"
            answer = {kind: str(error) or repr(error), "traceback": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)


def use_cores(threads: int) -> None:
    """Keep to the first so many cores, for libraries that cannot be told a number of threads."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[:threads])


def load(source: str) -> ModuleType:
    """Import a competitor by module name, or from a file."""
    if not source.endswith(".py"):
        return importlib.import_module(source)
    spec = importlib.util.spec_from_file_location("bench_peer", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def respond(module: ModuleType, state: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """Do what a request asks for."""
    import numpy as np

    from purrceptron._bench import workloads
    from purrceptron._bench.peer import as_peer

    peer = as_peer(module)
    match request["ask"]:
        case "who":
            return {"name": peer.NAME, "version": peer.version()}
        case "bound":
            if not hasattr(module, "BOUND"):
                return {"source": None}
            return {
                "peak": {dtype: module.peak(dtype) for dtype in workloads.DTYPES},
                "bandwidth": module.bandwidth(),
                "source": module.BOUND,
            }
        case "prepare":
            state["workload"] = workload = workloads.Workload(**request["workload"])
            with np.load(request["arrays"]) as file:
                state["arrays"] = dict(file)
            state["task"] = task = peer.task(workload, state["arrays"])
            measure(task, 0.0)  # what the first run alone has to do is done here
            state["run"] = measure(task, 0.0) * task.steps
            return {"check": checked(task)}
        case "measure":
            if state["run"] < LONG:  # caches and threads get warm again
                measure(state["task"], request["seconds"] / 10)
            return {"seconds": measure(state["task"], request["seconds"])}
        case "finish":
            task = state["task"]
            ended = task.parameters and workloads.loss(task.parameters(), state["arrays"])
            state.clear()
            return {"loss": ended}
        case other:
            raise ValueError(f"nobody knows how to {other}")


def measure(task: "Task", seconds: float) -> float:
    """Run a task for about so long, at least once; return the seconds of one step.

    It is the median over the runs, or over batches of short ones: a virtual machine is without
    one of its cores for milliseconds at a time, which a mean would charge to whoever was running.
    """
    spent, batch = 0.0, 1
    runs: list[float] = []
    while spent <= seconds and not (runs and not seconds):
        if task.reset is not None:
            task.reset()
        begin = time.perf_counter()
        for _ in range(batch):
            task.run()
        took = time.perf_counter() - begin
        spent += took
        runs.append(took / batch)
        if task.reset is None and took < seconds / 100:
            batch *= 2  # the clock is read too often
    return median(runs) / task.steps


def checked(task: "Task") -> list[float] | None:
    """Return a few numbers of a result, which every competitor must agree on."""
    if task.result is None:
        return None
    flat = task.result().ravel()
    return [float(v) for v in flat[:: max(1, len(flat) // 50)]]


if __name__ == "__main__":
    main()
