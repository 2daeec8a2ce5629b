"""The real cat photos, fetched once from a public copy and checked by their SHA-256."""

import os
from pathlib import Path

from purrceptron._extras import require
from purrceptron.data._dataset import Split
from purrceptron.data._hdf5 import load_cats_pair

# A commit, not a branch: what it names can not change.
_BASE_URL = (
    "https://raw.githubusercontent.com/akshayballal95/deep_neural_network/"
    "548a944be02c7762d3f2f654f983892c40fcf988/datasets/"
)
_SHA256 = {
    "train_catvnoncat.h5": "fbe56ab67c3ae28d564e3a644189117976d6b31af0a3ce9bb17dbf22908af242",
    "test_catvnoncat.h5": "6a9d39ce52fa85953c5834695b8534a30ed8cfd54971fb2f080b5a24d002b951",
}
_TIMEOUT = 30.0  # seconds without an answer


def fetch_cats(*, base_url: str = _BASE_URL, cache: str | os.PathLike[str] | None = None) -> Split:
    """Return the 209 training and 50 test photos, downloading them (3 MB) the first time.

    Parameters
    ----------
    base_url : str
        Where ``train_catvnoncat.h5`` and ``test_catvnoncat.h5`` lie; another public copy, or one
        of your own, serves as well, since what comes is checked by SHA-256.
    cache : path, optional
        The folder that keeps them; by default that of this user for ``purrceptron``.

    Returns
    -------
    Split
        The two data sets, as `load_cats_pair` reads them.

    Raises
    ------
    OSError
        If they are not in the cache and can not be downloaded.
    ValueError
        If what was downloaded is not the files that it should be.
    MissingExtraError
        If pooch is not installed.
    """
    pooch = require("pooch", extra="app", purpose="fetching the cat photos")
    folder = cats_cache() if cache is None else Path(cache)
    base_url = base_url.rstrip("/") + "/"
    catalogue = pooch.create(path=folder, base_url=base_url, registry=_SHA256)
    downloader = pooch.HTTPDownloader(timeout=_TIMEOUT)
    level = pooch.get_logger().level
    pooch.get_logger().setLevel("WARNING")
    try:
        train, test = (catalogue.fetch(name, downloader=downloader) for name in _SHA256)
    except OSError as error:  # requests' errors are OSErrors too
        raise OSError(
            f"could not fetch the cat photos from {base_url} into {folder}: {_reason(error)}"
        ) from error
    except ValueError as error:
        raise ValueError(
            f"what {base_url} sent is not the cat photos: its SHA-256 differs from the known one"
        ) from error
    finally:
        pooch.get_logger().setLevel(level)
    return load_cats_pair(train, test)


def cats_cache() -> Path:
    """Return the folder that keeps the photos once they are fetched (it need not exist yet).

    Raises
    ------
    MissingExtraError
        If pooch is not installed.
    """
    return Path(
        require("pooch", extra="app", purpose="fetching the cat photos").os_cache("purrceptron")
    )


def _reason(error: OSError) -> str:
    """Cut the nested messages of a network error down to their last, telling one."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"the server answered {response.status_code} {response.reason}"
    innermost: BaseException = error
    while innermost.__context__ is not None:
        innermost = innermost.__context__
    return str(innermost.args[-1] if innermost.args else type(innermost).__name__)
