"""The command line ``purrceptron``: what a user did wrong becomes one line and exit status 2."""

from __future__ import annotations

import os
import re
import shlex
import sys
import warnings
from collections.abc import Sequence
from typing import Any, TextIO

from purrceptron import _core
from purrceptron._errors import DivergenceError, MissingExtraError
from purrceptron._extras import require

__all__ = ["main"]

# What every command imports; the rest of the extra is looked for where it is used.
_NEEDED = ("typer", "rich", "jinja2", "PIL")

USER_MISTAKE = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; by default that of this process.

    Returns
    -------
    int
        The exit status: 0, or 2 for bad input, 130 after Ctrl-C.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        for package in _NEEDED:
            require(package, extra="app", purpose="the command line")
        import typer

        from purrceptron._app.commands import app

        _core.isa()  # fails if PURRCEPTRON_ISA names what this machine does not have
    except (MissingExtraError, RuntimeError) as error:
        return complain(error)

    # The class of all errors in the arguments has no public name in typer.
    usage_error: type[Exception] = typer.BadParameter.__mro__[1]
    command = typer.main.get_command(app)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            status = command.main(
                arguments or ["--help"],
                "purrceptron",
                standalone_mode=False,
                obj=shlex.join(["purrceptron", *arguments]),  # for the report
            )
            sys.stdout.flush()
        except (KeyboardInterrupt, typer.Abort):
            status = INTERRUPTED
        except BrokenPipeError:  # `purrceptron predict ... | head` has had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except usage_error as error:
            return complain(_usage(error))
        except (OSError, ValueError, ImportError, MemoryError) as error:
            return complain(error)
    if status == INTERRUPTED:
        complain("interrupted")
    return int(status or 0)


def complain(problem: object) -> int:
    """Say what is wrong in one line on stderr; return the exit status for it."""
    text = str(problem)
    if isinstance(problem, OSError) and problem.strerror and problem.filename:
        text = f"{os.fsdecode(problem.filename)}: {problem.strerror}"
    elif isinstance(problem, DivergenceError):
        text = text.replace("learning_rate", "--learning-rate")
    elif isinstance(problem, ValueError):
        text = _in_our_words(text)
    elif isinstance(problem, MemoryError) and not text.startswith("not enough memory"):
        text = f"not enough memory{': ' if text else ''}{text}"
    print("purrceptron:", " ".join(text.split()), file=sys.stderr)
    return USER_MISTAKE


# What a message of the library begins with where a command has an option or an argument for it.
_NAMED = re.compile(
    r"^(path|n|init|seed|epochs|l2|learning_rate|batch_size|first_layer|test_fraction)(?= )"
)


def _in_our_words(text: str) -> str:
    """Call an option by its own name where the library has named its argument."""
    words = {"path": "MODEL", "n": "--threads"}
    return _NAMED.sub(lambda it: words.get(it[0]) or f"--{it[0].replace('_', '-')}", text)


def _usage(error: Any) -> str:
    """Put what is wrong with the arguments, and where help is, into one line."""
    path = error.ctx.command_path if error.ctx else "purrceptron"
    said = error.format_message().replace("Value error, ", "").rstrip(".")
    return f"{said} (see `{path} --help`)"


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    text = " ".join(_in_our_words(str(message)).split())
    print("purrceptron: warning:", text, file=file or sys.stderr)
