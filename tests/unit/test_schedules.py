"""Learning-rate schedules: by hand, step by step in a fit, and against PyTorch's."""

import math

import numpy as np
import pytest

import purrceptron as pc
from purrceptron import schedules

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((30, 40))
Y = RANDOM.integers(0, 2, 30)

EACH = [
    schedules.Constant(0.1),
    schedules.InverseScaling(0.1, power=0.5, rate=2.0),
    schedules.Step(0.1, every=3, factor=0.3),
    schedules.Exponential(0.1, factor=0.8),
    schedules.Cosine(0.1, epochs=10, last=0.05),
    schedules.OneCycle(0.1, epochs=10, rise=0.4),
    schedules.WarmUp(0.1, epochs=4),
    schedules.WarmUp(schedules.Cosine(0.1, epochs=6), epochs=4, start=0.25),
]
OF_EACH = pytest.mark.parametrize("schedule", EACH, ids=repr)


def by_hand(schedule, t):
    """Return the learning rate of the time `t`, from the formula."""
    eta = schedule.learning_rate
    match schedule:
        case schedules.InverseScaling():
            return eta / (1 + schedule.rate * math.floor(t)) ** schedule.power
        case schedules.Step():
            return eta * schedule.factor ** math.floor(t / schedule.every)
        case schedules.Exponential():
            return eta * schedule.factor**t
        case schedules.Cosine():
            share = (1 + math.cos(math.pi * min(t / schedule.epochs, 1))) / 2
            return eta * (schedule.last + (1 - schedule.last) * share)
        case schedules.OneCycle():
            top = schedule.rise * schedule.epochs
            x = t / top if t < top else 1 - min((t - top) / (schedule.epochs - top), 1)
            low = schedule.start if t < top else schedule.last
            return eta * (low + (1 - low) * (1 - math.cos(math.pi * x)) / 2)
        case schedules.WarmUp():
            if t < schedule.epochs:
                share = schedule.start + (1 - schedule.start) * t / schedule.epochs
                return share * by_hand(schedule.then, 0)
            return by_hand(schedule.then, t - schedule.epochs)
        case _:
            return eta


@OF_EACH
def test_the_formula(schedule):
    for t in (0, 0.5, 1, 2.75, 3, 4, 7.2, 10, 25):
        assert schedule.at(t) == pytest.approx(by_hand(schedule, t), rel=1e-13, abs=1e-16)


def network(dtype="float64"):
    return pc.Network([40, 6, 1], hidden="tanh", dtype=dtype, seed=1)


class Record:
    def __init__(self):
        self.seen = []

    def on_epoch_end(self, net, history):
        self.seen.append([a for layer in net.parameters for a in layer])


@pytest.mark.parametrize("first_layer", ["direct", "gram"])
@OF_EACH
def test_each_step_has_its_learning_rate(schedule, first_layer):
    record, twin = Record(), network()
    pc.train(
        network(),
        X,
        Y,
        optimizer=pc.SGD(schedule),
        epochs=14,
        first_layer=first_layer,
        callbacks=[record],
        l2=0.1,
    )
    for t, seen in enumerate(record.seen):
        eta = by_hand(schedule, t)
        pairs = zip(twin.parameters, twin.gradients(X, Y, l2=0.1), strict=True)
        twin.set_parameters([(W - eta * dW, b - eta * db) for (W, b), (dW, db) in pairs])
        expected = [a for layer in twin.parameters for a in layer]
        for a, b in zip(seen, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@OF_EACH
def test_batches_move_the_time_on_within_an_epoch(schedule):
    net = pc.Network([1, 1], output="identity", init="zeros", dtype="float64")
    # However far the bias moves, the derivative of the absolute error by it is -1.
    pc.train(
        net,
        np.zeros((12, 1)),
        np.full(12, 1e6),
        loss="absolute_error",
        optimizer=pc.SGD(schedule),
        batch_size=5,
        epochs=3,
    )
    times = [epoch + batch / 3 for epoch in range(3) for batch in range(3)]
    assert net.parameters[0][1][0] == pytest.approx(sum(by_hand(schedule, t) for t in times))


@pytest.mark.parametrize("first_layer", ["direct", "gram"])
@pytest.mark.parametrize("batch_size", [None, 8])
@pytest.mark.parametrize(
    "schedule", [*EACH, schedules.Adaptive(0.5, patience=0, min_delta=0.02)], ids=repr
)
def test_a_run_that_is_continued_has_the_same_bits(schedule, batch_size, first_layer):
    settings = {
        "optimizer": pc.SGD(schedule, momentum=0.9),
        "batch_size": batch_size,
        "first_layer": first_layer,
    }
    whole, halves = network(), network()
    history = pc.train(whole, X, Y, epochs=8, seed=3, **settings)
    first = pc.train(halves, X, Y, epochs=3, seed=3, **settings)
    second = pc.train(halves, X, Y, epochs=5, resume=first.state, **settings)
    assert first.loss + second.loss == history.loss
    for a, b in zip(whole.parameters, halves.parameters, strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])


@pytest.mark.parametrize("steps", [1, 4])
def test_pytorch_has_the_same_learning_rates(steps):
    torch = pytest.importorskip("torch")
    lr = torch.optim.lr_scheduler
    total = 10 * steps
    cases = [
        (schedules.Cosine(0.1, epochs=10, last=0.05), 1,
         lambda o: lr.CosineAnnealingLR(o, total, eta_min=0.005)),
        # PyTorch's cycle ends in its last step, ours when the last step is done.
        (schedules.OneCycle(0.1, epochs=10, rise=0.4), 1,
         lambda o: lr.OneCycleLR(
             o, 0.1, total_steps=total + 1, pct_start=(0.4 * total + 1) / (total + 1),
             cycle_momentum=False)),
        (schedules.WarmUp(0.1, epochs=4, start=0.2), 1,
         lambda o: lr.LinearLR(o, 0.2, total_iters=4 * steps)),
        (schedules.WarmUp(schedules.Cosine(0.1, epochs=6), epochs=4, start=0.2), 1,
         lambda o: lr.SequentialLR(
             o,
             [lr.LinearLR(o, 0.2, total_iters=4 * steps), lr.CosineAnnealingLR(o, 6 * steps)],
             milestones=[4 * steps])),
        # These PyTorch's users move on once an epoch.
        (schedules.Step(0.1, every=3, factor=0.3), steps, lambda o: lr.StepLR(o, 3, gamma=0.3)),
        (schedules.Exponential(0.1, factor=0.8), None, lambda o: lr.ExponentialLR(o, 0.8)),
    ]  # fmt: skip
    for schedule, every, make in cases:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        theirs = make(optimizer)
        for step in range(total):
            if every is not None or step % steps == 0:
                expected = optimizer.param_groups[0]["lr"]
                assert schedule.at(step / steps) == pytest.approx(expected, rel=1e-9), schedule
            optimizer.step()
            if (step + 1) % (every or steps) == 0:
                theirs.step()


def test_adaptive_waits_for_progress_as_scikit_learn_does():
    def rates(losses, eta, patience, tol):
        """Return the learning rate of each epoch: `_update_no_improvement_count`, told again."""
        best, count, seen = math.inf, 0, []
        for loss in losses:
            seen.append(eta)
            count = count + 1 if loss > best - tol else 0
            best = min(best, loss)
            if count > patience:
                eta, count = eta / 5, 0
        return seen

    schedule = schedules.Adaptive(2.0, patience=1, min_delta=0.01, least=0.0)
    net = network()
    history = pc.train(net, X, Y, optimizer=pc.SGD(schedule), epochs=60)
    expected = rates(history.loss, 2.0, 1, 0.01)
    assert len(set(expected)) > 3
    twin, losses = network(), []
    state = None
    for eta in expected:
        one = pc.train(twin, X, Y, optimizer=pc.SGD(eta), epochs=1, resume=state)
        losses, state = losses + one.loss, one.state
    np.testing.assert_allclose(history.loss, losses, rtol=1e-12)
    assert history.state.pace[0] == pytest.approx(rates([*history.loss, 0], 2.0, 1, 0.01)[-1])


def test_adaptive_ends_the_fit_when_it_can_not_be_cut():
    schedule = schedules.Adaptive(1e-3, factor=0.1, patience=2, min_delta=10.0, least=1e-5)
    history = pc.train(network(), X, Y, optimizer=pc.SGD(schedule), epochs=100)
    # The first epoch is progress; three without it make a cut, to 1e-4, to 1e-5, to no more.
    assert history.epochs == 1 + 3 * 3


def test_adaptive_may_watch_the_validation_data():
    schedule = schedules.Adaptive(0.5, patience=0, monitor="val_accuracy", least=0.1)
    net = network()
    with pytest.raises(ValueError, match=r"^Adaptive watches 'val_accuracy', which wants valida"):
        pc.train(net, X, Y, optimizer=pc.SGD(schedule), epochs=5)
    history = pc.train(net, X, Y, optimizer=pc.SGD(schedule), epochs=50, validation_data=(X, Y))
    assert history.epochs < 50


def test_a_schedule_is_an_immutable_setting_that_is_remembered():
    schedule = schedules.WarmUp(schedules.Cosine(0.1, epochs=6), epochs=4)
    assert schedule == schedules.WarmUp(schedules.Cosine(0.1, epochs=6), epochs=4)
    assert len({schedule, schedules.Constant(0.1)}) == 2
    with pytest.raises(AttributeError):
        schedule.epochs = 5
    net = network()
    pc.train(net, X, Y, optimizer=pc.Adam(schedule), epochs=1)
    assert net.training["learning_rate"] == 0.1
    assert net.training["schedule"] == {
        "name": "warm_up",
        "epochs": 4,
        "start": 0.1,
        "then": {"name": "cosine", "epochs": 6, "last": 0.0},
    }


@pytest.mark.parametrize(
    ("schedule", "sentence"),
    [
        (schedules.Constant(0), "learning_rate is 0, expected a finite number above 0"),
        (schedules.Cosine("fast", 3), "learning_rate is 'fast', expected a number"),
        (schedules.Cosine(0.1, epochs=0), "epochs is 0, expected a finite number above 0"),
        (schedules.Cosine(0.1, epochs="3"), "epochs is '3', expected a number"),
        (schedules.Cosine(0.1, epochs=3, last=2), "last is 2, expected a number from 0 to 1"),
        (schedules.Step(0.1, every=-1), "every is -1, expected a finite number above 0"),
        (schedules.Exponential(0.1, factor=0), "factor is 0, expected a finite number above 0"),
        (schedules.InverseScaling(0.1, power=-1), "power is -1, expected a finite number from 0"),
        (schedules.OneCycle(0.1, 9, rise=1), "rise is 1, expected a number above 0 and below 1"),
        (schedules.OneCycle(0.1, 9, start=0), "start is 0, expected a number above 0, up to 1"),
        (schedules.WarmUp(0.1, epochs=math.nan), "epochs is NaN, expected a finite number above"),
        (schedules.Adaptive(0.1, factor=1), "factor is 1, expected a number between 0 and 1"),
        (schedules.Adaptive(0.1, patience=-1), "patience is -1, expected an integer from 0 on"),
        (schedules.Adaptive(0.1, monitor="f1"), "monitor is 'f1', expected one of: 'loss', 'val_"),
    ],
    ids=repr,
)
def test_settings_out_of_range_are_refused_when_a_fit_begins(schedule, sentence):
    net = network()
    with pytest.raises(ValueError) as caught:
        pc.train(net, X, Y, optimizer=pc.SGD(schedule), epochs=1)
    assert str(caught.value).startswith(sentence)
    assert pc.train(net, X, Y, epochs=1).epochs == 1


def test_what_makes_no_warm_up():
    with pytest.raises(ValueError, match=r"^then is Adaptive, which cannot follow a warm-up"):
        schedules.WarmUp(schedules.Adaptive(0.1), epochs=3)
    with pytest.raises(ValueError, match=r"^then is 'slow', expected a number$"):
        schedules.WarmUp("slow", epochs=3)
