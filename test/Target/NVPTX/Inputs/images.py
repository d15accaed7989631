"""The table attn_device_images of an object for GPUs, by its relocations. Usage: images.py OBJECT PTX."""
import re
import struct
import subprocess
import sys

path, ptx = sys.argv[1], open(sys.argv[2], "rb").read()
data = open(path, "rb").read()


def tool(*args):
    return subprocess.run(args, check=True, capture_output=True, text=True).stdout


sections = {}  # name -> (index, offset in the file)
for m in re.finditer(r"\[\s*(\d+)\] (\S+)\s+\S+\s+\w+ (\w+) (\w+)", tool("llvm-readelf", "-SW", path)):
    sections[m[2]] = (int(m[1]), int(m[3], 16))
symbols = {m[4]: (int(m[1], 16), int(m[2]), int(m[3])) for m in re.finditer(r"\d+: (\w+)\s+(\d+) OBJECT\s+LOCAL\s+DEFAULT\s+(\d+) (\S+)", tool("llvm-readelf", "-sW", path))}
by_index = {index: (name, offset) for name, (index, offset) in sections.items()}


def content(symbol):
    value, size, section = symbols[symbol]
    return data[by_index[section][1] + value:][:size]


value, size, section = symbols["attn_device_images"]
relocations = {}
current = ""
for line in tool("llvm-readelf", "-rW", path).splitlines():
    if m := re.match(r"Relocation section '\.rela(\S+)'", line):
        current = m[1]
    elif (m := re.match(r"(\w+)\s+\w+\s+R_X86_64_64\s+(\w+)\s+(\S+)(?: \+ (\w+))?", line)) and current == by_index[section][0]:
        relocations[int(m[1], 16)] = (m[3], int(m[4] or "0", 16))
entries = content("attn_device_images")
for n in range(0, size, 24):
    sm, is_ptx, _, length = struct.unpack("<iiqq", entries[n:n + 24])
    at = relocations.get(value + n)  # of the struct, if the pointer itself has none
    at = relocations.get(value + n + 8)
    if not at:
        assert (sm, is_ptx, length) == (0, 0, 0) and n + 24 == size
        print("end")
        break
    name, addend = at
    bytes_ = content(name)[addend:] if name in symbols else data[sections[name][1] + addend:]
    bytes_ = bytes_[:length]
    if is_ptx:
        assert bytes_ == ptx + b"\0", "the PTX differs from --emit=ptx"
    else:
        assert bytes_[:4] == b"\x7fELF" and len(bytes_) == length
    print("sm", sm, "ptx" if is_ptx else "cubin")
