"""A fit with everything switched on follows its twin in NumPy, step by step."""

import numpy as np
import pytest

import purrceptron as pc
from purrceptron import schedules
from twins import optimizers as twins
from twins.generator import mask, order_of_rows
from twins.network import cost_and_gradients, layers_of

RANDOM = np.random.default_rng(6)
ROWS, SEED, EPOCHS = 29, 2**35 + 11, 5
X = RANDOM.standard_normal((ROWS, 5)) * 2 + 1
Y = RANDOM.choice(3, ROWS, p=[0.6, 0.3, 0.1])
SAMPLE_WEIGHT = RANDOM.uniform(0.2, 2, ROWS)
SIZES, DROPOUT, INPUT_DROPOUT = [5, 8, 7, 3], [0.25, 0.4], 0.1
L2, L1, SMOOTHING = 0.3, 0.05, 0.1

RATES = [
    schedules.InverseScaling(0.03),
    schedules.Step(0.03, every=2, factor=0.3),
    schedules.OneCycle(0.03, epochs=5),
    schedules.WarmUp(schedules.Cosine(0.03, epochs=4), epochs=2, start=0.1),
]
OPTIMIZERS = [
    (lambda rate: pc.SGD(rate), twins.SGD(0)),
    (lambda rate: pc.SGD(rate, momentum=0.9), twins.SGD(0, 0.9)),
    (lambda rate: pc.SGD(rate, momentum=0.9, nesterov=True), twins.SGD(0, 0.9, True)),
    (lambda rate: pc.RMSProp(rate, rho=0.8, momentum=0.5), twins.RMSProp(0, 0.8, momentum=0.5)),
    (lambda rate: pc.Adam(rate), twins.Adam(0)),
    (lambda rate: pc.AdamW(rate, weight_decay=0.2), twins.Adam(0, weight_decay=0.2)),
]
NAMES = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"]


def network(kinds, dtype="float64"):
    net = pc.Network(
        SIZES, hidden="tanh", output="softmax", dtype=dtype, seed=3, normalization=kinds
    )
    random = np.random.default_rng(1)
    net.set_parameters([(W, random.normal(size=b.shape) / 3) for W, b in net.parameters])
    return net


def fit(net, optimizer, batch_size, clip_norm, callbacks=()):
    return pc.train(
        net,
        X,
        Y,
        optimizer=optimizer,
        loss=pc.losses.CategoricalCrossEntropy(label_smoothing=SMOOTHING),
        epochs=EPOCHS,
        batch_size=batch_size,
        l2=L2,
        l1=L1,
        clip_norm=clip_norm,
        dropout=DROPOUT,
        input_dropout=INPUT_DROPOUT,
        sample_weight=SAMPLE_WEIGHT,
        class_weight="balanced",
        seed=SEED,
        callbacks=callbacks,
    )


def follow(net, rule, schedule, batch_size, clip_norm):
    """Do the same in NumPy; yield the layers and the loss after each epoch, and the norms."""
    layers = layers_of(net)
    weights = SAMPLE_WEIGHT * ROWS / 3 / np.bincount(Y)[Y]
    T = np.eye(3)[Y] * (1 - SMOOTHING) + SMOOTHING / 3
    memory = [{name: rule.fresh() for name in layer.parameters()} for layer in layers]
    widths, rates = SIZES[:-1], [INPUT_DROPOUT, *DROPOUT]
    step = 0
    for epoch in range(EPOCHS):
        order = order_of_rows(ROWS, SEED, epoch) if batch_size else list(range(ROWS))
        batches = [order[i : i + (batch_size or ROWS)] for i in range(0, ROWS, batch_size or ROWS)]
        total, norms = 0.0, []
        for i, rows in enumerate(batches):
            step += 1
            masks = [
                mask((len(rows), n), rate, seed=SEED, step=step, layer=layer, layers=len(layers))
                for layer, (n, rate) in enumerate(zip(widths, rates, strict=True))
            ]
            J, gradients = cost_and_gradients(
                layers, X[rows], T[rows], weights[rows], masks, L2, L1
            )
            total += J * weights[rows].sum()
            counted = [
                (layer, each, rules)
                for layer, each, rules in zip(layers, gradients, memory, strict=True)
            ]
            norm = np.sqrt(sum((g[name] ** 2).sum() for _, g, rules in counted for name in rules))
            norms.append(norm)
            for layer, g, rules in counted:
                for name, each in rules.items():
                    each.eta = schedule.at(epoch + i / len(batches))
                    shortened = g[name] * min(1, clip_norm / norm)
                    setattr(layer, name, each.step(getattr(layer, name), shortened))
        yield layers, total / weights.sum(), norms


def close(net, layers, **tolerance):
    for (W, b), each, layer in zip(net.parameters, [*net.normalization, None], layers, strict=True):
        np.testing.assert_allclose(W, layer.W, **tolerance)
        np.testing.assert_allclose(b, layer.b, **tolerance)
        if each is not None:
            np.testing.assert_allclose(each.gain, layer.gain, **tolerance)
            np.testing.assert_allclose(each.shift, layer.shift, **tolerance)
            if each.kind == "batch":
                np.testing.assert_allclose(each.mean, layer.mean, **tolerance)
                np.testing.assert_allclose(each.variance, layer.variance, **tolerance)


@pytest.mark.parametrize("batch_size", [None, 9])
@pytest.mark.parametrize("kinds", ["batch", "layer", ["layer", None], None], ids=str)
@pytest.mark.parametrize("case", range(len(OPTIMIZERS)), ids=NAMES)
def test_every_step_is_that_of_numpy(case, kinds, batch_size):
    (optimizer, rule), schedule = OPTIMIZERS[case], RATES[case % len(RATES)]
    clip_norm, clipped = 0.6, []
    net, seen = network(kinds), follow(network(kinds), rule, schedule, batch_size, 0.6)

    class Compare:
        def on_epoch_end(self, net, history):
            layers, loss, norms = next(seen)
            assert history.loss[-1] == pytest.approx(loss, rel=1e-11)
            close(net, layers, rtol=1e-9, atol=1e-11)
            clipped.extend(norm > clip_norm for norm in norms)

    history = fit(net, optimizer(schedule), batch_size, clip_norm, [Compare()])
    assert history.epochs == EPOCHS
    assert any(clipped)


@pytest.mark.parametrize("kinds", ["batch", "layer"])
@pytest.mark.parametrize("case", range(len(OPTIMIZERS)), ids=NAMES)
def test_float32_follows(case, kinds):
    (optimizer, rule), schedule = OPTIMIZERS[case], RATES[case % len(RATES)]
    net = network(kinds, "float32")
    history = fit(net, optimizer(schedule), 9, 0.6)
    *_, (layers, loss, _) = follow(network(kinds), rule, schedule, 9, 0.6)
    assert history.loss[-1] == pytest.approx(loss, rel=2e-5)
    close(net, layers, rtol=1e-3, atol=5e-4)
