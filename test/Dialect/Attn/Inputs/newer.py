"""Writes bytecode whose attn version is one higher. Usage: newer.py VERSION ATTN_OPT IN OUT.

The version is a one-byte varint (2 n + 1) somewhere in the section of dialect versions: the one byte whose change attn-opt answers with [attn_version].
"""
import subprocess
import sys

version, attn_opt, source, target = int(sys.argv[1]), *sys.argv[2:]
data = open(source, "rb").read()
found = []
for at, byte in enumerate(data):
    if byte == 2 * version + 1:
        open(target, "wb").write(data[:at] + bytes([2 * (version + 1) + 1]) + data[at + 1 :])
        run = subprocess.run([attn_opt, target, "-o", target + ".ir"], capture_output=True, text=True)
        if "[attn_version]" in run.stderr:
            found.append(at)
if len(found) != 1:
    sys.exit(f"{len(found)} bytes look like the version: {found}")
at = found[0]
open(target, "wb").write(data[:at] + bytes([2 * (version + 1) + 1]) + data[at + 1 :])
