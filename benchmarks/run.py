"""Time purrceptron and every competitor that is installed: what ``make bench`` runs.

``python benchmarks/run.py [--quick] [--threads N] [--no-plots]``. The tables are printed, the
figures go to ``benchmarks/results/`` by machine and date, and the plots to ``docs/benchmarks/``.
"""

import argparse
import datetime
from pathlib import Path

from purrceptron._bench import machine
from purrceptron._bench.main import compare_all
from purrceptron._bench.suite import BUILT_IN

HERE = Path(__file__).parent
PEERS = [str(HERE / "peers" / f"{name}_peer.py") for name in ("torch", "jax", "sklearn")]


def main() -> int:
    parser = argparse.ArgumentParser(description="Time purrceptron beside its competitors.")
    parser.add_argument("--quick", action="store_true", help="two minutes: to see, not to quote")
    parser.add_argument("--threads", type=int, help="for each competitor (default: all cores)")
    parser.add_argument("--no-plots", action="store_true", help="leave docs/benchmarks as it is")
    chosen = parser.parse_args()
    if chosen.threads is not None and chosen.threads < 1:
        parser.error(f"--threads is {chosen.threads}, expected an integer from 1 on")
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    name = f"{machine.slug()}-{day}{'-quick' if chosen.quick else ''}.json"
    path = HERE / "results" / name
    path.parent.mkdir(exist_ok=True)
    status = compare_all(
        [*BUILT_IN, *PEERS],
        quick=chosen.quick,
        json_path=path,
        threads=chosen.threads,
        with_scaling=True,
    )
    if not (chosen.no_plots or chosen.quick):
        import plots  # matplotlib, for those who want pictures

        for picture in plots.draw(path, HERE.parent / "docs" / "benchmarks"):
            print(f"Plot: {picture}")
    return status


if __name__ == "__main__":
    raise SystemExit(main())
