#!/usr/bin/env python3
"""Files of at most 800 lines, gallery programs of at most 15.

    sizes.py ROOT          every file that is too long, and exit status 1, or a summary
"""

import os
import sys
from pathlib import Path

LIMIT, GALLERY_LIMIT = 800, 15
COUNTED = {".cpp", ".h", ".td", ".c", ".py", ".mlir"}
NOT_OURS = {"build", ".git", "__pycache__"}


def main():
    if len(sys.argv) != 2:
        print(__doc__.splitlines()[2].strip(), file=sys.stderr)
        return 2
    root = Path(sys.argv[1]).resolve()
    count, longest, too_long = 0, (0, ""), []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in NOT_OURS)
        for path in (Path(folder, f) for f in sorted(files)):
            if path.suffix not in COUNTED:
                continue
            name = path.relative_to(root).as_posix()
            lines = len(path.read_text(errors="replace").splitlines())
            limit = GALLERY_LIMIT if name.startswith("gallery/") else LIMIT
            if lines > limit:
                too_long.append(f"{name}:{limit + 1}: error: {lines} lines; at most {limit} are allowed here")
            count, longest = count + 1, max(longest, (lines, name))
    print("\n".join(too_long) or f"{count} files; the longest is {longest[1]} with {longest[0]} lines")
    return 1 if too_long or not count else 0


if __name__ == "__main__":
    sys.exit(main())
