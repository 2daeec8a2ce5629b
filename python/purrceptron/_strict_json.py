"""JSON as a model file may hold it: valid, finite, and each key once."""

import json
from typing import Any, NoReturn

from purrceptron._errors import CheckpointError


def parse(text: str | bytes) -> Any:
    """Parse `text`, or say in a `CheckpointError` why it is not taken.

    Python's own parser lets the last of two equal keys win, and takes NaN and
    Infinity, which are not JSON; here both are refused.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except CheckpointError:
        raise
    except RecursionError:
        raise CheckpointError("its JSON is nested too deeply") from None
    except UnicodeDecodeError as error:
        raise CheckpointError(f"its JSON is not UTF-8 ({error})") from None
    except ValueError as error:
        raise CheckpointError(f"its JSON is not valid ({error})") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise CheckpointError(f"its JSON has the key {twice!r} twice")
    return unique


def _refuse_constant(name: str) -> NoReturn:
    raise CheckpointError(f"its JSON holds {name}, which is not a number in JSON")
