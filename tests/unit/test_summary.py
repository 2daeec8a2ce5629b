"""What a network says of itself, in words and in HTML."""

from html.parser import HTMLParser

import purrceptron as pc


def test_a_table_of_the_layers():
    net = pc.Network(
        [784, 128, 30, 10],
        hidden=["relu", "gelu"],
        output="softmax",
        dtype="float64",
        normalization=["batch", None],
    )
    assert net.summary().splitlines() == [
        "layer  units  activation  normalization  weights  biases",
        "1        128  relu        batch          100,352     128",
        "2         30  gelu                         3,840      30",
        "3         10  softmax                        300      10",
        "784 inputs, 104,916 parameters in float64: 0.839 MB",
    ]


def test_the_sum_is_that_of_the_parameters():
    for sizes, kind in ([(3, 1), None], [(5, 4, 4, 2), None], [(5, 4, 4, 2), "layer"]):
        net = pc.Network(sizes, normalization=kind)
        count = sum(W.size + b.size for W, b in net.parameters)
        count += sum(each.gain.size + each.shift.size for each in net.normalization if each)
        assert f", {count} parameters in float32: " in net.summary()


class Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.rows, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag == "br":
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] in ("td", "th"):
            self.rows[-1].append(data)


def test_notebooks_show_the_same_table():
    net = pc.Network([4, 3, 1], seed=1)
    net.class_names = ("<no>", "yes & more")
    html = net._repr_html_()
    cells = Cells()
    cells.feed(html)
    assert not cells.open
    assert cells.rows == [line.split() for line in net.summary().splitlines()[:-1]]
    assert "&lt;no&gt;, yes &amp; more" in html
    assert "<no>" not in html
