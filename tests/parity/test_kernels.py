"""The kernels compute what NumPy computes, for arrays of every shape, type and layout.

Each is called from Python with views that hypothesis makes up: transposed, strided, reversed,
broadcast, read-only, unaligned, byte-swapped. What lies between the elements of a view is NaN, so
that a kernel that reads or writes there is found out.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purrceptron import _reference as reference
from purrceptron import kernels

EPS = {"float32": 2.0**-23, "float64": 2.0**-52}


def strided(a):
    parent = np.full([2 * n + 1 for n in a.shape], np.nan, a.dtype)
    view = parent[tuple(slice(1, None, 2) for _ in a.shape)]
    view[...] = a
    return view


def part(a):
    """Return a window in a larger array: the last axis is dense, the rows lie further apart."""
    parent = np.full([n + 3 for n in a.shape], np.nan, a.dtype)
    view = parent[tuple(slice(2, 2 + n) for n in a.shape)]
    view[...] = a
    return view


def reversed_(a):
    turn = tuple(slice(None, None, -1) for _ in a.shape)
    return np.ascontiguousarray(a[turn])[turn]


def reversed_strided(a):
    turn = (..., slice(None, None, -1))
    return strided(a[turn])[turn]


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def unaligned(a):
    place = np.zeros(a.nbytes + 1, np.uint8)[1:].view(a.dtype).reshape(a.shape)
    place[...] = a
    return place


def byte_swapped(a):
    return a.astype(a.dtype.newbyteorder())


LAYOUTS = {
    "contiguous": np.ascontiguousarray,
    "fortran": np.asfortranarray,
    "strided": strided,
    "part": part,
    "transposed part": lambda a: part(a.T).T,
    "reversed": reversed_,
    "reversed and strided": reversed_strided,
    "read-only": read_only,
    "unaligned": unaligned,
    "byte-swapped": byte_swapped,
}

layouts = st.sampled_from(sorted(LAYOUTS))
dtypes = st.sampled_from(sorted(EPS))
seeds = st.integers(0, 2**32)
# small numbers that matter to a tile, and a few that are longer than any tile or block
sizes = st.one_of(st.integers(1, 40), st.sampled_from([63, 64, 65, 127, 200, 300, 513]))


def draw(seed, *shapes, dtype):
    random = np.random.default_rng(seed)
    return [random.standard_normal(shape).astype(dtype) for shape in shapes]


def in_float64(*arrays):
    return [a.astype(np.float64) for a in arrays]


def assert_within(result, exact, scale, steps, dtype):
    """The textbook bound on a sum of so many products, whatever its order: steps · eps · scale."""
    assert result.dtype == np.dtype(dtype)
    assert result.shape == exact.shape
    assert (abs(result - exact) <= (steps + 2) * EPS[dtype] * scale).all()


@settings(deadline=None, max_examples=200)
@given(m=sizes, k=sizes, n=sizes, dtype=dtypes, layout_a=layouts, layout_b=layouts, seed=seeds)
def test_matmul(m, k, n, dtype, layout_a, layout_b, seed):
    a, b = draw(seed, (m, k), (k, n), dtype=dtype)
    given_a, given_b = LAYOUTS[layout_a](a), LAYOUTS[layout_b](b)
    result = kernels.matmul(given_a, given_b)
    a64, b64 = in_float64(a, b)
    assert_within(result, a64 @ b64, abs(a64) @ abs(b64), k, dtype)
    np.testing.assert_array_equal(given_a, a)  # the inputs are as they were
    np.testing.assert_array_equal(given_b, b)
    # the layout changes where numbers lie, and nothing else
    np.testing.assert_array_equal(result, kernels.matmul(a, b))


@settings(deadline=None, max_examples=100)
@given(
    m=sizes,
    k=sizes,
    n=sizes,
    dtype=dtypes,
    layout=st.sampled_from(
        ["contiguous", "fortran", "strided", "part", "transposed part", "reversed and strided"]
    ),
    seed=seeds,
)
def test_matmul_into_an_array_that_is_there(m, k, n, dtype, layout, seed):
    a, b = draw(seed, (m, k), (k, n), dtype=dtype)
    out = LAYOUTS[layout](np.full((m, n), np.inf, dtype))
    assert kernels.matmul(a, b, out=out) is out
    np.testing.assert_array_equal(out, kernels.matmul(a, b))
    if out.base is not None and out.base.size > out.size:  # what lies around it is untouched
        out[...] = np.nan
        assert np.isnan(out.base).all()


@pytest.mark.parametrize("dtype", EPS)
def test_a_broadcast_view_is_read_as_what_it_shows(dtype):
    row, column, b = draw(0, (1, 30), (20, 1), (30, 7), dtype=dtype)
    for view in (np.broadcast_to(row, (20, 30)), np.broadcast_to(column, (20, 30))):
        expected = kernels.matmul(view.copy(), b)
        np.testing.assert_array_equal(kernels.matmul(view, b), expected)
        np.testing.assert_array_equal(kernels.relu(view), kernels.relu(view.copy()))


@pytest.mark.parametrize("dtype", EPS)
def test_one_array_twice(dtype):
    (a,) = draw(0, (33, 50), dtype=dtype)
    np.testing.assert_array_equal(kernels.matmul(a, a.T), kernels.matmul(a, a.T.copy()))


@settings(deadline=None, max_examples=100)
@given(m=sizes, n_in=sizes, n_out=sizes, dtype=dtypes, chosen=st.tuples(*3 * [layouts]), seed=seeds)
def test_linear_forward(m, n_in, n_out, dtype, chosen, seed):
    a, w, b = draw(seed, (m, n_in), (n_out, n_in), (n_out,), dtype=dtype)
    z = kernels.linear_forward(*(LAYOUTS[x](v) for x, v in zip(chosen, (a, w, b), strict=True)))
    a, w, b = in_float64(a, w, b)
    scale = abs(a) @ abs(w).T + abs(b)
    assert_within(z, reference.linear_forward(a, w, b), scale, n_in + 1, dtype)


@settings(deadline=None, max_examples=100)
@given(m=sizes, n_in=sizes, n_out=sizes, dtype=dtypes, chosen=st.tuples(*3 * [layouts]), seed=seeds)
def test_linear_backward(m, n_in, n_out, dtype, chosen, seed):
    dz, a, w = draw(seed, (m, n_out), (m, n_in), (n_out, n_in), dtype=dtype)
    da, dw, db = kernels.linear_backward(
        *(LAYOUTS[x](v) for x, v in zip(chosen, (dz, a, w), strict=True))
    )
    dz, a, w = in_float64(dz, a, w)
    expected_dw, expected_db = reference.linear_backward(dz, a)
    expected_da = reference.linear_backward_input(dz, w)
    assert_within(da, expected_da, abs(dz) @ abs(w), n_out, dtype)
    assert_within(dw, expected_dw, abs(dz).T @ abs(a) / m, m + 2, dtype)
    assert_within(db, expected_db, abs(dz).sum(axis=0) / m, m + 2, dtype)


shapes = st.lists(st.integers(1, 20), min_size=1, max_size=4).map(tuple)


@settings(deadline=None, max_examples=100)
@given(shape=shapes, dtype=dtypes, chosen=st.tuples(layouts, layouts), seed=seeds)
def test_activations(shape, dtype, chosen, seed):
    z, da = draw(seed, shape, shape, dtype=dtype)
    z *= 5
    z.flat[0] = 0
    given_z, given_da = (LAYOUTS[x](v) for x, v in zip(chosen, (z, da), strict=True))
    np.testing.assert_array_equal(kernels.relu(given_z), reference.relu(z))
    np.testing.assert_array_equal(
        kernels.relu_backward(given_da, given_z), reference.relu_backward(da, z)
    )
    exact = reference.sigmoid(z.astype(np.float64))
    a = kernels.sigmoid(given_z)
    assert a.dtype == np.dtype(dtype)
    np.testing.assert_allclose(a, exact, rtol=4 * EPS[dtype], atol=0)
    # near 1, a·(1 - a) is taken from an a that is rounded: an absolute error of eps
    np.testing.assert_allclose(
        kernels.sigmoid_backward(given_da, given_z),
        da * exact * (1 - exact),
        rtol=8 * EPS[dtype],
        atol=8 * EPS[dtype] * abs(da).max(),
    )


ELEMENTWISE = {
    "exp": np.exp,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "softplus": lambda z: np.logaddexp(0, z),
    "relu": lambda z: np.maximum(z, 0),
    "sigmoid": reference.sigmoid,
}


@settings(deadline=None, max_examples=200)
@given(
    name=st.sampled_from(sorted(ELEMENTWISE)),
    shape=shapes,
    dtype=dtypes,
    layout=layouts,
    seed=seeds,
)
def test_element_wise_kernels(name, shape, dtype, layout, seed):
    (z,) = draw(seed, shape, dtype=dtype)
    z = abs(z) if name == "log1p" else 5 * z
    given_z = LAYOUTS[layout](z)
    result = getattr(kernels, name)(given_z)
    exact = ELEMENTWISE[name](z.astype(np.float64))
    assert result.dtype == np.dtype(dtype)
    np.testing.assert_allclose(result, exact, rtol=6 * EPS[dtype], atol=0)
    np.testing.assert_array_equal(given_z, z)
    np.testing.assert_array_equal(result, getattr(kernels, name)(z))


@settings(deadline=None, max_examples=100)
@given(shape=shapes, dtype=dtypes, layout=layouts, seed=seeds)
def test_softmax_and_logsumexp(shape, dtype, layout, seed):
    (z,) = draw(seed, shape, dtype=dtype)
    z *= 5
    given_z, exact = LAYOUTS[layout](z), z.astype(np.float64)
    top = exact.max(axis=-1, keepdims=True)
    terms = np.exp(exact - top)
    total = terms.sum(axis=-1, keepdims=True)
    a, y = kernels.softmax(given_z), kernels.logsumexp(given_z)
    assert a.dtype == y.dtype == np.dtype(dtype)
    np.testing.assert_allclose(a, terms / total, rtol=40 * EPS[dtype], atol=0)
    expected = (top + np.log(total))[..., 0]
    np.testing.assert_allclose(y, expected, rtol=6 * EPS[dtype], atol=6 * EPS[dtype])
    np.testing.assert_array_equal(a, kernels.softmax(z))
    np.testing.assert_array_equal(y, kernels.logsumexp(z))


@pytest.mark.parametrize("dtype", EPS)
def test_whole_arrays_on_several_threads(dtype):
    # more than one task, the last one short, and as many threads as there are
    (z,) = draw(0, (101, 1013), dtype=dtype)
    for name, exact in ELEMENTWISE.items():
        given_z = abs(z) if name == "log1p" else z
        np.testing.assert_allclose(
            getattr(kernels, name)(given_z), exact(given_z.astype(np.float64)), rtol=6 * EPS[dtype]
        )
    rows = [kernels.softmax(row) for row in z]
    np.testing.assert_array_equal(kernels.softmax(z), rows)
    z[99, 1000] = np.inf
    for name in (*ELEMENTWISE, "softmax", "logsumexp"):
        with pytest.raises(ValueError, match=r"^z holds .* at row 99, column 1000;"):
            getattr(kernels, name)(abs(z))


@pytest.mark.parametrize("dtype", EPS)
def test_sigmoid_at_both_ends(dtype):
    largest = np.finfo(dtype).max
    z = np.array([-largest, -1000, -0.0, 0.0, 1000, largest], dtype)
    np.testing.assert_array_equal(kernels.sigmoid(z), np.array([0, 0, 0.5, 0.5, 1, 1], dtype))
    # where exp(z) is small the digits are kept, not lost against 1
    z = np.array([-30, -60, -80], dtype)
    t = np.exp(z.astype(np.float64))
    np.testing.assert_allclose(kernels.sigmoid(z), t / (1 + t), rtol=4 * EPS[dtype])


@settings(deadline=None, max_examples=100)
@given(
    m=st.integers(1, 300),
    k=st.one_of(st.none(), st.integers(1, 5)),
    dtype=dtypes,
    chosen=st.tuples(layouts, layouts),
    seed=seeds,
)
def test_binary_cross_entropy(m, k, dtype, chosen, seed):
    shape = (m,) if k is None else (m, k)
    (logits,) = draw(seed, shape, dtype=dtype)
    logits *= 30
    y = np.random.default_rng(seed).integers(0, 2, shape).astype(dtype)
    given_logits, given_y = (LAYOUTS[x](v) for x, v in zip(chosen, (logits, y), strict=True))
    exact, labels = in_float64(logits, y)
    expected = reference.cross_entropy(exact, labels) * (k or 1)  # summed over the outputs
    cost = kernels.binary_cross_entropy(given_logits, given_y)
    assert isinstance(cost, float)
    assert cost == pytest.approx(expected, rel=max(1e-12, 20 * EPS[dtype]), abs=4 * EPS[dtype])
    dz = kernels.binary_cross_entropy_backward(given_logits, given_y)
    assert dz.dtype == np.dtype(dtype)
    np.testing.assert_allclose(
        dz, reference.output_error(exact, labels), rtol=4 * EPS[dtype], atol=2 * EPS[dtype]
    )


def test_binary_cross_entropy_where_the_sigmoid_is_0_or_1():
    logits, y = np.array([1e4, -1e4, 1e4, -1e4]), np.array([1.0, 0.0, 0.0, 1.0])
    assert kernels.binary_cross_entropy(logits, y) == 5000.0
    dz = kernels.binary_cross_entropy_backward(logits, y)
    np.testing.assert_array_equal(dz, [0, 0, 1, -1])


@pytest.mark.parametrize("kind", ["float16", "int8", "uint8", "int64", "bool"])
@pytest.mark.parametrize("dtype", EPS)
def test_other_numbers_take_the_type_of_the_floats_beside_them(kind, dtype):
    a = np.arange(6).reshape(2, 3).astype(kind)
    (b,) = draw(0, (3, 4), dtype=dtype)
    result = kernels.matmul(a, b)
    assert result.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(result, kernels.matmul(a.astype(dtype), b))


def test_integers_alone_become_float64():
    result = kernels.matmul([[1, 2]], [[3], [4]])
    assert result.dtype == np.float64
    assert result == 11


def test_longdouble_is_cast_with_a_warning():
    a = np.ones((2, 2), np.longdouble)
    if a.dtype.itemsize == 8:
        pytest.skip("longdouble is float64 on this platform")
    with pytest.warns(UserWarning, match="longdouble"):
        assert kernels.relu(a).dtype == np.float64


def test_mixed_floats_are_refused_by_name():
    a, b = np.ones((2, 2), np.float32), np.ones((2, 2), np.float64)
    with pytest.raises(TypeError, match=r"a is float32.*b is float64"):
        kernels.matmul(a, b)
    with pytest.raises(TypeError, match=r"da is float64.*z is float32"):
        kernels.relu_backward(b, a)


def test_complex_numbers_are_refused():
    with pytest.raises(ValueError, match="Complex data not supported"):
        kernels.matmul(np.ones((2, 2), complex), np.ones((2, 2)))
