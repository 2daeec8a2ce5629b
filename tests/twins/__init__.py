"""What the kernels are held against: the published formulas once more, in NumPy and Python."""
