"""Writes bytecode whose attn version is one higher. Usage: newer.py ATTN_OPT IN OUT.

The version is a one-byte varint (2 n + 1) somewhere in the section of dialect versions: the one byte whose change attn-opt answers with [attn_version].
"""
import subprocess
import sys

attn_opt, source, target = sys.argv[1:]
data = open(source, "rb").read()
found = []
for at, byte in enumerate(data):
    if byte == 2 * 1 + 1:
        open(target, "wb").write(data[:at] + bytes([2 * 2 + 1]) + data[at + 1 :])
        run = subprocess.run([attn_opt, target, "-o", target + ".ir"], capture_output=True, text=True)
        if "[attn_version]" in run.stderr:
            found.append(at)
if len(found) != 1:
    sys.exit(f"{len(found)} bytes look like the version: {found}")
at = found[0]
open(target, "wb").write(data[:at] + bytes([2 * 2 + 1]) + data[at + 1 :])
