"""The benchmark harness: fair turns, medians of ratios, and no credit for wrong answers."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from purrceptron._bench import machine, report, suite, workloads
from purrceptron._bench.competitor import Worker, WorkerError
from purrceptron._bench.harness import Effort, Result, agree, compare, leave_out_the_unequal
from purrceptron._bench.main import compare_all, label
from purrceptron._bench.peer import Task
from purrceptron._bench.worker import load, measure
from purrceptron._bench.workloads import Workload

PEER = """
from purrceptron._bench.peer import Task, Unsupported
NAME = "fake"
def version():
    print("a library may print what it likes")
    return "1"
def task(workload, arrays):
    if workload.kind == "predict":
        raise Unsupported("no predictions today")
    a, b = arrays["a"], arrays["b"]
    return Task(lambda: None, steps=4, result=lambda: {result})
"""

PRODUCT = Workload("matmul", "tiny", "float64", {"layout": "nn", "m": 3, "k": 4, "n": 5}, 120.0)


@pytest.fixture
def start(tmp_path):
    """Return a function that starts the process of a made-up competitor."""
    started = []

    def make(result="a @ b", name="fake"):
        path = tmp_path / f"{name}.py"
        path.write_text(PEER.replace("{result}", result).replace("fake", name))
        started.append(Worker(str(path), 1))
        return started[-1]

    yield make
    for worker in started:
        worker.close()


def test_each_competitor_is_timed_in_every_round(start):
    result = compare([start(), start(name="other")], PRODUCT, Effort(rounds=3, seconds=0.001))
    assert {name: len(times) for name, times in result.seconds.items()} == {"fake": 3, "other": 3}
    assert all(t > 0 for times in result.seconds.values() for t in times)


def test_a_wrong_result_is_refused(start):
    with pytest.raises(WorkerError, match=r"wrong and fake disagree on tiny \(float64\)"):
        compare([start(), start("a @ b + 1e-6", "wrong")], PRODUCT, Effort(1, 0.001))


def test_what_a_competitor_cannot_do_is_noted(start):
    result = compare([start()], workloads.prediction(), Effort(1, 0.001))
    assert result.skipped == {"fake": "no predictions today"}
    assert result.seconds == {}


def test_one_that_dies_is_left_out_and_the_others_go_on(start):
    result = compare([start(), start("__import__('os')._exit(3)", "ill")], PRODUCT, Effort(2, 0.0))
    assert result.skipped["ill"].startswith("its process ended with status 3")
    assert len(result.seconds["fake"]) == 2
    assert "ill" not in result.seconds


def test_a_competitor_that_is_not_installed_says_so(tmp_path):
    path = tmp_path / "peer.py"
    path.write_text("import a_library_that_nobody_has")
    missing = {}
    assert suite.start_all([str(path)], 1, missing) == []
    assert "a_library_that_nobody_has" in missing[str(path)]


def test_a_competitor_that_is_not_installed_is_named_as_its_file_has_it(tmp_path):
    path = tmp_path / "torch_peer.py"
    path.write_text('import a_library_that_nobody_has\n\nNAME = "PyTorch"\n')
    assert label(str(path)) == "PyTorch"


def test_one_that_ends_at_another_loss_is_left_out():
    fit = Workload("mini_batch", "a fit", "float32", {})
    losses = {"a": 0.50, "b": 0.52, "c": 0.49, "d": 0.9, "e": float("nan")}
    result = Result(fit, 1, {name: [1.0] for name in losses}, losses)
    leave_out_the_unequal(result)
    assert set(result.seconds) == {"a", "b", "c"}
    assert result.skipped["d"] == "ended a fit (float32) at a loss of 0.9, the others at 0.52"
    assert "nan" in result.skipped["e"]
    # nor does it stretch the range that the others are said to have ended in
    assert report.losses(result) == "0.49 - 0.52"
    assert set(result.to_json()["loss"]) == {"a", "b", "c"}


@pytest.mark.parametrize("losses", [(0.5, np.nan, 0.5), (np.nan, 0.5, 0.5), (0.5, 0.5, np.nan)])
def test_a_loss_that_is_none_does_not_speak_for_the_others(losses):
    fit = Workload("mini_batch", "a fit", "float32", {}, 1.0)
    result = Result(fit, 1, {name: [1.0] for name in "abc"}, dict(zip("abc", losses, strict=True)))
    leave_out_the_unequal(result)
    assert set(result.seconds) == {n for n, x in zip("abc", losses, strict=True) if x == x}


def test_ratios_are_medians_of_neighbours_in_time():
    # a machine that gets slower in the second round, and a hiccup in the third
    result = Result(PRODUCT, 1, {"ours": [1.0, 10.0, 1.0], "other": [2.0, 20.0, 90.0]})
    assert result.ratio("other", to="ours") == 2.0
    assert result.time("ours") == 1.0


def test_a_run_without_its_core_does_not_count(monkeypatch):
    now = 0.0
    durations = iter([0.02, 0.02, 0.02, 5.0])

    def run() -> None:
        nonlocal now
        now += next(durations)

    monkeypatch.setattr("time.perf_counter", lambda: now)
    assert measure(Task(run, steps=2), 1.0) == pytest.approx(0.01)
    assert next(durations, None) is None


def test_float32_results_may_differ_by_rounding_alone():
    product = Workload("matmul", "tiny", "float32")
    agree({"a": [100.0, 0.0], "b": [100.00001, 1e-6]}, product)
    with pytest.raises(WorkerError):
        agree({"a": [100.0, 0.0], "b": [100.0, 1.0]}, product)


@pytest.mark.parametrize("quick", [False, True])
def test_every_workload_can_be_built_and_sent(quick):
    for section in suite.sections(quick, 2):
        for workload in section.workloads:
            again = Workload(**json.loads(json.dumps(workload.to_json())))
            assert again.name == workload.name
            if workload.flop < 1e8 and workload.kind != "gram":
                arrays = workloads.build(again)
                assert {a.dtype for n, a in arrays.items() if n != "y"} == {np.dtype(again.dtype)}


@pytest.mark.parametrize("layout", ["nn", "nt", "tn", "tt"])
def test_the_factors_of_a_product_have_the_layout_that_is_said(layout):
    product = Workload("matmul", "tiny", "float64", {"layout": layout, "m": 3, "k": 4, "n": 5})
    factors = workloads.operands(product, workloads.build(product))
    assert [factor.shape for factor in factors] == [(3, 4), (4, 5)]
    orders = {"n": "C_CONTIGUOUS", "t": "F_CONTIGUOUS"}
    for factor, letter in zip(factors, layout, strict=True):
        assert factor.flags[orders[letter]]


def test_the_cat_networks_arithmetic():
    # DESIGN's count: forward and dW of the first layer are 2 x 2 x 209 x 12288 x 20
    assert workloads.training_flop(workloads.CATS, 209) == pytest.approx(206e6, rel=0.01)


def test_the_loss_that_fits_are_compared_by():
    random = np.random.default_rng(0)
    W, X = random.standard_normal((3, 4)), random.standard_normal((6, 4))
    y = random.integers(0, 3, 6)
    p = np.exp(X @ W.T) / np.exp(X @ W.T).sum(axis=1, keepdims=True)
    expected = -np.mean(np.log(p[np.arange(6), y]))
    assert workloads.loss([(W, np.zeros(3))], {"X": X, "y": y}) == pytest.approx(expected)


def test_a_run_in_the_space_of_examples_is_also_held_against_the_plain_one():
    measured = suite.Suite(quick=True)
    step, run = next(workloads.cats(quick=True)), next(workloads.gram(quick=True))
    section = suite.Section("Gram", "", 1, (run,))
    measured.results["Cats"] = [Result(step, 1, {"NumPy": [0.002]})]
    measured.results["Gram"] = [Result(run, 1, {"NumPy": [0.05], "purrceptron": [0.01]})]
    (line,) = report.against_plain(measured, section)
    assert line == "float32: 250 iterations of plain NumPy would take 500 ms, 50 times as long."


def test_the_highest_bound_counts() -> None:
    first = machine.Bound({"float32": 2e9, "float64": 1e9}, 5.0, "test")
    disturbed = machine.Bound({"float32": 1e9, "float64": 1.5e9}, 4.0, "test")
    highest = machine.Bound({"float32": 2e9, "float64": 1.5e9}, 5.0, "test")
    assert disturbed.or_more(first) == highest
    assert disturbed.or_more(None) == disturbed


def test_the_table_shows_times_ratios_and_the_fraction_of_the_bound():
    section = suite.Section("Products", "", 1, (PRODUCT,))
    measured = suite.Suite(quick=True)
    measured.bounds[1] = machine.Bound({"float64": 1e9}, 1e9, "test")  # 120 flop: 120 ns
    measured.results["Products"] = [
        Result(PRODUCT, 1, {"NumPy": [600e-9] * 3, "purrceptron": [200e-9] * 3})
    ]
    heading, rows = report.table(measured, section)
    assert heading == ["", "dtype", "purrceptron", "of bound", "NumPy"]
    assert rows == [["tiny", "float64", "200 ns  1 GFLOP/s", "60%", "600 ns  3.00x"]]
    text = report.plain(section.title, heading, rows)
    assert "600 ns  3.00x" in text
    assert json.loads(json.dumps(measured.to_json()))["results"]["Products"][0]["name"] == "tiny"


def test_the_bound_is_the_peak_alone():
    """What Adam reads and writes of a small network stays in the cache."""
    step = next(workloads.networks(quick=True))
    slow_memory = machine.Bound({"float32": 1e9}, 1.0, "test")
    assert slow_memory.seconds(step) == step.flop / 1e9


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ({"NumPy": [2e-6], "purrceptron": [1e-6]}, "purrceptron 1 us"),
        ({"2 threads": [1e-6], "1 thread": [2e-6]}, "2 threads 1 us"),
        ({}, "nobody does it"),
    ],
)
def test_a_line_a_workload(seconds, said):
    assert report.line(Result(PRODUCT, 1, seconds)) == f"tiny, float64: {said}"


def test_tables_come_last_and_are_held_against_the_bound_of_the_whole_run(
    tmp_path, monkeypatch, capsys
):
    sections = [suite.Section(title, "", 1, (PRODUCT,)) for title in ("Early", "Late")]
    peaks = iter([1.0, 1e9])  # the machine was not itself when the run began
    monkeypatch.setattr(suite, "sections", lambda quick, threads: sections)
    monkeypatch.setattr(
        suite, "bound", lambda team: machine.Bound({"float64": next(peaks)}, 1e9, "test")
    )
    path = tmp_path / "bench.json"
    assert compare_all(suite.BUILT_IN, quick=True, json_path=path, threads=1) == 0
    said = capsys.readouterr().out
    times = [m.start() for m in re.finditer("^tiny, float64: purrceptron ", said, re.MULTILINE)]
    assert len(times) == 2
    assert times[-1] < said.index("1 thread: 1 GFLOP/s in float64 (test)") < said.index("Early")
    kept = json.loads(path.read_text())
    assert kept["bounds"]["1"]["peak"] == {"float64": 1e9}
    reached = [
        f"{PRODUCT.flop / 1e9 / results[0]['median']['purrceptron']:.0%}"
        for results in kept["results"].values()
    ]
    assert re.findall(r"\b\d+%", said) == reached


@pytest.mark.parametrize("threads", ["0", "-1"])
def test_a_number_of_threads_that_is_none(threads, tmp_path, monkeypatch, capsys):
    runner = load(str(Path(__file__).parents[2] / "benchmarks" / "run.py"))
    monkeypatch.setattr(runner, "compare_all", lambda *_, **__: pytest.fail("it began"))
    monkeypatch.setattr(runner, "HERE", tmp_path)
    monkeypatch.setattr(sys, "argv", ["run.py", "--threads", threads])
    with pytest.raises(SystemExit) as ended:
        runner.main()
    assert ended.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"run.py: error: --threads is {threads}, expected an integer from 1 on"


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("taken", "taken is a folder, expected a file"),
        ("missing/bench.json", "its folder is missing or not writable"),
        ("file/bench.json", "its folder is missing or not writable"),
    ],
)
def test_where_no_file_can_go_is_found_before_anything_is_timed(where, said, tmp_path, monkeypatch):
    (tmp_path / "taken").mkdir()
    (tmp_path / "file").touch(0o777)
    monkeypatch.setattr(suite, "measure", lambda *_: pytest.fail("it began"))
    with pytest.raises(OSError, match=re.escape(said)):
        compare_all(suite.BUILT_IN, json_path=tmp_path / where)


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="no such device here")
def test_a_device_is_not_replaced_by_a_file():
    with pytest.raises(OSError, match="/dev/null is a device or the like, expected a file"):
        compare_all((), json_path=Path("/dev/null"))
