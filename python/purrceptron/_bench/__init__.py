"""Benchmarks: what ``purrceptron bench`` runs, and what the project's ``make bench`` builds on."""

from pathlib import Path


def run(quick: bool = False, json_path: Path | None = None) -> int:
    """Compare with NumPy on this machine, and print a table for each kind of work.

    Parameters
    ----------
    quick : bool
        Spend two minutes rather than ten: enough to see, not enough to quote.
    json_path : Path, optional
        Where to keep everything that was measured.

    Returns
    -------
    int
        The exit status, 0.
    """
    from purrceptron._bench.main import compare_all
    from purrceptron._bench.suite import BUILT_IN

    return compare_all(BUILT_IN, quick=quick, json_path=json_path)
