"""Cats again, with dropout and mirrored pictures: two ways to learn less by heart.

The drawings are few and the network is large, so that it knows every one of them after a while. A
mirrored cat is a cat, which doubles the pictures; and units that are left out by chance cannot
agree on the single whisker that gives a drawing away.
"""

import numpy as np

import purrceptron as pc

SHAPE = (64, 64, 3)
train, test = pc.data.drawn_cats(400, seed=1), pc.data.drawn_cats(1000, seed=2)
mirrored = train.x.reshape(-1, *SHAPE)[:, :, ::-1].reshape(train.x.shape)

for what, dropout, x, y in (
    ("as they are", 0.0, train.x, train.y),
    ("mirrored too", 0.0, np.vstack([train.x, mirrored]), np.tile(train.y, 2)),
    ("mirrored, with dropout", 0.4, np.vstack([train.x, mirrored]), np.tile(train.y, 2)),
):
    net = pc.Network([12288, 128, 32, 1], seed=1)
    steps_an_epoch = len(x) / 50
    pc.train(
        net,
        x,
        y,
        optimizer=pc.Adam(3e-4),
        epochs=round(240 / steps_an_epoch),  # the same number of steps for each
        batch_size=50,
        dropout=dropout,
        seed=1,
    )
    learned, new = (pc.evaluate(net, d.x, d.y).accuracy for d in (train, test))
    print(f"{what:24} {learned:4.0%} of the drawings that it has seen, {new:.1%} of new ones")
