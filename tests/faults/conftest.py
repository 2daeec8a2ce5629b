"""What takes an array: a kernel, a network that answers, a network that is trained."""

import numpy as np
import pytest

from array_entries import Forward, Kernel, Train


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
