"""Side by side: every implementation on every workload, interleaved, each in a fresh process; ratios against `torch`.

    python compare.py --python ours=PY --python torch=PY [--python ours:jit=PY --python keras2=PY …]
                      [--device cuda] [--rounds 2] [--markdown FILE] [--json FILE] [WORKLOAD ...]

PY is the interpreter of the environment that has that implementation; `ours:jit` compiles with jit_compile=True.
Milliseconds per step of fit, evaluate and predict are medians; a ratio divides by the hand-written PyTorch loop.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from typing import Any

from workloads import WORKLOADS

HERE = os.path.dirname(os.path.abspath(__file__))
METRICS = ("fit_ms", "evaluate_ms", "predict_ms")
Row = dict[str, Any]


def run(impl: str, python: str, workload: str, device: str) -> Row:
    """Time one implementation on one workload in a process of its own."""
    name, _, variant = impl.partition(":")
    command = [python, os.path.join(HERE, "one.py"), name, workload, "--device", device]
    if variant == "jit":
        command += ["--compile-args", '{"jit_compile": true}']
    env = dict(os.environ, **({"KERAS_BACKEND": variant} if name == "keras3" else {}))
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode:
        row: Row = {"error": (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]}
    else:
        row = json.loads(done.stdout.strip().splitlines()[-1])
    return {**row, "impl": impl, "workload": workload}


def measured(impls: dict[str, str], workload: str, rounds: int, device: str) -> list[Row]:
    """Return a row for each round and implementation, interleaved so that a busy machine is shared fairly."""
    return [
        {**run(impl, python, workload, device), "round": r} for r in range(rounds) for impl, python in impls.items()
    ]


def median(rows: Sequence[Row], impl: str, metric: str) -> float | None:
    """Return the median of a metric, None where the implementation failed."""
    mine = [row for row in rows if row["impl"] == impl]
    return None if not mine or any("error" in row for row in mine) else statistics.median(r[metric] for r in mine)


def cell(rows: Sequence[Row], impl: str, metric: str) -> str:
    """Return `.86 ms` for the torch loop and `.86 ms, 1.20×` for the others."""
    value, base = median(rows, impl, metric), median(rows, "torch", metric)
    if value is None:
        return "fails"
    digits = 3 if value < 1 else 2 if value < 100 else 0
    ratio = f", {value / base:.2f}×" if base and impl != "torch" else ""
    return f"{value:.{digits}f} ms{ratio}"


def show(rows: Sequence[Row], workload: str, impls: Sequence[str]) -> None:
    """Print the lines of one workload."""
    for metric in METRICS:
        cells = " | ".join(f"{impl} {cell(rows, impl, metric)}" for impl in impls)
        print(f"{workload:14s} {metric:11s} {cells}", flush=True)
    for row in rows:
        if "error" in row:
            print(f"{workload:14s} error       {row['impl']}: {row['error'][:300]}", flush=True)
            break


def overheads(rows: Sequence[Row], impls: Sequence[str]) -> list[str]:
    """Return import seconds, first-epoch seconds and peak memory of each implementation, medians over all workloads."""
    lines = []
    for impl in impls:
        mine = [row for row in rows if row["impl"] == impl and "error" not in row]
        if mine:
            values = [statistics.median(r[k] for r in mine) for k in ("import_s", "first_epoch_s", "peak_mb")]
            lines.append("| {} | {:.2f} | {:.2f} | {:.0f} |".format(impl, *values))
    return lines


def versions(python: str) -> str:
    """Return what an interpreter runs: Python, torch, and the device's name."""
    code = (
        "import sys, torch\n"
        "gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else 'no CUDA device'\n"
        "print('Python', sys.version.split()[0] + ', torch', torch.__version__ + ',', torch.get_num_threads(), "
        "'threads,', gpu)"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True)
    return done.stdout.strip() or "an interpreter without torch"


def processor() -> str:
    """Return the processor's name and number of cores."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            names = [line.split(":")[1].strip() for line in info if line.startswith("model name")]
    except OSError:
        names = []
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def markdown(rows: Sequence[Row], impls: dict[str, str], device: str) -> str:
    """Return the table, with the date, the machine and the versions it was measured on."""
    python = impls.get("ours") or next(iter(impls.values()))
    lines = [
        f"{datetime.date.today()}, {processor()}, {versions(python)}; device {device}.",
        "",
        "| workload | per step of | " + " | ".join(impls) + " |",
        "|---|---|" + "---|" * len(impls),
    ]
    for workload in dict.fromkeys(row["workload"] for row in rows):
        mine = [row for row in rows if row["workload"] == workload]
        for metric in METRICS:
            cells = " | ".join(cell(mine, impl, metric) for impl in impls)
            lines.append(f"| {workload} | {metric.removesuffix('_ms')} | {cells} |")
    lines += ["", "| | import, s | first epoch, s | peak memory, MB |", "|---|---|---|---|", *overheads(rows, [*impls])]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, print, write; the exit status is the number of workloads on which something failed."""
    parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
    parser.add_argument("--python", action="append", required=True, metavar="IMPL=PY")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--markdown", metavar="FILE")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    a = parser.parse_args()
    impls = dict(item.split("=", 1) for item in a.python)
    rows: list[Row] = []
    for workload in a.workloads or WORKLOADS:
        mine = measured(impls, workload, a.rounds, a.device)
        show(mine, workload, [*impls])
        rows += mine
    print("\n| | import, s | first epoch, s | peak memory, MB |")
    print("\n".join(overheads(rows, [*impls])))
    if a.json:
        with open(a.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
    if a.markdown:
        with open(a.markdown, "w", encoding="utf-8") as file:
            file.write(markdown(rows, impls, a.device))
    return len({row["workload"] for row in rows if "error" in row})


if __name__ == "__main__":
    raise SystemExit(main())
