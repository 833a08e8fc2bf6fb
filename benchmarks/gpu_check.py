"""Tests and benchmarks on CUDA, with the interpreter that runs this and the torch it has; nothing is installed.

    python benchmarks/gpu_check.py [--guide FOLDER] [WORKLOAD ...]

Without a CUDA device it says so in one line and ends well. With one it runs the tests marked gpu, times the package
against a hand-written PyTorch loop, runs the Sequential guide's runner from FOLDER, and writes
`benchmarks/gpu/report-<date>.md`. The exit status is that of the first of these that failed.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "benchmarks" / "gpu"
TAIL = 25
# The interpreter is the user's: what its environment adds to pytest must not decide whether the tests pass.
NO_FOREIGN_PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "", "PYTEST_ADDOPTS": ""}


@dataclass
class Result:
    """What one part did: its exit status and what it printed."""

    title: str
    code: int
    output: str

    def markdown(self) -> str:
        """Return the part's section of the report."""
        verdict = "passed" if self.code == 0 else f"FAILED (exit {self.code})"
        tail = "\n".join(self.output.splitlines()[-TAIL:])
        return f"## {self.title}: {verdict}\n\n```\n{tail}\n```\n"


def device_name() -> str | None:
    """Return the CUDA device's name, None where there is none."""
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def run(title: str, *command: str, cwd: Path = ROOT) -> Result:
    """Run one part, showing its output as it comes."""
    print(f"\n==> {title}", flush=True)
    env = {**os.environ, "PYTHONUNBUFFERED": "1", **NO_FOREIGN_PLUGINS}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), env.get("PYTHONPATH")]))
    lines = []
    with subprocess.Popen(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    return Result(title, process.returncode, "".join(lines))


def described(device: str) -> str:
    """Return what the report was made on."""
    import numpy
    import torch

    memory = torch.cuda.get_device_properties(0).total_memory / 2**30
    rows = [
        ("device", f"{device}, {memory:.0f} GiB"),
        ("CUDA, cuDNN", f"{torch.version.cuda}, {torch.backends.cudnn.version()}"),
        ("Python, torch, numpy", f"{platform.python_version()}, {torch.__version__}, {numpy.__version__}"),
        ("processor", f"{platform.machine()}, {os.cpu_count()} cores"),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def main() -> int:
    """Run the parts and write the report."""
    parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
    parser.add_argument("--guide", type=Path, help="the folder that holds run_guide.py")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    a = parser.parse_args()
    device = device_name()
    if device is None:
        print(f"gpu-check: {sys.executable} sees no CUDA device through torch; nothing to check here.")
        return 0
    print(f"gpu-check on {device}")
    REPORTS.mkdir(parents=True, exist_ok=True)
    table = REPORTS / "compare.md"
    py, here = sys.executable, "benchmarks"
    results = [
        run("tests on CUDA", py, "-m", "pytest", "-m", "gpu", "-q"),
        run(
            "fit, evaluate, predict against a hand-written PyTorch loop, and that loop as a CUDA graph",
            *(py, f"{here}/compare.py", "--device", "cuda", "--markdown", str(table)),
            *("--python", f"ours={py}", "--python", f"torch={py}", "--python", f"torch-graph={py}", *a.workloads),
        ),
        run("one call, ours", py, f"{here}/calls.py", "ours", "--device", "cuda"),
        run("one call, torch", py, f"{here}/calls.py", "torch", "--device", "cuda"),
    ]
    if a.guide is not None:
        results.append(run("the Sequential guide", py, str(a.guide.resolve() / "run_guide.py")))
    date = datetime.date.today().isoformat()
    report = REPORTS / f"report-{date}.md"
    sections = [f"# GPU check, {date}", described(device), *(result.markdown() for result in results)]
    if table.exists():
        sections += ["## The table", table.read_text(encoding="utf-8")]
        table.unlink()
    report.write_text("\n\n".join(sections), encoding="utf-8")
    print(f"\nReport: {report.relative_to(ROOT)}")
    return next((result.code for result in results if result.code), 0)


if __name__ == "__main__":
    raise SystemExit(main())
