"""The same seed gives the same bits: for any number of threads, however the epochs are run."""

import subprocess
import sys

import numpy as np
import pytest

import purrceptron as pc

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((257, 130))
Y = (X[:, 0] + X[:, 1] > 0).astype(np.int64)

OPTIMIZERS = [
    pc.SGD(0.05),
    pc.SGD(0.05, momentum=0.9, nesterov=True),
    pc.RMSProp(1e-3, momentum=0.5),
    pc.Adam(),
    pc.AdamW(),
]


@pytest.fixture
def on_1_2_and_5_threads():
    """Return a function that calls another on 1, 2 and 5 threads and fails if results differ."""
    before = pc.get_num_threads()

    def check(work):
        results = []
        for n in (1, 2, 5):
            pc.set_num_threads(n)
            assert pc.get_num_threads() == n
            results.append(bits(work()))
        assert results[0] == results[1] == results[2]
        assert len(set(results[0])) > 1  # there was something to compare

    yield check
    pc.set_num_threads(before)


def bits(values):
    """Return the bytes of each array or number in a nest of lists and tuples."""
    if isinstance(values, (list, tuple)):
        return [piece for value in values for piece in bits(value)]
    return [np.asarray(values).tobytes()]


def fit(*, dtype="float32", sizes=(130, 70, 33, 1), output="sigmoid", x=X, y=Y, **settings):
    net = pc.Network(sizes, output=output, dtype=dtype, seed=4)
    history = pc.train(net, x.astype(dtype), y, **{"epochs": 2, "seed": 4, "l2": 0.1} | settings)
    return [history.loss, net.parameters, history.val_loss]


@pytest.mark.parametrize("batch_size", [None, 100])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_on_any_number_of_threads(on_1_2_and_5_threads, dtype, optimizer, batch_size):
    on_1_2_and_5_threads(lambda: fit(dtype=dtype, optimizer=optimizer, batch_size=batch_size))


@pytest.mark.parametrize("output", ["softmax", "identity", "sigmoid"])
def test_every_kind_of_output_on_any_number_of_threads(on_1_2_and_5_threads, output):
    y = Y if output == "softmax" else np.c_[Y, Y, 1 - Y]
    on_1_2_and_5_threads(
        lambda: fit(
            sizes=(130, 40, 3),
            output=output,
            y=y,
            validation_data=(X[:60], y[:60]),
            sample_weight=np.linspace(0, 2, len(X)),
        )
    )


@pytest.mark.parametrize("batch_size", [None, 100])
@pytest.mark.parametrize("normalization", ["batch", "layer", ["layer", "batch"]], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_everything_on_any_number_of_threads(
    on_1_2_and_5_threads, dtype, normalization, batch_size
):
    rate = pc.schedules.WarmUp(pc.schedules.Cosine(3e-3, epochs=4), epochs=1)

    def work():
        net = pc.Network(
            [130, 200, 90, 3],
            hidden=["relu", "gelu"],
            output="softmax",
            dtype=dtype,
            seed=4,
            normalization=normalization,
        )
        history = pc.train(
            net,
            X.astype(dtype),
            Y + (X[:, 2] > 1),
            optimizer=pc.Adam(rate),
            loss=pc.losses.CategoricalCrossEntropy(label_smoothing=0.1),
            epochs=3,
            batch_size=batch_size,
            seed=4,
            l2=0.1,
            l1=0.05,
            clip_norm=0.5,
            dropout=[0.3, 0.2],
            input_dropout=0.1,
            sample_weight=np.linspace(0, 2, len(X)),
            class_weight="balanced",
            validation_data=(X[:60], Y[:60]),
        )
        numbers = [[each.gain, each.shift] for each in net.normalization]
        return [history.loss, history.val_loss, net.parameters, numbers, net.forward(X[:40])]

    on_1_2_and_5_threads(work)


def test_more_rows_than_a_block_on_any_number_of_threads(on_1_2_and_5_threads):
    x = np.tile(X[:, :20], (25, 1))
    y = np.tile(Y, 25)
    on_1_2_and_5_threads(lambda: fit(sizes=(20, 8, 1), x=x, y=y, optimizer=pc.Adam()))


@pytest.mark.parametrize("rows", [1, 2, 31, 257])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_answers_on_any_number_of_threads(on_1_2_and_5_threads, dtype, rows):
    net = pc.Network([130, 70, 33, 1], dtype=dtype, seed=4)
    x, y = X[:rows], Y[:rows]
    on_1_2_and_5_threads(
        lambda: [net.forward(x), net.predict(x), net.loss(x, y, l2=0.1), net.gradients(x, y)]
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kernels_on_any_number_of_threads(on_1_2_and_5_threads, dtype):
    k = pc.kernels
    a, w = X.astype(dtype), RANDOM.standard_normal((61, 130)).astype(dtype)
    z, labels = a[:, :61].copy(), (a[:, :61] > 0).astype(dtype)
    on_1_2_and_5_threads(
        lambda: [
            k.matmul(a, w.T),
            k.matmul(a.T, a),
            k.matmul(a[::2, ::-1], w.T),
            k.linear_forward(a, w, w[:, 0]),
            k.linear_backward(z, a, w),
            k.relu(a),
            k.relu_backward(a, a),
            k.sigmoid(a),
            k.sigmoid_backward(a, a),
            k.binary_cross_entropy(z, labels),
            k.binary_cross_entropy_backward(z, labels),
        ]
    )


def test_the_same_seed_twice_and_another_seed():
    settings = {"batch_size": 100, "optimizer": pc.Adam()}
    assert bits(fit(**settings)) == bits(fit(**settings))
    assert bits(fit(**settings)) != bits(fit(**settings | {"seed": 5}))
    # without mini-batches there is nothing to draw
    assert bits(fit()) == bits(fit(seed=5))


SCRIPT = """
import hashlib
import numpy as np
import purrceptron as pc

X = np.sin(np.arange(257 * 130)).reshape(257, 130)
net = pc.Network([130, 70, 33, 1], seed=4)
history = pc.train(net, X, X[:, 0] > 0, optimizer=pc.Adam(), epochs=2, batch_size=100, seed=4)
pieces = [np.array(history.loss), *(a for layer in net.parameters for a in layer)]
print(hashlib.sha256(b"".join(a.tobytes() for a in pieces)).hexdigest())
"""


def test_the_same_seed_in_another_process():
    command = [sys.executable, "-c", SCRIPT]
    answers = {subprocess.check_output(command, text=True) for _ in range(2)}
    assert len(answers) == 1


@pytest.mark.parametrize("batch_size", [None, 100])
def test_neither_callbacks_nor_validation_change_a_bit(batch_size):
    settings = {"batch_size": batch_size, "optimizer": pc.Adam(), "epochs": 12}
    plain = fit(**settings)
    watched = fit(
        **settings, callbacks=[pc.Callback()], validation_data=(X[:50].astype("float32"), Y[:50])
    )
    assert bits(plain[:2]) == bits(watched[:2])


@pytest.mark.parametrize(
    "layout",
    [
        np.asfortranarray,
        lambda x: x[::-1].copy()[::-1],
        lambda x: np.repeat(x, 2, axis=1)[:, ::2],
        lambda x: x.astype(">f4"),
    ],
    ids=["fortran", "reversed", "strided", "byte-swapped"],
)
@pytest.mark.parametrize("batch_size", [None, 100])
def test_how_the_samples_lie_in_memory_changes_no_bit(layout, batch_size):
    x = X.astype("float32")
    results = []
    for given in (x, layout(x)):
        net = pc.Network([130, 20, 1], seed=4)
        history = pc.train(net, given, Y, epochs=3, batch_size=batch_size, seed=1)
        results.append(bits([history.loss, net.parameters]))
    assert results[0] == results[1]


# How many threads there are


def test_the_number_of_threads_is_what_was_set_last():
    before = pc.get_num_threads()
    try:
        for n in (1, 3, 1024):
            pc.set_num_threads(n)
            assert pc.get_num_threads() == n
        for wrong in (0, 1025):
            with pytest.raises(ValueError, match=rf"{wrong}.*expected"):
                pc.set_num_threads(wrong)
        assert pc.get_num_threads() == 1024
    finally:
        pc.set_num_threads(before)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"PURRCEPTRON_NUM_THREADS": "3", "OMP_NUM_THREADS": "5"}, "3"),
        ({"OMP_NUM_THREADS": "5"}, "5"),
    ],
    ids=str,
)
def test_the_number_of_threads_of_the_environment(monkeypatch, variables, expected):
    for name in ("PURRCEPTRON_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    script = (
        "import purrceptron as pc; print(pc.get_num_threads()); pc.set_num_threads(2);"
        "print(pc.get_num_threads())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert ended.stdout.split() == [expected, "2"]
