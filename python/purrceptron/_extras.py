"""Optional packages: import one when it is needed, or say which ``pip install`` brings it."""

import importlib
from types import ModuleType

from purrceptron._errors import MissingExtraError

# Where the name on the package index is not the name one imports.
_DISTRIBUTIONS = {"PIL": "Pillow", "sklearn": "scikit-learn"}


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import an optional module, or raise an error that says how to get it.

    Parameters
    ----------
    module
        Dotted name of the module, such as ``"PIL.Image"``.
    extra
        The extra of this package that installs it, such as ``"app"``.
    purpose
        What needs it, as the subject of the sentence: ``"reading photos"``.

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    MissingExtraError
        If the package is not installed. A package that is there but broken keeps
        its own ``ImportError``.

    Examples
    --------
    >>> require("json", extra="app", purpose="an example").loads("[1, 2]")
    [1, 2]
    """
    package = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        name = _DISTRIBUTIONS.get(package, package)
        raise MissingExtraError(
            f"{purpose} needs {name}, which is not installed: pip install 'purrceptron[{extra}]'",
            name=error.name,
        ) from None
