"""Arrays that are strided, foreign or wrong: the estimators take them or say why not.

The numbers in the names of sections are those of the list of faults that a release is tested with.
Where scikit-learn's own checks ask for something else, they win.
"""

import decimal
import threading
import tracemalloc

import numpy as np
import pytest

pytest.importorskip("sklearn")
from scipy import sparse

import purrceptron as pc
from layouts import LAYOUTS, fortran
from purrceptron.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ROWS, COLUMNS = 12, 4
Y = np.tile([0, 1, 2], 4)
SOLVERS = ("adam", "sgd", "lbfgs")


def numbers(dtype="float64"):
    return np.random.default_rng(0).uniform(-4, 4, (ROWS, COLUMNS)).astype(dtype)


def make(Estimator, solver="adam", **settings):
    settings = {
        "hidden_layer_sizes": 5,
        "max_iter": 5,
        "batch_size": 5,
        "random_state": 0,
    } | settings
    return Estimator(solver=solver, **settings)


@pytest.fixture(
    params=[(E, s) for E in (MLPClassifier, MLPRegressor) for s in SOLVERS],
    ids=lambda p: f"{p[0].__name__}-{p[1]}",
)
def mlp(request):
    """Return an estimator that has not been fitted."""
    return make(*request.param)


def answers(mlp, X):
    """Return what an estimator says of the samples: weights, and predictions of a kind."""
    outputs = mlp.predict_proba(X) if isinstance(mlp, MLPClassifier) else mlp.predict(X)
    return [*mlp.coefs_, *mlp.intercepts_, outputs]


def assert_same(these, those, rtol=0.0):
    for one, other in zip(these, those, strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol)


@pytest.fixture
def refused(mlp):
    """Return a function that passes samples in vain to `fit` and `predict`, and hands out why."""

    def check(X, error=ValueError, y=Y, predict=True):
        fitted = make(type(mlp), mlp.solver).fit(numbers(), Y)
        before, state = answers(fitted, numbers()), dict(vars(fitted))
        sentences = []
        calls = [lambda: fitted.fit(X, y), lambda: make(type(mlp), mlp.solver).fit(X, y)]
        for call in [*calls, lambda: fitted.predict(X)] if predict else calls:
            with pytest.raises(error) as caught:
                call()
            sentences.append(str(caught.value))
        assert_same(before, answers(fitted, numbers()))
        assert vars(fitted).keys() == state.keys()
        return sentences[0]

    return check


# 1 to 5


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int16"])
def test_every_layout_gives_what_a_contiguous_copy_gives(mlp, layout, dtype):
    X = numbers(dtype)
    expected = answers(mlp.fit(X.copy(), Y), X)
    given = layout(X)
    untouched = given.copy()
    assert_same(expected, answers(mlp.fit(given, Y), given), rtol=1e-12)
    np.testing.assert_array_equal(given, untouched)


def test_a_broadcast_view_gives_what_its_copy_gives(mlp):
    X = np.broadcast_to(numbers()[:1], (ROWS, COLUMNS))
    assert_same(answers(mlp.fit(X.copy(), Y), X.copy()), answers(mlp.fit(X, Y), X))


# 8, 9: other types


@pytest.mark.parametrize("dtype", ["float16", "int8", "uint8", "int32", "uint64", "bool"])
def test_other_numbers_are_cast_and_never_rescaled(mlp, dtype):
    X = abs(numbers()).astype(dtype)
    assert_same(
        answers(mlp.fit(X.astype(float), Y), X.astype(float)), answers(mlp.fit(X, Y), X), 1e-12
    )
    assert mlp.coefs_[0].dtype == np.float64


def test_longdouble_is_cast_with_a_warning_at_the_line_of_the_caller(mlp):
    if np.dtype("longdouble").itemsize == 8:
        pytest.skip("longdouble is float64 here")
    with pytest.warns(UserWarning, match="X is longdouble") as caught:
        mlp.fit(numbers("longdouble"), Y)
    assert {w.filename for w in caught} == {__file__}
    assert_same(
        answers(make(type(mlp), mlp.solver).fit(numbers(), Y), numbers()), answers(mlp, numbers())
    )


def test_single_precision_stays(mlp):
    mlp.fit(numbers("float32"), Y)
    assert all(a.dtype == np.float32 for a in answers(mlp, numbers("float32")))


# 10 to 15: what is no number


def test_complex_numbers_are_refused(refused):
    assert "Complex data not supported" in refused(numbers() + 1j)


def test_objects_that_are_numbers_are_cast(mlp):
    expected = answers(mlp.fit(numbers(), Y), numbers())
    assert_same(expected, answers(mlp.fit(numbers().astype(object), Y), numbers().astype(object)))
    exact = np.vectorize(decimal.Decimal)(numbers())
    assert_same(expected, answers(mlp.fit(exact, Y), exact))


@pytest.mark.parametrize("text", ["cat", "1.5", b"1"])
def test_objects_that_are_text_are_refused(refused, text):
    X = numbers().astype(object)
    X[2, 1] = text
    assert f"{text!r} at row 2, column 1" in refused(X)


def test_objects_that_are_no_numbers_are_a_type_error(refused):
    X = numbers().astype(object)
    X[0, 0] = {"foo": "bar"}
    sentence = refused(X, TypeError)
    assert "argument must be" in sentence
    assert "string" in sentence
    assert "number" in sentence


@pytest.mark.parametrize("kind", ["U8", "S8"])
def test_numeric_strings_are_refused(refused, kind):
    assert "text" in refused(abs(numbers()).astype(kind))
    assert "text" in refused([["1", "2", "3", "4"]] * ROWS)


@pytest.mark.parametrize("kind", ["datetime64[s]", "timedelta64[s]"])
def test_dates_and_times_are_refused(refused, kind):
    assert "dates or times" in refused(abs(numbers()).astype("int64").astype(kind))


def test_masked_values_are_refused_and_unmasked_ones_are_not(refused, mlp):
    X = np.ma.masked_array(numbers(), mask=np.zeros((ROWS, COLUMNS), bool))
    assert_same(answers(mlp.fit(numbers(), Y), numbers()), answers(mlp.fit(X, Y), X))
    X.mask[3, 2] = True
    assert "masked" in refused(X)


def test_a_structured_array_is_refused(refused):
    X = np.zeros((ROWS, COLUMNS), np.dtype([("a", "f8"), ("b", "f8")]))
    assert "structured" in refused(X)


# 16: sparse


@pytest.mark.parametrize(
    "form", ["csr_matrix", "csr_array", "csc_array", "coo_matrix", "lil_array"]
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_sparse_samples_are_dense_ones(mlp, form, dtype):
    X = numbers()
    X[abs(X) < 2] = 0
    X = X.astype(dtype)
    given = getattr(sparse, form)(X)
    assert_same(answers(mlp.fit(X, Y), X), answers(mlp.fit(given, Y), given), 1e-12)
    if mlp.solver != "lbfgs":
        dense, wide = (make(type(mlp), mlp.solver, early_stopping=True) for _ in range(2))
        two = Y % 2
        rows = np.tile(X, (3, 1))
        dense.fit(rows, np.tile(two, 3))
        wide.fit(sparse.vstack([given] * 3).asformat(given.format), np.tile(two, 3))
        assert_same(answers(dense, X), answers(wide, given), 1e-12)


def test_sparse_samples_that_name_a_column_twice_or_hold_nothing(mlp):
    values = np.array([1.0, 2.0, 0.0, 3.0])
    X = sparse.csr_array((values, ([0, 0, 1, 3], [1, 1, 2, 3])), shape=(ROWS, COLUMNS))
    assert_same(answers(mlp.fit(X.toarray(), Y), X.toarray()), answers(mlp.fit(X, Y), X))


def test_sparse_samples_are_widened_a_batch_at_a_time():
    rows, columns = 3000, 20_000  # 480 MB as a dense matrix
    X = sparse.random(rows, columns, density=1e-3, format="csr", random_state=0)
    y = np.arange(rows) % 2
    peak = resident_peak()
    tracemalloc.start()
    mlp = MLPClassifier(4, max_iter=1, random_state=0, batch_size=100).fit(X, y)
    assert mlp.predict(X).shape == (rows,)
    mlp.partial_fit(X, y)
    MLPClassifier(4, max_iter=1, solver="lbfgs", random_state=0).fit(X, y)
    of_python = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert of_python < 60e6
    assert resident_peak() - peak < 240e6


def resident_peak():
    """Return the most memory that the process ever had, in bytes."""
    resource = pytest.importorskip("resource")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


# 17 to 19: not finite, or hardly


@pytest.mark.parametrize(("value", "spoken"), [(np.nan, "NaN"), (np.inf, "infinity")])
@pytest.mark.parametrize("form", [np.asarray, fortran, sparse.csr_array], ids=["C", "F", "sparse"])
def test_the_first_value_that_is_not_finite_is_named(refused, value, spoken, form):
    X = numbers()
    X[7, 1] = X[5, 3] = value
    sentence = refused(form(X))
    assert f"contains {spoken}" in sentence
    assert "row 5, column 3" in sentence


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_huge_numbers_diverge_and_leave_the_last_good_weights(solver):
    X = 1e308 * np.random.default_rng(0).uniform(size=(ROWS, COLUMNS))
    for Estimator in (MLPClassifier, MLPRegressor):
        mlp = make(Estimator, solver, warm_start=True).fit(numbers(), Y)
        weights = [W.copy() for W in mlp.coefs_]
        with pytest.raises(pc.DivergenceError, match=r"Solver produced non-finite.*epoch"):
            mlp.fit(X, Y)
        assert_same(weights, mlp.coefs_)
        assert mlp.predict(numbers()).shape == Y.shape


def test_lbfgs_on_huge_numbers_leaves_finite_weights_or_says_so():
    X = 1e308 * np.random.default_rng(0).uniform(size=(ROWS, COLUMNS))
    try:
        mlp = make(MLPRegressor, "lbfgs").fit(X, Y)
    except ValueError as error:
        assert "finite" in str(error)  # noqa: PT017
    else:
        assert all(np.isfinite(W).all() for W in mlp.coefs_)


# 20 to 26: shapes


def test_no_rows_and_no_columns_are_refused(refused):
    assert "0 sample" in refused(np.empty((0, COLUMNS)), y=[])
    assert "0 feature" in refused(np.empty((ROWS, 0)))


def test_one_row_trains_but_leaves_none_to_be_judged_by():
    for Estimator in (MLPClassifier, MLPRegressor):
        for solver in SOLVERS:
            assert make(Estimator, solver, batch_size="auto").fit([[1.0, 2.0]], [1]).predict(
                [[1, 2]]
            ).shape == (1,)
        with pytest.raises(ValueError):
            make(Estimator, early_stopping=True, batch_size="auto").fit([[1.0, 2.0]], [1])


@pytest.mark.parametrize("shape", [(ROWS,), (ROWS, 2, 2)])
def test_what_is_no_matrix_is_refused(refused, shape):
    assert "array" in refused(np.zeros(shape)).lower()


def test_labels_of_another_length_are_refused(refused):
    assert "inconsistent numbers of samples" in refused(numbers(), y=Y[:-1], predict=False)


def test_another_number_of_columns_is_refused(mlp):
    mlp.fit(numbers(), Y)
    for X in (numbers()[:, :-1], sparse.csr_array(np.hstack([numbers()] * 2))):
        with pytest.raises(ValueError, match=f"expecting {COLUMNS} features as input"):
            mlp.predict(X)
    if mlp.solver != "lbfgs":
        with pytest.raises(ValueError, match=f"expecting {COLUMNS} features as input"):
            mlp.partial_fit(numbers()[:, :-1], Y)


def test_a_network_that_no_memory_holds_is_refused(mlp):
    mlp.set_params(hidden_layer_sizes=(2**40, 2**40))
    with pytest.raises((ValueError, MemoryError)):
        mlp.fit(numbers(), Y)


# 27


def test_samples_that_change_during_a_fit_crash_nothing():
    X = np.random.default_rng(0).normal(size=(2000, 30))
    done = threading.Event()

    def scribble():
        rng = np.random.default_rng(1)
        while not done.is_set():
            X[rng.integers(0, 2000, 50)] = rng.normal(size=(50, 30))

    writer = threading.Thread(target=scribble)
    writer.start()
    try:
        mlp = MLPClassifier(20, max_iter=30, random_state=0).fit(X, np.arange(2000) % 3)
    finally:
        done.set()
        writer.join()
    assert all(np.isfinite(W).all() for W in mlp.coefs_)
