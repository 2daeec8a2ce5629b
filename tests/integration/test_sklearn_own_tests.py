"""scikit-learn's own tests of its perceptrons, from the installed package, held against ours.

Only the import is changed. What they ask of the public behaviour must hold; the tests named in
`PRIVATE` look into scikit-learn's private parts, which ours need not have.
"""

import types
from pathlib import Path

import pytest

pytest.importorskip("sklearn", minversion="1.9")
import sklearn.neural_network

IMPORT = "from sklearn.neural_network import MLPClassifier, MLPRegressor"

PRIVATE = {
    "test_gradient": "calls _loss_grad_lbfgs with scikit-learn's own buffers; ours is "
    "differentiated in rust/core/tests/objective.rs and test_sklearn_parity.py",
}

pytestmark = pytest.mark.filterwarnings("default")

path = Path(sklearn.neural_network.__file__).parent / "tests" / "test_mlp.py"
if not path.is_file():
    pytest.skip("scikit-learn is installed without its tests", allow_module_level=True)
source = path.read_text(encoding="utf-8")
assert source.count(IMPORT) == 1
module = types.ModuleType("test_mlp_of_scikit_learn")
changed = source.replace(IMPORT, IMPORT.replace("sklearn.neural_network", "purrceptron.sklearn"))
exec(compile(changed, str(path), "exec"), vars(module))

for name, test in vars(module).items():
    if name.startswith("test_"):
        if name in PRIVATE:
            test = pytest.mark.skip(reason=f"looks at private things: {PRIVATE[name]}")(test)
        globals()[name] = test


@pytest.fixture
def global_random_seed():
    """What scikit-learn's own configuration provides."""
    return 42


def test_the_tests_are_there_and_ours_are_tested():
    assert len([name for name in vars(module) if name.startswith("test_")]) >= 40
    assert set(vars(module)) >= set(PRIVATE)
    assert module.MLPClassifier.__module__.startswith("purrceptron.")
