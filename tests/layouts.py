"""How an array may lie in memory: each function returns equal numbers, placed oddly."""

import numpy as np


def fortran(a):
    return np.asfortranarray(a)


def strided(a):
    parent = np.full((2 * a.shape[0], 3 * a.shape[1]), 99, a.dtype)
    parent[::2, ::3] = a
    return parent[::2, ::3]


def negative_stride(a):
    return a[::-1, ::-1].copy()[::-1, ::-1]


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def byte_swapped(a):
    return a.astype(a.dtype.newbyteorder())


def unaligned(a):
    place = np.zeros(a.nbytes + 1, np.uint8)[1:].view(a.dtype).reshape(a.shape)
    place[...] = a
    return place


def field_of_records(a):
    """Return a view whose stride is no multiple of an element: one column of packed records."""
    records = np.zeros(a.shape, np.dtype([("flag", "u1"), ("value", a.dtype)]))
    records["value"] = a
    return records["value"]


LAYOUTS = [
    fortran, strided, negative_stride, read_only, byte_swapped, unaligned, field_of_records,
]  # fmt: skip
