#!/usr/bin/env python3
"""Files of at most 800 lines, gallery programs of at most 15: 5 more with reductions, columns or an epilogue, 5 more for each operand that is passed through
a region, 10 more for each step after the first; normalizers that a program brings along do not count.

    sizes.py ROOT          every file that is too long, and exit status 1, or a summary
"""

import os
import re
import sys
from pathlib import Path

LIMIT, GALLERY_LIMIT = 800, 15
COUNTED = {".cpp", ".h", ".td", ".c", ".py", ".mlir"}
NOT_OURS = {"build", ".git", "__pycache__"}


def program(text):
    """(lines that count, how many may) of a gallery program."""
    text = re.sub(r"^attn\.normalizer .*?^}\n", "", text, flags=re.M | re.S)
    more = 5 if re.search(r"^\s+.*\b(reduce \w+ =|columns \w+ =|aggregate \w+ =|epilogue\()", text, re.M) else 0
    more += 5 * len(re.findall(r"\bas \(%", text))
    steps = len(re.findall(r"= attn\.(?:attend|map|merge)\b", text))
    return len(text.splitlines()), GALLERY_LIMIT + more + 10 * max(0, steps - 1)


def main():
    if len(sys.argv) != 2:
        print(__doc__.splitlines()[3].strip(), file=sys.stderr)
        return 2
    root = Path(sys.argv[1]).resolve()
    count, longest, too_long = 0, (0, ""), []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in NOT_OURS)
        for path in (Path(folder, f) for f in sorted(files)):
            if path.suffix not in COUNTED:
                continue
            name = path.relative_to(root).as_posix()
            text = path.read_text(errors="replace")
            lines, limit = program(text) if name.startswith("gallery/") else (len(text.splitlines()), LIMIT)
            if lines > limit:
                too_long.append(f"{name}:{limit + 1}: error: {lines} lines; at most {limit} are allowed here")
            count, longest = count + 1, max(longest, (lines, name))
    print("\n".join(too_long) or f"{count} files; the longest is {longest[1]} with {longest[0]} lines")
    return 1 if too_long or not count else 0


if __name__ == "__main__":
    sys.exit(main())
