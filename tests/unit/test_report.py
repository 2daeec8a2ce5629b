"""The report is whole, escaped and true; its figures and its CSV keep every number."""

from __future__ import annotations

import base64
import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")
image_module = pytest.importorskip("PIL.Image")

from purrceptron._app.figures import cost_curve, png_uri  # noqa: E402
from purrceptron._app.output import history_csv  # noqa: E402
from purrceptron._app.report import (  # noqa: E402
    MOST_WRONG_TEST,
    MOST_WRONG_TRAINING,
    Run,
    duration,
    percent,
    render,
    sure,
)
from purrceptron._evaluate import evaluate  # noqa: E402
from purrceptron.data import Dataset, Split  # noqa: E402

VOID = {"meta", "link", "img", "br"}


class Page(HTMLParser):
    """The elements of a page, its text, and whether its tags close in order."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text, self.open, self.rows = [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if self.open and self.open[-1] in ("th", "td"):
            self.rows[-1].append(data.strip())

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]

    @property
    def words(self):
        return " ".join("".join(self.text).split())


class Answers:
    """A network that gives fixed answers to data that it has seen before."""

    layer_sizes = (12, 3, 1)
    output = "sigmoid"
    hidden = ("relu",)

    def __init__(self, *pairs):
        self.pairs = pairs

    def predict_proba(self, X):
        return next(answers for x, answers in self.pairs if x is X)


def make_run(m=6, wrong=(1, 4), classes=("non-cat", "cat"), shape=(2, 2, 3), **changes):
    """Build a run on m examples a half, of which the network labels some wrong."""
    rng = np.random.default_rng(0)
    halves, pairs = [], []
    for _ in range(2):
        x = rng.integers(0, 256, (m, 12), dtype=np.uint8)
        y = (np.arange(m) % len(classes)).astype(np.int64)
        called = y.copy()
        called[list(wrong)] = (y[list(wrong)] + 1) % len(classes)
        certainty = np.linspace(0.6, 0.9, m)
        if len(classes) == 2:
            answers = np.where(called == 1, certainty, 1 - certainty)[:, None]
        else:
            answers = np.full((m, len(classes)), 0.1)
            answers[np.arange(m), called] = certainty
        halves.append(Dataset(x, y, classes, shape, changes.get("source", "a test"), False))
        pairs.append((x, answers))
    net = Answers(*pairs)
    if len(classes) > 2:
        net.output, net.layer_sizes = "softmax", (12, 3, len(classes))
    train, test = halves
    return Run(
        net=net,
        history=SimpleNamespace(
            loss=[0.7, 0.5, 0.25],
            val_loss=[],
            val_accuracy=[],
            seconds=1.25,
            first_layer=changes.get("first_layer", "direct, since nothing was gained"),
        ),
        split=Split(train, test),
        training=evaluate(net, train.x, train.y),
        test=evaluate(net, test.x, test.y),
        settings={"learning rate": "0.0075"},
        versions={"purrceptron": "1.2.3"},
        command=changes.get("command", "purrceptron train"),
        model=changes.get("model", "runs/cats/model.safetensors"),
    )


def test_holds_all_that_it_shows_and_runs_nothing():
    html = render(make_run())
    page = Page(html)
    assert not page.all("script")
    links = [attrs.get(key) for _, attrs in page.elements for key in ("src", "href")]
    assert all(link.startswith("data:") for link in links if link)
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", html))
    assert "@import" not in html
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)
    policies = [m["content"] for m in page.all("meta") if "http-equiv" in m]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


def test_ids_are_used_once():
    ids = [attrs["id"] for _, attrs in Page(render(make_run())).elements if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_says_what_matters():
    page = Page(render(make_run()))
    words = page.words
    assert "Cat or non-cat?" in words
    assert "12 → 3 → 1 units learned from 6 pictures in 1.2 s" in words
    assert "gets 4 right" in words
    assert "direct, since nothing was gained" in words
    assert ["learning rate", "0.0075"] in page.rows
    assert "from 0.7 to 0.25 over 3 epochs" in words
    assert "purrceptron 1.2.3" in words
    assert "drawings" not in words


def test_says_that_drawings_are_drawings():
    run = make_run()
    drawn = Split(replace(run.split.train, drawn=True), replace(run.split.test, drawn=True))
    words = Page(render(replace(run, split=drawn))).words
    assert "drawings that a program made, not photos" in words
    assert "purrceptron train catvnoncat" in words


def test_scores_and_confusion_are_those_of_the_evaluation():
    run = make_run(m=7, wrong=(1, 3, 4))
    rows = Page(render(run)).rows
    assert run.test.confusion.tolist() == [[3, 1], [2, 1]]
    assert rows.count(["is non-cat", "3", "1"]) == 2
    assert rows.count(["is cat", "2", "1"]) == 2
    scores = {row[0]: row[1:] for row in rows if row}
    assert scores["Accuracy"] == ["57.1%", "57.1%"]
    assert scores["Precision"] == ["50.0%", "50.0%"]
    assert scores["Recall"] == ["33.3%", "33.3%"]
    assert scores["F1"] == ["40.0%", "40.0%"]


def test_mistakes_come_surest_first_with_what_was_thought():
    run = make_run(m=6, wrong=(1, 4))
    page = Page(render(run))
    shown = [img for img in page.all("img") if "called" in img["alt"]]
    assert [img["alt"] for img in shown] == [
        "test picture 4, non-cat, which the network called cat",
        "test picture 1, cat, which the network called non-cat",
        "training picture 4, non-cat, which the network called cat",
        "training picture 1, cat, which the network called non-cat",
    ]
    assert "called cat 84% is non-cat no. 4" in page.words
    pixels = image_module.open(io.BytesIO(base64.b64decode(shown[0]["src"].partition(",")[2])))
    np.testing.assert_array_equal(np.asarray(pixels), run.split.test.images[4])


def test_long_galleries_are_cut_and_say_so():
    page = Page(render(make_run(m=200, wrong=range(100))))
    shown = [img["alt"] for img in page.all("img") if "called" in img["alt"]]
    assert len(shown) == MOST_WRONG_TEST + MOST_WRONG_TRAINING
    assert f"{100 - MOST_WRONG_TEST} more are not shown" in page.words
    assert f"{100 - MOST_WRONG_TRAINING} more are not shown" in page.words


def test_every_picture_has_a_text():
    assert all(img.get("alt") for img in Page(render(make_run())).all("img"))


def test_no_mistakes_is_said_too():
    words = Page(render(make_run(wrong=()))).words
    assert "None of the 6 test pictures." in words
    assert "it gets all right" in words
    assert "100%" in words


def test_rows_that_are_no_pictures_are_listed():
    page = Page(render(make_run(shape=None)))
    assert page.all("img") == []
    assert ["4", "non-cat", "cat", "84%"] in page.rows
    assert "6 rows" in page.words


@pytest.mark.parametrize(
    ("number", "question"), [(3, "A, b or c?"), (4, "A, b, c or d?"), (6, "Which of 6?")]
)
def test_more_classes(number, question):
    page = Page(render(make_run(m=12, classes=tuple("abcdef"[:number]))))
    assert question in page.words
    heads = [f"called {name}" for name in "abcdef"[:number]]
    assert sum(row[-number:] == heads for row in page.rows) == 2
    assert "the mean over classes" in page.words


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>'\"&{{7*7}}"


def test_hostile_names_are_only_text():
    run = make_run(
        classes=(HOSTILE, HOSTILE + "2"),
        source=HOSTILE,
        first_layer=HOSTILE,
        command=HOSTILE,
        model=HOSTILE,
    )
    run = replace(run, settings={HOSTILE: HOSTILE}, versions={"purrceptron": HOSTILE})
    page = Page(render(run))
    assert not page.all("script")
    assert all(img["src"].startswith("data:image/png;base64,") for img in page.all("img"))
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)
    assert page.words.count(HOSTILE) >= 8
    assert any(HOSTILE in img["alt"] for img in page.all("img"))


def test_python_snippet_names_the_model_as_it_is():
    words = Page(render(make_run(model="it's \\ here/model.safetensors"))).words
    assert 'net = pc.load("it\'s \\\\ here/model.safetensors")' in words


def points(svg):
    """Return the longest path of a figure as (n, 2) coordinates."""
    paths = [path.get("d") for path in ElementTree.fromstring(svg).iter("path")]
    longest = max(paths, key=len)
    return np.array(re.findall(r"[ML] ([-\d.]+) ([-\d.]+)", longest), dtype=float)


def test_cost_curve_follows_the_costs():
    loss = 1 / np.arange(1, 101)
    x, y = points(cost_curve(loss)).T
    np.testing.assert_allclose(np.diff(x), np.diff(x).mean(), atol=0.02)
    np.testing.assert_allclose((y - y[-1]) / (y[0] - y[-1]), (loss - loss[-1]) / 0.99, atol=2e-4)


def test_cost_curve_of_a_long_run_keeps_spikes_and_stays_small():
    loss = np.linspace(1, 0.1, 200_000)
    loss[123_457] = 3.0
    svg = cost_curve(loss)
    x, y = points(svg).T
    assert len(svg) < 100_000
    peak = y.argmin()
    np.testing.assert_allclose((x[peak] - x[0]) / (x[-1] - x[0]), 123_457 / 199_999, atol=1e-3)


def test_cost_curve_takes_the_colours_of_the_page():
    svg = cost_curve([0.7, 0.3], [0.8, 0.5])
    assert "var(--accent)" in svg
    assert "var(--second)" in svg
    assert not re.search(r"#[0-9a-f]{6}", svg)
    texts = [text.text for text in ElementTree.fromstring(svg).iter("text")]
    assert {"epoch", "training", "validation"} <= set(texts)


@pytest.mark.parametrize("loss", [[0.7], [0.0, 0.0], [-3.0, -4.0], [1e-12, 1e12]])
def test_cost_curve_of_odd_runs(loss):
    ElementTree.fromstring(cost_curve(loss))


@pytest.mark.parametrize("shape", [(4, 5, 3), (4, 5)])
def test_png_keeps_every_pixel(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    kind, _, content = png_uri(image).partition(",")
    assert kind == "data:image/png;base64"
    back = image_module.open(io.BytesIO(base64.b64decode(content)))
    np.testing.assert_array_equal(np.asarray(back), image)


def test_history_csv_keeps_every_digit():
    history = SimpleNamespace(loss=[0.1, np.float32(1 / 3)], val_loss=[2 / 3, 1e-300])
    history.val_accuracy = []
    rows = list(csv.DictReader(io.StringIO(history_csv(history))))
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert [float(row["loss"]) for row in rows] == [float(loss) for loss in history.loss]
    assert [float(row["val_loss"]) for row in rows] == history.val_loss
    assert "val_accuracy" not in rows[0]


def test_durations():
    said = [duration(s) for s in (0.00052, 0.25, 0.9999, 1.3, 59.97, 75, 7260)]
    assert said == ["0.52 ms", "250 ms", "1.0 s", "1.3 s", "1 min 0 s", "1 min 15 s", "2 h 1 min"]


def test_shares_are_all_only_if_all():
    assert [percent(s) for s in (0.0, 1e-6, 0.5, 0.92, 1 - 1e-9, 1.0)] == [
        "0%",
        "0.1%",
        "50.0%",
        "92.0%",
        "99.9%",
        "100%",
    ]
    assert [sure(p) for p in (0.5, 0.973, 0.9999, 1.0)] == ["50%", "97%", "99%", "99%"]
