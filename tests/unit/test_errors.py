"""The exceptions as users meet them: where they are, and on their way between processes."""

import pickle
import traceback

import pytest

import purrceptron as pc

ERRORS = (pc.CheckpointError, pc.DivergenceError, pc.MissingExtraError)


@pytest.mark.parametrize("error", ERRORS)
def test_a_traceback_names_what_can_be_imported(error):
    said = traceback.format_exception_only(error("so it is"))
    assert said == [f"purrceptron.{error.__name__}: so it is\n"]


@pytest.mark.parametrize("error", ERRORS)
def test_they_survive_pickling(error):
    copy = pickle.loads(pickle.dumps(error("so it is")))
    assert type(copy) is error
    assert str(copy) == "so it is"


def test_the_kernels_raise_the_same_class():
    net = pc.Network([1, 1], output="identity", seed=1)
    with pytest.raises(pc.DivergenceError) as caught:
        pc.train(net, [[1.0], [2.0]], [1.0, 3.0], optimizer=pc.SGD(1e6), epochs=100)
    assert type(caught.value) is pc.DivergenceError
    assert type(pickle.loads(pickle.dumps(caught.value))) is pc.DivergenceError
