"""Time the calibration of a national cycle at three sizes, and show that the numbers did not move.

    python benchmarks/bench_calibration.py [n_students ...]        prints the table; docs/algorithms/calibration_study.md
    python benchmarks/bench_calibration.py --models 6000 60000 600000 [--peer <python with girth>]
                                                                    3PL, graded, nominal, rating scale, groups

120 items in 7 clusters over 13 booklets of four clusters, 10 % of the items with three categories, one ability. Each
size runs in processes of its own: one simulates and writes a file, one reads it and calibrates. CPU seconds are those
of the process, all threads together, kernels warm; "whole process" counts start, kernels from the cache and the file.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from lsakit.irt.calibration import CalibrationOptions, calibrate
from lsakit.irt.em import expect
from lsakit.irt.models import category_probabilities
from lsakit.irt.packs import pack_responses
from lsakit.irt.response_data import read_responses

SIZES = (6_000, 60_000, 600_000)
CLUSTER_SIZES = (17, 17, 17, 17, 17, 17, 18)
BOOKLETS = [tuple((i + k) % 7 for k in (0, 1, 2, 4)) for i in range(7)]
BOOKLETS += [tuple((i + k) % 7 for k in (0, 1, 3, 5)) for i in range(6)]
CHUNK = 1024


def simulate(n_students: int, seed: int = 2026) -> tuple[pl.DataFrame, dict[str, np.ndarray]]:
    """Make responses from known items; give them with the true slopes and difficulties."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(7), CLUSTER_SIZES)
    n_items = len(cluster)
    truth = {"slope": rng.lognormal(0.1, 0.25, n_items), "difficulty": rng.normal(0.0, 1.0, n_items)}
    theta = rng.normal(size=n_students)
    takes = np.zeros((len(BOOKLETS), 7), dtype=bool)
    for place, clusters in enumerate(BOOKLETS):
        takes[place, list(clusters)] = True
    booklet = rng.integers(0, len(BOOKLETS), n_students)
    columns: dict[str, pl.Series] = {"student_id": pl.Series([f"S{i:07d}" for i in range(n_students)])}
    for item in range(n_items):
        steps = (0.6, -0.6) if item % 10 == 9 else ()
        chance = category_probabilities(
            theta, slope=truth["slope"][item], difficulty=truth["difficulty"][item], steps=steps
        )
        code = (rng.random((n_students, 1)) > np.cumsum(chance, axis=1)[:, :-1]).sum(axis=1).astype(np.int8)
        seen = pl.Series(takes[booklet, cluster[item]])
        columns[f"M{item + 1:03d}"] = pl.select(pl.when(seen).then(pl.Series(code))).to_series()
    table = pl.DataFrame(columns)
    return table.with_columns(g=pl.Series(rng.choice(list("abcdef"), n_students))), truth


def timed(work: object) -> tuple[object, float, float]:
    """Run a function; give its result with wall and CPU seconds."""
    begin, begin_cpu = time.perf_counter(), time.process_time()
    assert callable(work)
    result = work()
    return result, time.perf_counter() - begin, time.process_time() - begin_cpu


def gemm_cpu(responses: pl.DataFrame, n_nodes: int) -> float:
    """CPU seconds of an E-step with counts by 64-bit matrix products over one-hot chunks, on one thread."""
    data = read_responses(responses)
    most = data.codes.max(axis=0).astype(int)
    offset = np.concatenate([[0], np.cumsum(most + 1)])
    logs = np.log(np.full((int(offset[-1]), n_nodes), 0.5))
    counts = np.zeros_like(logs)
    one_hot = np.zeros((CHUNK, len(logs)))
    total = 0.0
    for first in range(0, len(data.codes), CHUNK):
        own = data.codes[first : first + CHUNK]
        one_hot[:] = 0.0
        row, item = np.nonzero(own >= 0)
        one_hot[row, offset[item] + own[row, item]] = 1.0
        begin = time.process_time()  # the one-hot matrix is not counted
        value = one_hot[: len(own)] @ logs
        value -= value.max(axis=1, keepdims=True)
        np.exp(value, out=value)
        value /= value.sum(axis=1, keepdims=True)
        counts += one_hot[: len(own)].T @ value
        total += time.process_time() - begin
    return total


def measure(path: Path, model: str, n_nodes: int) -> dict[str, object]:
    """Calibrate a file; give what the table shows."""
    responses, read_wall, _ = timed(lambda: pl.read_parquet(path).drop("g"))
    assert isinstance(responses, pl.DataFrame)
    plain = CalibrationOptions(standard_errors="none", n_nodes=n_nodes)
    calibrate(responses.head(2000), model=model, options=CalibrationOptions(n_nodes=n_nodes))
    cal, wall, cpu = timed(lambda: calibrate(responses, model=model, options=plain))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    _, se_wall, se_cpu = timed(
        lambda: calibrate(responses, model=model, options=CalibrationOptions(n_nodes=n_nodes))
    )
    crossed = CalibrationOptions(standard_errors="cross_product", n_nodes=n_nodes)
    _, _, cross_cpu = timed(lambda: calibrate(responses, model=model, options=crossed))
    data = read_responses(responses)
    packs = pack_responses(data.codes, cal.parameters.n_steps)
    nodes = plain.nodes
    step = min(
        timed(lambda: expect(data, packs, cal.parameters, np.zeros(1), np.ones(1), nodes))[2]
        for _ in range(3)
    )
    with threadpool_limits(1, user_api="blas"):
        gemm = gemm_cpu(responses, len(nodes))
    return {
        "n": responses.height,
        "model": model,
        "read": read_wall,
        "wall": wall,
        "cpu": cpu,
        "steps": cal.n_iterations,
        "loglik": cal.loglik,
        "se_cpu": se_cpu - cpu,
        "se_wall": se_wall - wall,
        "cross_cpu": cross_cpu - cpu,
        "memory": memory,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
        "e_step": step / responses.height * 1e6,
        "gemm": gemm / responses.height * 1e6,
    }


TWO = [f"M{j + 1:03d}" for j in range(120) if j % 10 != 9]
CASES: dict[str, dict[str, object]] = {
    "GPCM": {"model": "gpcm"},
    "PCM": {"model": "pcm"},
    "rating scale": {"model": "rsm"},
    "graded": {"model": "graded"},
    "nominal": {"model": "nominal"},
    "3PL (108 items)": {"model": "3pl", "items": TWO},
    "GPCM, six groups": {"model": "gpcm", "group": "g"},
}


def case(name: str, path: Path) -> dict[str, object]:
    """Calibrate a file by one model; give what the table shows."""
    plain, arguments = CalibrationOptions(standard_errors="none"), CASES[name]
    few = pl.read_parquet(path, n_rows=2000)
    items = arguments.get("items") or [column for column in few.columns if column.startswith("M")]
    arguments = {**arguments, "items": items}
    calibrate(few, options=plain, **arguments)  # type: ignore[arg-type]
    cal, wall, cpu = timed(lambda: calibrate(path, options=plain, **arguments))  # type: ignore[arg-type]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    _, _, with_errors = timed(lambda: calibrate(path, **arguments))  # type: ignore[arg-type]
    return {
        "steps": cal.n_iterations,
        "loglik": cal.loglik,
        "wall": wall,
        "cpu": cpu,
        "errors": with_errors - cpu,
        "peak": peak,
        "peak_errors": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
    }


def models(size: int, folder: Path, peer: str | None) -> None:
    """Time all models on the same responses, each in a process of its own, and a live peer beside them."""
    path = folder / f"{size}.parquet"
    child("--write", str(size), str(path))
    for name in CASES:
        found = json.loads(child("--case", name, str(path)))
        print(
            f"| {size:,} | {name} | {found['steps']} | {found['loglik']:.4f} | {found['wall']:.2f} | {found['cpu']:.2f} | "
            f"{found['errors']:.2f} | {found['peak']:.2f} ({found['peak_errors']:.2f}) |",
            flush=True,
        )
    if peer:
        script = Path(__file__).parent / "peers" / "girth_calibration.py"
        codes = folder / "codes.npz"
        np.savez(codes, codes=read_responses(pl.read_parquet(path).drop("g")).codes)
        subprocess.run([peer, str(script), str(codes)], check=True)
    path.unlink()


def whole_process(path: Path) -> float:
    """CPU seconds of a new process that reads the file and calibrates it."""
    script = (
        "import sys, polars as pl; from lsakit.irt.calibration import CalibrationOptions, calibrate; "
        "calibrate(pl.read_parquet(sys.argv[1]).drop('g'), options=CalibrationOptions(standard_errors='none'))"
    )
    begin = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (end.ru_utime + end.ru_stime) - (begin.ru_utime + begin.ru_stime)


def child(*words: str) -> str:
    """Run one part in a process of its own."""
    done = subprocess.run([sys.executable, __file__, *words], check=True, capture_output=True, text=True)
    return done.stdout


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int)
    parser.add_argument("--models", type=int, nargs="+")
    parser.add_argument("--case", nargs=2)
    parser.add_argument("--peer", help="a Python that has girth, run on the smallest size")
    parser.add_argument("--write", nargs=2)
    parser.add_argument("--measure", nargs=2)
    parser.add_argument("--nodes", type=int, default=41)
    parser.add_argument("--model", default="gpcm")
    given = parser.parse_args()
    if given.write:
        simulate(int(given.write[0]))[0].write_parquet(given.write[1])
        return
    if given.measure:
        calibrate(simulate(500, seed=1)[0].drop("g"))
        print(json.dumps(measure(Path(given.measure[0]), given.measure[1], given.nodes)))
        return
    if given.case:
        print(json.dumps(case(given.case[0], Path(given.case[1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        if given.models:
            print(
                "| students | model | E-steps | log-likelihood | wall s | CPU s | errors CPU s | peak GiB (with errors) |\n"
                "|---:|---|---:|---:|---:|---:|---:|---:|"
            )
            for size in given.models:
                models(size, Path(folder), given.peer if size == min(given.models) else None)
            return
        print(
            "| students | E-steps | log-likelihood | wall s | CPU s | whole process CPU s | observed errors CPU s | "
            "cross products CPU s | peak GiB (with errors) | E-step µs | by matrix products µs |\n"
            "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
        )
        for size in given.sizes or SIZES:
            path = Path(folder) / f"{size}.parquet"
            child("--write", str(size), str(path))
            found = json.loads(child("--measure", str(path), given.model, "--nodes", str(given.nodes)))
            print(
                f"| {size:,} | {found['steps']} | {found['loglik']:.4f} | {found['wall']:.2f} | {found['cpu']:.2f} | "
                f"{whole_process(path):.1f} | {found['se_cpu']:.2f} | {found['cross_cpu']:.2f} | "
                f"{found['memory']:.2f} ({found['peak']:.2f}) | {found['e_step']:.2f} | {found['gemm']:.2f} |",
                flush=True,
            )
            path.unlink()


if __name__ == "__main__":
    main()
