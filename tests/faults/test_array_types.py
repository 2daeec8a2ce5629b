"""Arrays of every layout and type of number: kernels, Network and train take them.

The numbers in the names of sections are those of the list of faults that a release is tested with.
"""

import numpy as np
import pytest

import array_entries
import purrceptron as pc
from array_entries import COLUMNS, ROWS, WEIGHTS, Forward, Kernel, Train, Y, network, numbers
from layouts import LAYOUTS
from purrceptron import kernels

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
    assert caught[0].filename == array_entries.__file__
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
