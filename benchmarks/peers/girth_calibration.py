"""Times of girth 0.8 (PyPI, MIT) on responses, for benchmarks/bench_calibration.py; runs in a Python that has girth.

    python girth_calibration.py responses.npz

The file has the array ``codes`` of shape (n_students, n_items), -1 where not administered. 3PL and 2PL are run on the
items of two categories, graded on all; kernels are compiled beforehand on a few rows. Prints lines of the benchmark's
table: CPU seconds of the process, all threads together.
"""

import sys
import time
from pathlib import Path

import numpy as np


def main():
    """Run the models that girth has."""
    import girth

    with np.load(Path(sys.argv[1])) as kept:
        codes = kept["codes"].astype(int).T  # items by students
    two = codes[codes.max(axis=1) == 1]
    cases = (
        ("2PL (108 items)", two, girth.twopl_mml, [0, 1]),
        ("3PL (108 items)", two, girth.threepl_mml, [0, 1]),
        ("graded", np.where(codes >= 0, codes + 1, -1), girth.grm_mml, [1, 2, 3]),
    )
    for name, data, run, valid in cases:
        given = girth.tag_missing_data(data, valid)
        run(given[:, :400])
        begin, wall = time.process_time(), time.perf_counter()
        run(given)
        print(
            f"| {data.shape[1]:,} | {name}, girth 0.8 | | | {time.perf_counter() - wall:.2f} | "
            f"{time.process_time() - begin:.2f} | | |",
            flush=True,
        )


if __name__ == "__main__":
    main()
