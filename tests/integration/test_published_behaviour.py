"""What the course and its readers published about these photos, reproduced.

Andrew Ng's course prints the cost of every hundredth iteration for three networks on these
photos, from NumPy's old generator at seed 1, and readers' notebooks show the same digits. The
accuracies stand there as 99.04 and 70 %, 100 and 72 %, 98.56 and 80 %.
"""

from dataclasses import dataclass
from statistics import median

import numpy as np
import pytest

import purrceptron as pc
from purrceptron import _reference as reference

pytestmark = pytest.mark.photos


@dataclass(frozen=True)
class Published:
    """One network of the course: how it starts, and what was printed."""

    layers: tuple[int, ...]
    learning_rate: float
    iterations: int
    costs: tuple[float, ...]  # of iterations 0, 100, 200, ...
    digits: float  # half a unit of the last digit printed
    right: tuple[int, int]  # of 209 training photos and 50 test photos

    def start(self):
        """Return the parameters that the course's own code draws."""
        random = np.random.RandomState(1)
        pairs = list(zip(self.layers[:-1], self.layers[1:], strict=True))
        if len(pairs) == 1:  # logistic regression starts from zeros
            return [(np.zeros((1, self.layers[0])), np.zeros(1))]
        scale = {2: lambda n: 0.01}.get(len(pairs), lambda n: 1 / np.sqrt(n))
        return [(random.randn(out, n) * scale(n), np.zeros(out)) for n, out in pairs]


LOGISTIC = Published(
    layers=(12288, 1),
    learning_rate=0.005,
    iterations=2000,
    costs=(
        0.693147, 0.584508, 0.466949, 0.376007, 0.331463, 0.303273, 0.279880,
        0.260042, 0.242941, 0.228004, 0.214820, 0.203078, 0.192544, 0.183033,
        0.174399, 0.166521, 0.159305, 0.152667, 0.146542, 0.140872,
    ),
    digits=5e-7,
    right=(207, 35),
)  # fmt: skip

TWO_LAYERS = Published(
    layers=(12288, 7, 1),
    learning_rate=0.0075,
    iterations=2500,
    costs=(
        0.693049735659989, 0.6464320953428849, 0.6325140647912678, 0.6015024920354665,
        0.5601966311605748, 0.5158304772764729, 0.4754901313943325, 0.43391631512257495,
        0.4007977536203887, 0.3580705011323798, 0.3394281538366413, 0.30527536361962654,
        0.2749137728213016, 0.2468176821061484, 0.19850735037466102, 0.17448318112556657,
        0.1708076297809689, 0.11306524562164715, 0.09629426845937152, 0.08342617959726863,
        0.07439078704319081, 0.0663074813226793, 0.0591932950103817, 0.05336140348560554,
        0.04855478562877016,
    ),
    digits=1e-12,  # another BLAS adds in another order, and 2500 iterations enlarge it
    right=(209, 36),
)  # fmt: skip

FOUR_LAYERS = Published(
    layers=(12288, 20, 7, 5, 1),
    learning_rate=0.0075,
    iterations=2500,
    costs=(
        0.771749, 0.672053, 0.648263, 0.611507, 0.567047, 0.540138, 0.527930, 0.465477,
        0.369126, 0.391747, 0.315187, 0.272700, 0.237419, 0.199601, 0.189263, 0.161189,
        0.148214, 0.137775, 0.129740, 0.121225, 0.113821, 0.107839, 0.102855, 0.100897,
        0.092878,
    ),
    digits=5e-7,
    right=(206, 40),
)  # fmt: skip

EVERY = pytest.mark.parametrize(
    "published", [LOGISTIC, TWO_LAYERS, FOUR_LAYERS], ids=["logistic", "two-layer", "four-layer"]
)


def right(predicted, y):
    return int((predicted == y).sum())


@EVERY
def test_the_numpy_network_prints_the_courses_first_costs(published, photos):
    _, costs = reference.train(
        photos.X / 255, photos.y, published.start(), published.learning_rate, iterations=301
    )
    np.testing.assert_allclose(costs[::100], published.costs[:4], rtol=0, atol=published.digits)


@EVERY
def test_its_gram_form_prints_all_of_them_and_ends_as_right(published, photos):
    parameters, costs = reference.train_gram(
        photos.X / 255, photos.y, published.start(), published.learning_rate, published.iterations
    )
    np.testing.assert_allclose(costs[::100], published.costs, rtol=0, atol=published.digits)
    assert published.right == (
        right(reference.predict(photos.X / 255, parameters), photos.y),
        right(reference.predict(photos.X_test / 255, parameters), photos.y_test),
    )


@EVERY
def test_our_training_does_so_too(published, photos):
    net = pc.Network(list(published.layers), dtype="float64", init="zeros")
    net.set_parameters(published.start())
    history = pc.train(
        net,
        photos.X,
        photos.y,
        optimizer=pc.SGD(learning_rate=published.learning_rate),
        epochs=published.iterations,
        first_layer="direct",
    )
    np.testing.assert_allclose(history.loss[::100], published.costs, rtol=0, atol=published.digits)
    assert published.right == (
        right(net.predict(photos.X), photos.y),
        right(net.predict(photos.X_test), photos.y_test),
    )


def accuracies(seeds, photos, net_of, fit):
    """Return the shares of photos that are right, training and test, one of each a seed."""
    ends = [fit(net_of(seed)) for seed in seeds]
    train = [right(predict(photos.X), photos.y) / 209 for predict in ends]
    test = [right(predict(photos.X_test), photos.y_test) / 50 for predict in ends]
    return train, test


def series_network(seed):
    return pc.Network([12288, 20, 7, 5, 1], seed=seed)


def fit_ours(photos):
    def fit(net):
        pc.train(net, photos.X, photos.y, first_layer="direct")  # the defaults are the series'
        return net.predict

    return fit


def fit_reference(photos):
    def fit(net):
        begin = [(W.astype(np.float64), b.astype(np.float64)) for W, b in net.parameters]
        end, _ = reference.train_gram(photos.X / 255, photos.y, begin, 0.0075, iterations=2500)
        return lambda X: reference.predict(X / 255, end)

    return fit


def test_a_few_seeds_learn_the_photos(photos):
    train, test = accuracies(range(3), photos, series_network, fit_ours(photos))
    assert sum(share >= 0.97 for share in train) >= 2, train
    assert median(test) >= 0.6, test


@pytest.mark.slow
def test_24_seeds_learn_the_photos_as_the_numpy_network_does(photos):
    for fit in (fit_ours(photos), fit_reference(photos)):
        train, test = accuracies(range(24), photos, series_network, fit)
        assert sum(share >= 0.97 for share in train) >= 20, train
        assert median(test) >= 0.7, test
