"""Fails where ptxas spills a register or has a note or a warning. Usage: resources.py PTXAS PTX SM..."""
import re
import subprocess
import sys
import tempfile

ptxas, ptx, *machines = sys.argv[1:]
failed = False
for sm in machines:
    with tempfile.NamedTemporaryFile(suffix=".cubin") as cubin:
        log = subprocess.run([ptxas, "-O3", "-v", f"--gpu-name={sm}", "-o", cubin.name, ptx], check=True, capture_output=True, text=True).stderr
    entry = ""
    for line in log.splitlines():
        if m := re.search(r"Compiling entry function '([^']*)'", line):
            entry = m[1]
        if re.search(r"warning|\(C\d+\)", line) or (re.search("spill stores", line) and not re.search(r"\b0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads", line)):
            print(f"{sm} {entry}: {line.strip()}")
            failed = True
        if m := re.search(r"Used (\d+) registers", line):
            print(f"{sm} {entry}: {m[1]} registers")
sys.exit(failed)
