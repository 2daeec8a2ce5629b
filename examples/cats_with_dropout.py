"""Cats again, with mirrored pictures and dropout: two ways to learn less by heart.

The drawings are few, and a network of this size soon knows every one of them. A mirrored cat is a
cat, which doubles the pictures; and units that are left out by chance cannot agree on the single
whisker that gives a drawing away. Here the mirror does most of it, and dropout a little more.
"""

import numpy as np

import purrceptron as pc

train, held_out, test = (pc.data.drawn_cats(m, seed=s) for m, s in ((400, 1), (300, 3), (1000, 2)))


def centred(pixels):
    """Return bytes as numbers around 0, from which training is quicker."""
    return (pixels.astype(np.float32) - 128) / 64


mirrored = train.x.reshape(-1, 64, 64, 3)[:, :, ::-1].reshape(train.x.shape)
both, labels = np.vstack([train.x, mirrored]), np.tile(train.y, 2)

for what, x, y, dropout in (
    ("as they are", train.x, train.y, 0.0),
    ("mirrored too", both, labels, 0.0),
    ("mirrored, with dropout", both, labels, 0.5),
):
    net = pc.Network([12288, 64, 1], seed=1)
    pc.train(
        net,
        centred(x),
        y,
        optimizer=pc.Adam(1e-4),
        epochs=round(500 * 50 / len(x)),  # about as many steps for each
        batch_size=50,
        dropout=dropout,
        validation_data=(centred(held_out.x), held_out.y),
        callbacks=[pc.EarlyStopping("val_loss", patience=10)],
        seed=1,
    )
    learned, new = (pc.evaluate(net, centred(d.x), d.y).accuracy for d in (train, test))
    print(f"{what:24} {learned:4.0%} of the drawings it has seen, {new:.1%} of new ones")
