"""Arrays that are strided, foreign or wrong: kernels, Network and train take them or say why not.

The numbers in the names of sections are those of the list of faults that a release is tested with.
"""

import decimal
import re
import threading

import numpy as np
import pytest

import purrceptron as pc
from purrceptron import kernels

ROWS, COLUMNS = 6, 4
Y = np.array([0, 1, 1, 0, 1, 0])
WEIGHTS = np.linspace(-1, 1, 3 * COLUMNS).reshape(3, COLUMNS)


def network(dtype="float64"):
    return pc.Network([COLUMNS, 5, 1], dtype=dtype, seed=3)


class Kernel:
    """A kernel that takes a matrix: ``x @ w.T``."""

    name = "a"

    def __call__(self, x):
        return kernels.matmul(x, WEIGHTS.T)

    def state(self):
        return []


class Forward:
    name = "X"

    def __init__(self):
        self.net = network()

    def __call__(self, x):
        return self.net.forward(x)

    def state(self):
        return [a for layer in self.net.parameters for a in layer]


class Train(Forward):
    def __call__(self, x):
        history = pc.train(self.net, x, Y, epochs=3, batch_size=4, seed=1)
        return np.array([*history.loss, *(a.sum() for a in self.state())])


@pytest.fixture(params=[Kernel, Forward, Train], ids=["kernels", "Network", "train"])
def entry(request):
    """Return what takes the array, made anew."""
    return request.param()


@pytest.fixture
def refused(entry):
    """Return a function that passes an array in vain and hands out the sentence that came back."""

    def check(x, error=ValueError):
        before = entry.state()
        with pytest.raises(error) as caught:
            entry(x)
        sentence = str(caught.value)
        assert entry.name in sentence.replace(",", " ").replace(":", " ").replace(".", " ").split()
        assert "\n" not in sentence
        for old, new in zip(before, entry.state(), strict=True):
            np.testing.assert_array_equal(new, old)
        return sentence

    return check


def numbers(dtype="float64"):
    return np.random.default_rng(0).uniform(-4, 4, (ROWS, COLUMNS)).astype(dtype)


def fortran(a):
    return np.asfortranarray(a)


def strided(a):
    parent = np.full((2 * a.shape[0], 3 * a.shape[1]), 99, a.dtype)
    parent[::2, ::3] = a
    return parent[::2, ::3]


def negative_stride(a):
    return a[::-1, ::-1].copy()[::-1, ::-1]


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def byte_swapped(a):
    return a.astype(a.dtype.newbyteorder())


def unaligned(a):
    place = np.zeros(a.nbytes + 1, np.uint8)[1:].view(a.dtype).reshape(a.shape)
    place[...] = a
    return place


def field_of_records(a):
    """Return a view whose stride is no multiple of an element: one column of packed records."""
    records = np.zeros(a.shape, np.dtype([("flag", "u1"), ("value", a.dtype)]))
    records["value"] = a
    return records["value"]


LAYOUTS = [
    fortran, strided, negative_stride, read_only, byte_swapped, unaligned, field_of_records,
]  # fmt: skip


# 1 to 4, 6, 7


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", "uint16"])
def test_every_layout_gives_what_a_contiguous_copy_gives(entry, layout, dtype):
    x = numbers().astype(dtype)
    given = layout(x)
    if isinstance(entry, Kernel) and dtype == "float32":
        expected = kernels.matmul(x, WEIGHTS.T.astype(np.float32))
        result = kernels.matmul(given, WEIGHTS.T.astype(np.float32))
    else:
        expected, result = type(entry)()(x), entry(given)
    np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(given, x)


# 5


@pytest.mark.parametrize("axis", [0, 1])
def test_a_broadcast_view_gives_what_its_copy_gives(entry, axis):
    x = numbers()
    view = np.broadcast_to(x[:1] if axis == 0 else x[:, :1], x.shape)
    assert 0 in view.strides
    expected = type(entry)()(view.copy())
    np.testing.assert_array_equal(entry(view), expected)
    np.testing.assert_array_equal(x, numbers())


# 8


@pytest.mark.parametrize("dtype", ["bool", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "float16"])
def test_other_numbers_are_cast(entry, dtype):
    x = abs(numbers()).astype(dtype)
    np.testing.assert_array_equal(entry(x), type(entry)()(x.astype(np.float64)))


@pytest.mark.parametrize("kind", [Forward, Train])
def test_bytes_are_scaled_by_the_network(kind):
    x = np.arange(ROWS * COLUMNS, dtype=np.uint8).reshape(ROWS, COLUMNS) * 10
    np.testing.assert_array_equal(kind()(x), kind()(x.astype(np.float64) * (1 / 255)))


def test_bytes_are_numbers_like_any_other_to_kernels():
    x = np.arange(ROWS * COLUMNS, dtype=np.uint8).reshape(ROWS, COLUMNS)
    np.testing.assert_allclose(Kernel()(x), x @ WEIGHTS.T, rtol=1e-13)


@pytest.mark.skipif(np.dtype("g").itemsize == 8, reason="longdouble is float64 on this platform")
def test_longdouble_is_cast_with_a_warning_at_the_line_of_the_caller(entry):
    x = numbers().astype(np.longdouble)
    with pytest.warns(UserWarning, match=rf"^{entry.name} is longdouble.* float64$") as caught:
        result = entry(x)
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(result, type(entry)()(numbers()))


# 9


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("given", ["float16", "float32", "float64", "int64"])
def test_a_network_answers_in_its_own_type(given, dtype):
    net = network(dtype)
    assert net.forward(numbers().astype(given)).dtype == np.dtype(dtype)
    pc.train(net, numbers().astype(given), Y, epochs=1)
    assert all(a.dtype == np.dtype(dtype) for layer in net.parameters for a in layer)


def test_kernels_refuse_mixed_floats_and_name_both():
    a, b = np.ones((2, 2), np.float32), np.ones((2, 2))
    for call, names in [
        (lambda: kernels.matmul(a, b), "a b"),
        (lambda: kernels.linear_forward(a, a, b[0]), "a w b"),
        (lambda: kernels.linear_backward(a, b, a), "dz a w"),
        (lambda: kernels.relu_backward(a, b), "da z"),
        (lambda: kernels.sigmoid_backward(b, a), "da z"),
        (lambda: kernels.binary_cross_entropy(a, b), "logits y"),
        (lambda: kernels.binary_cross_entropy_backward(a, b), "logits y"),
    ]:
        with pytest.raises(TypeError, match=r"float32.*float64|float64.*float32") as caught:
            call()
        assert all(f"{name} is float" in str(caught.value) for name in names.split())


def test_kernels_convert_what_is_no_float_to_the_floats_beside_it():
    floats, objects = np.ones((2, 2), np.float32), np.ones((2, 2), object)
    assert kernels.matmul(floats, objects).dtype == np.float32
    assert kernels.matmul(objects, objects).dtype == np.float64
    assert kernels.relu(np.ones(2, np.float16)).dtype == np.float32


# 10


def test_complex_numbers_are_refused(refused):
    assert refused(numbers() + 1j).startswith("Complex data not supported: ")
    objects = numbers().astype(object)
    objects[2, 1] = 1 + 2j
    assert refused(objects).endswith("holds (1+2j) at row 2, column 1")


# 11


def test_objects_that_are_numbers_are_cast(entry):
    x = numbers()
    objects = x.astype(object)
    objects[0, 0] = decimal.Decimal(float(x[0, 0]))
    objects[1] = [float(value) for value in x[1]]
    np.testing.assert_array_equal(entry(objects), type(entry)()(x))
    np.testing.assert_array_equal(type(entry)()(x.tolist()), type(entry)()(x))


@pytest.mark.parametrize("text", ["cat", b"cat", "1.5"])
def test_objects_that_are_text_are_refused(refused, text):
    x = numbers().astype(object)
    x[3, 2] = text
    assert refused(x).endswith(f"holds {text!r} at row 3, column 2, expected numbers")


def test_none_is_refused(refused):
    x = numbers().astype(object)
    x[3, 2] = None
    assert refused(x).endswith("holds None at row 3, column 2, expected numbers")
    assert refused(None).endswith("is None, expected an array of numbers")


@pytest.mark.parametrize("thing", [{}, [1.0], object], ids=["dict", "list", "class"])
def test_objects_that_are_no_numbers_are_a_type_error(refused, thing):
    x = numbers().astype(object)
    x[3, 2] = thing
    sentence = refused(x, TypeError)
    assert " at row 3, column 2: " in sentence
    assert re.search(r"argument must be .*string.* number", sentence)


def test_an_integer_that_no_float_can_hold_is_refused(refused):
    x = numbers().astype(object)
    x[0, 1] = 10**400
    assert refused(x).endswith("at row 0, column 1, too large for float64")


def test_rows_of_several_lengths_are_refused(refused):
    assert refused([[1.0, 2.0, 3.0, 4.0], [1.0]]).endswith("its rows differ in length")


@pytest.mark.parametrize("thing", [{"a": 1}, {1, 2}, "cat", iter([1])], ids=lambda t: str(type(t)))
def test_what_is_no_array_is_refused(refused, thing):
    assert refused(thing).endswith("expected an array of numbers")


# 12, 13


@pytest.mark.parametrize("dtype", ["U", "S", np.dtypes.StringDType()], ids=str)
def test_numeric_strings_are_refused(refused, dtype):
    text = np.full((ROWS, COLUMNS), "1.5").astype(dtype)
    assert "holds text" in refused(text)


@pytest.mark.parametrize("dtype", ["M8[s]", "m8[D]"])
def test_dates_and_times_are_refused(refused, dtype):
    assert "dates or times" in refused(np.zeros((ROWS, COLUMNS), dtype))


# 14, 15


def test_masked_values_are_refused(refused):
    x = np.ma.masked_greater(numbers(), 0)
    assert "masked values" in refused(x)


def test_a_masked_array_that_masks_nothing_is_an_array(entry):
    np.testing.assert_array_equal(
        entry(np.ma.masked_array(numbers(), mask=False)), type(entry)()(numbers())
    )


def test_a_structured_array_is_refused(refused):
    assert "structured" in refused(np.zeros((ROWS, COLUMNS), [("pixel", "f8")]))


# 16


@pytest.mark.parametrize("form", ["csr_matrix", "csr_array", "csc_array", "coo_array"])
def test_a_sparse_matrix_is_refused_with_the_way_out(entry, refused, form):
    sparse = pytest.importorskip("scipy.sparse")
    assert refused(getattr(sparse, form)(numbers())).endswith(f"pass {entry.name}.toarray()")


# 17, 18


@pytest.mark.parametrize(("value", "spoken"), [(np.nan, "NaN"), (np.inf, "inf"), (-np.inf, "-inf")])
@pytest.mark.parametrize("layout", [np.ascontiguousarray, fortran, negative_stride])
def test_the_first_value_that_is_not_finite_is_named(refused, layout, value, spoken):
    x = numbers()
    x[2, 3] = value
    x[4, 0] = np.nan
    sentence = refused(layout(x))
    assert sentence.endswith(f" holds {spoken} at row 2, column 3; only finite numbers can be used")


@pytest.mark.parametrize("at", range(70))
def test_what_is_not_finite_is_found_wherever_it_stands(at):
    # a vector register ends somewhere
    x = np.zeros((1, 70), np.float32)
    x[0, at] = np.inf
    for kernel in (kernels.relu, kernels.tanh, kernels.softmax, kernels.logsumexp):
        with pytest.raises(ValueError, match=rf"^z holds inf at row 0, column {at};"):
            kernel(x)
    with pytest.raises(ValueError, match=rf"^a holds inf at row 0, column {at};"):
        kernels.matmul(x, np.ones((70, 3), np.float32))
    with pytest.raises(ValueError, match=rf"^X holds inf at row 0, column {at};"):
        pc.Network([70, 1], seed=0).predict(x)


def test_half_precision_infinity_is_refused(refused):
    assert " holds inf at row 0, column 0" in refused(np.full((ROWS, COLUMNS), np.inf, np.float16))


# 19


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch_size", [None, 2])
def test_huge_numbers_diverge_and_leave_the_last_good_weights(dtype, batch_size):
    net = network(dtype)
    pc.train(net, numbers(), Y, epochs=5)
    before = net.parameters
    huge = np.full((ROWS, COLUMNS), 1e308)
    with pytest.raises(pc.DivergenceError, match=r"^training diverged in epoch 1: ") as caught:
        pc.train(net, huge, Y, epochs=5, batch_size=batch_size)
    assert isinstance(caught.value, FloatingPointError)
    assert isinstance(caught.value, ValueError)
    for old, new in zip(before, net.parameters, strict=True):
        np.testing.assert_array_equal(new[0], old[0])
        np.testing.assert_array_equal(new[1], old[1])
    assert pc.train(net, numbers(), Y, epochs=5).epochs == 5  # it goes on


def test_divergence_names_the_epoch_and_keeps_the_weights_before_it():
    x = numbers()
    y = x[:, :1]
    net = pc.Network([COLUMNS, 1], output="identity", dtype="float64", seed=0)
    seen = []

    class Record:
        def on_epoch_end(self, net, history):
            seen.append(net.parameters)

    with pytest.raises(pc.DivergenceError) as caught:
        pc.train(net, x, y, optimizer=pc.SGD(learning_rate=1e9), epochs=1000, callbacks=[Record()])
    assert f"in epoch {len(seen) + 1}:" in str(caught.value)
    assert len(seen) > 3
    np.testing.assert_array_equal(net.parameters[0][0], seen[-1][0][0])
    assert np.isfinite(net.parameters[0][0]).all()
    # many epochs a call, as without a callback: still finite, still the network of some epoch
    net = pc.Network([COLUMNS, 1], output="identity", dtype="float64", seed=0)
    with pytest.raises(pc.DivergenceError, match=f"in epoch {len(seen) + 1}:"):
        pc.train(net, x, y, optimizer=pc.SGD(learning_rate=1e9), epochs=1000)
    kept = net.parameters[0][0].tobytes()
    assert kept in [parameters[0][0].tobytes() for parameters in seen]


def test_kernels_overflow_to_infinity_like_numpy():
    huge = np.full((2, 2), 1e308)
    assert np.isinf(kernels.matmul(huge, huge)).all()


# 20, 21


def test_no_rows_are_refused(refused):
    sentence = refused(np.zeros((0, COLUMNS)))
    assert "no rows" in sentence or "at least one row" in sentence
    assert "(0, 4)" in sentence


def test_no_columns_are_refused(refused):
    sentence = refused(np.zeros((ROWS, 0)))
    assert "no columns" in sentence or "one column" in sentence
    assert "(6, 0)" in sentence


# 22


def test_one_row_trains():
    net = network()
    history = pc.train(net, numbers()[:1], Y[:1], epochs=20)
    assert history.epochs == 20
    assert history.loss[-1] < history.loss[0]


# 23


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4), ()], ids=str)
def test_what_is_no_matrix_is_refused(refused, shape):
    assert "expected a matrix" in refused(np.ones(shape))


def test_the_way_to_a_matrix_is_told():
    net = network()
    with pytest.raises(ValueError, match=r"X\.reshape\(1, -1\)$"):
        net.predict(numbers()[0])
    with pytest.raises(ValueError, match=r"X\.reshape\(len\(X\), -1\) lays each example out"):
        net.predict(np.ones((2, 2, 2)))


# 24, 25


@pytest.mark.parametrize("rows", [1, 5, 7])
@pytest.mark.parametrize("call", [pc.train, pc.Network.loss, pc.Network.gradients])
def test_labels_of_another_length_are_refused(call, rows):
    came = "1 row" if rows == 1 else f"{rows} rows"
    with pytest.raises(ValueError, match=f"^X has 6 rows, but y has {came}$"):
        call(network(), numbers(), np.resize(Y, rows))


def test_arrays_of_other_lengths_are_refused_by_kernels():
    for call in (
        lambda: kernels.matmul(np.ones((2, 3)), np.ones((2, 3))),
        lambda: kernels.linear_forward(np.ones((2, 3)), np.ones((4, 3)), np.ones(3)),
        lambda: kernels.linear_backward(np.ones((2, 4)), np.ones((3, 3)), np.ones((4, 3))),
        lambda: kernels.relu_backward(np.ones(3), np.ones(4)),
        lambda: kernels.binary_cross_entropy(np.ones(3), np.ones(4)),
        lambda: kernels.binary_cross_entropy_backward(np.ones(3), np.ones(4)),
    ):
        with pytest.raises(ValueError, match=r"^(a|b|w|z|y) has shape \(.+\), expected "):
            call()


@pytest.mark.parametrize("columns", [1, 3, 5])
def test_another_number_of_columns_is_refused(columns):
    net = network()
    pc.train(net, numbers(), Y, epochs=1)
    came = "1 column" if columns == 1 else f"{columns} columns"
    for call in (net.forward, net.predict, net.predict_proba):
        with pytest.raises(ValueError, match=f"^X has {came}, but the network takes 4 inputs$"):
            call(np.ones((2, columns)))


# 26


@pytest.mark.parametrize(
    "sizes", [[2**40, 2**40, 1], [2**62, 2], [3, 2**63], [2**32, 2**32]], ids=str
)
def test_a_network_whose_weights_overflow_is_refused(sizes):
    with pytest.raises(ValueError, match=r"^layer_sizes is \[.*no memory holds so many"):
        pc.Network(sizes)


def test_a_network_that_memory_cannot_hold_is_a_memory_error():
    with pytest.raises(MemoryError, match=r"^not enough memory for \d+ bytes of parameters$"):
        pc.Network([2**27, 2**27, 1])


def test_a_product_that_overflows_is_refused():
    one = np.broadcast_to(np.float64(1), (2**40, 1))
    with pytest.raises(ValueError, match="too big"):
        kernels.matmul(one, one.T)
    with pytest.raises(ValueError, match="too big"):
        kernels.linear_forward(one, one, one[:, 0])
    with pytest.raises(MemoryError):
        kernels.matmul(one[: 2**28], one[: 2**20].T)


# 27


@pytest.mark.parametrize("batch_size", [None, 32])
@pytest.mark.parametrize("kind", ["float32", "float32 with NaN", "uint8", "int64"])
def test_samples_that_change_during_a_fit_crash_nothing(kind, batch_size):
    random = np.random.default_rng(0)
    x = random.integers(2, 256, (300, 40)).astype(kind.split()[0])
    y = random.integers(0, 2, 300)
    others = [random.permutation(x), np.full_like(x, 3)]
    if "NaN" in kind:
        others[0][5, 5] = np.nan
    turns, done = 0, threading.Event()

    def change():
        nonlocal turns
        while not done.is_set():
            x[...] = others[turns % 2]
            turns += 1

    class UntilChangedOften:
        def on_epoch_end(self, net, history):
            return turns > 20

    net = pc.Network([40, 8, 1], seed=0)
    thread = threading.Thread(target=change)
    thread.start()
    try:
        pc.train(
            net,
            x,
            y,
            optimizer=pc.SGD(1e-6),
            epochs=10**9,
            batch_size=batch_size,
            callbacks=[UntilChangedOften()],
        )
        assert turns > 20
    except ValueError as error:  # DivergenceError is one too
        expected = "X holds NaN at row 5|training diverged" if "NaN" in kind else "nothing"
        if not re.match(expected, str(error)):
            raise
    finally:
        done.set()
        thread.join()
    assert all(np.isfinite(a).all() for layer in net.parameters for a in layer)
    assert pc.train(net, np.ones(x.shape), y, epochs=2).epochs == 2
