"""Threads that do not survive, and threads that cannot be had.

The numbers of the sections are those of the list of faults that a release is tested with.
"""

import json
import os
import subprocess
import sys

import pytest

if not hasattr(os, "fork"):
    pytest.skip("processes do not fork here", allow_module_level=True)

BEGIN = """
import hashlib, json, os, sys, warnings
import numpy as np
import purrceptron as pc

def fit(threads, **settings):
    pc.set_num_threads(threads)
    random = np.random.default_rng(0)
    X = random.standard_normal((400, 300)).astype(np.float32)
    y = (X[:, 0] > 0).astype(np.int64)
    net = pc.Network([300, 200, 1], seed=1)
    pc.train(net, X, y, epochs=20, first_layer="direct", seed=1, **settings)
    kept = b"".join(a.tobytes() for layer in net.parameters for a in layer)
    return hashlib.sha256(kept).hexdigest()

def refuse_threads():
    import resource

    if os.geteuid() == 0:  # the limit holds for everybody but root
        os.setgid(65534)
        os.setuid(65534)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))

def threads():
    return len(os.listdir("/proc/self/task")) if os.path.exists("/proc/self/task") else None

settings = json.loads(sys.argv[1])
"""

SETTINGS = [{}, {"batch_size": 100}]


def run(script, settings, timeout):
    ended = subprocess.run(
        [sys.executable, "-c", BEGIN + script, json.dumps(settings)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


# 62

FORK = """
import select

before = fit(2, **settings)
read, write = os.pipe()
child = os.fork()
if child == 0:
    os.write(write, json.dumps([fit(2, **settings), threads()]).encode())
    os._exit(0)
ready, _, _ = select.select([read], [], [], 10)
if not ready:
    os.kill(child, 9)
    print(json.dumps({"child": "nothing within 10 s"}))
else:
    in_child, threads_of_child = json.loads(os.read(read, 1000))
    _, status = os.waitpid(child, 0)
    print(json.dumps({"child": in_child, "threads": threads_of_child, "status": status,
                      "before": before, "after": fit(2, **settings)}))
"""


@pytest.mark.parametrize("settings", SETTINGS, ids=["full batch", "mini-batch"])
def test_a_fork_after_threads_were_started_trains(settings):
    answer = run(FORK, settings, timeout=60)
    assert answer["child"] == answer.get("before")  # the same bits
    assert answer["status"] == 0
    assert answer["threads"] in (2, None)  # it started a thread of its own
    assert answer["after"] == answer["before"]  # and the parent goes on


# 67

REFUSED = """
alone = fit(1, **settings)
refuse_threads()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    result = fit(4, **settings)
    again = fit(4, **settings)
print(json.dumps({"alone": alone, "result": result, "again": again,
                  "warnings": [[w.category.__name__, str(w.message)] for w in caught]}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads are no processes")
@pytest.mark.parametrize("settings", SETTINGS, ids=["full batch", "mini-batch"])
def test_where_no_thread_can_be_started_the_work_is_done_with_a_warning(settings):
    answer = run(REFUSED, settings, timeout=60)
    assert answer["result"] == answer["again"] == answer["alone"]
    category, message = answer["warnings"][0]
    assert category == "RuntimeWarning"
    assert "refused to start more threads" in message


REFUSED_TO_KERNELS = """
from purrceptron import kernels

pc.set_num_threads(4)
a = np.random.default_rng(0).random((500, 500))
refuse_threads()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for _ in range(5):  # the first of a row may be done alone
        product = kernels.matmul(a, a)
print(json.dumps({"right": bool(np.allclose(product, a @ a)),
                  "warnings": [[w.filename, str(w.message)] for w in caught]}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads are no processes")
def test_a_kernel_that_is_refused_threads_warns_at_the_line_that_called_it():
    answer = run(REFUSED_TO_KERNELS, {}, timeout=60)
    assert answer["right"]
    file, message = answer["warnings"][0]
    assert file == "<string>"
    assert "refused to start more threads" in message


@pytest.mark.parametrize("value", ["two", "0", "-1", "2.5", "1025"])
def test_a_number_of_threads_in_the_environment_that_is_none_is_passed_over(value, monkeypatch):
    monkeypatch.setenv("PURRCEPTRON_NUM_THREADS", value)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    script = """
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    asked = pc.get_num_threads()
    pc.get_num_threads()
print(json.dumps([asked, [str(w.message) for w in caught]]))
"""
    threads, messages = run(script, {}, timeout=60)
    assert threads == 3
    assert messages == [
        f'PURRCEPTRON_NUM_THREADS is "{value}", expected a number of threads from 1 to 1024; '
        "it is passed over"
    ]
