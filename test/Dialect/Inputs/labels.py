"""Fails when a label of the dialects has no negative test. Usage: labels.py SOURCE_ROOT TESTS."""
import pathlib
import re
import sys

root, tests = map(pathlib.Path, sys.argv[1:])


def read(folder, *patterns):
    return "\n".join(f.read_text() for p in patterns for f in sorted(folder.rglob(p)))


described = set(re.findall(r"`([a-z_]+_c[0-9]+)`", read(root / "include/attn/Dialect", "*.td")))
code = read(root / "lib/Dialect", "*.cpp")
# Rules by number, and the labels of the syntax.
raised = set(re.findall(r"\[([a-z]+(?:_[a-z0-9]+)+)\]", code)) | set(re.findall(r'"([a-z_]+_c[0-9]+)"', code))
expected = "\n".join(
    line for line in read(tests, "*-invalid.mlir", "*.test", "malformed.py").splitlines() if "expected-error" in line or "CHECK" in line or '"[' in line
)
expected += "\n" + read(root / "test/Conversion", "*.mlir", "*.test") + read(root / "test/Schedule", "*.mlir")
tested = set(re.findall(r"\[([a-z]+(?:_[a-z0-9]+)+)\]", expected))

problems = [f"{label}: described in a .td, raised nowhere" for label in sorted(described - raised)]
problems += [f"{label}: raised, described in no .td" for label in sorted(l for l in raised - described if re.search(r"_c[0-9]+$", l))]
problems += [f"{label}: no test expects it" for label in sorted((described | raised) - tested)]
print("\n".join(problems) or f"{len(described | raised)} labels, all tested")
sys.exit(bool(problems))
