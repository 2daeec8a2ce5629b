"""Arrays that hold something else than finite numbers: kernels, Network and train say so.

The numbers in the names of sections are those of the list of faults that a release is tested with.
"""

import decimal
import re

import numpy as np
import pytest

import purrceptron as pc
from array_entries import COLUMNS, ROWS, numbers
from layouts import fortran, negative_stride
from purrceptron import kernels

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
