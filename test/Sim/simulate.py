"""Runs attn-sim on one case and reads what it says and writes."""

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np


class Outcome:
    def __init__(self, status, report, message, results):
        self.status, self.message, self.results = status, message, results
        self.findings = report.get("findings", [])
        self.executed_lines = set(report.get("executed_lines", []))
        self.guards = {g["line"]: (g["lanes"], g["on"]) for g in report.get("guards", [])}
        self.wavefronts = sum(s["wavefronts"] for s in report.get("sites", []))


def simulate(tool, case, ptx=None, seed=1, when="random", max_steps=20_000_000, timeout=120, extra=()):
    """Launches `case`, from the text `ptx` if given."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        command = [str(tool), str(case.file), "--kernel", case.kernel, "--grid", str(case.grid), "--block", str(case.block), "--shared", str(case.shared), "--seed", str(seed),
                   "--async", when, "--max-steps", str(max_steps), "--report", str(folder / "report.json"), "--quiet", *extra]
        if ptx is not None:
            command[1] = str(folder / "kernel.ptx")
            (folder / "kernel.ptx").write_text(ptx)
        outputs = {}
        for n, a in enumerate(case.arguments):
            if isinstance(a, str) and a.startswith("out:") and "=" in a:
                form, name = a.split("=")
                outputs[name] = folder / f"{name}.out.npy"
                a = f"{form}={outputs[name]}"
            elif isinstance(a, tuple):
                _, name, value = a
                np.save(folder / f"{name}.npy", value)
                outputs[name] = folder / f"{name}.out.npy"
                a = f"inout:{folder / name}.npy={outputs[name]}"
            elif not isinstance(a, str):
                np.save(folder / f"a{n}.npy", a)
                a = str(folder / f"a{n}.npy")
            command += ["--arg", a]
        run = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
        report = json.loads((folder / "report.json").read_text()) if (folder / "report.json").exists() else {}
        results = {name: np.load(path) for name, path in outputs.items() if path.exists()}
        return Outcome(run.returncode, report, run.stderr.strip(), results)
