#!/usr/bin/env python3
"""The layering rule: an include may only point to a folder with a smaller number, or stay in its own folder.

    layering.py ROOT       the first violation as `file:line: error: ...` and exit status 1, or a summary

The number is in the first line of the folder's CMakeLists (`# layer 5`), of lib/X for include/attn/X. All #includes of include/, lib/,
tools/, runtime/ and examples/ count, private headers and the includes of .td files too. Beyond the numbers:

  * the folders of Conversion/ are edges of their own and see each other only through attn/Conversion/Passes.h; Dialect/Tile stands on
    Dialect/Attn, never the reverse;
  * Interpreter/ stands on layer 3 (the oracle must not see a lowering), Sim/ on layer 1;
  * runtime/ needs nothing but the C library, and its headers are C.
"""

import re
import sys
from pathlib import Path

SOURCES = {".cpp", ".h", ".c", ".td", ".inc"}
HIGHEST_SEEN = {"Interpreter": 3, "Sim": 1}  # folders that stand lower than their number alone would say
STANDS_ON = {("Dialect/Tile", "Dialect/Attn"), ("Dialect/NV", "Dialect/Tile"), ("Dialect/NV", "Dialect/Attn"), ("Dialect/Check", "Dialect/Attn")}
SHARED = {"Conversion"}  # headers directly in attn/Conversion belong to all of its edges
INCLUDE = re.compile(r'^\s*#?\s*include\s+(["<])([^">]+)[">]')
CXX = re.compile(r"\b(?:template|namespace|class|std::|nullptr|constexpr|static_cast|reinterpret_cast|typename|public:|private:)")


class Violation(Exception):
    pass


class Tree:
    def __init__(self, root):
        self.root = root
        self.layers = {}
        for base in ("lib", "tools", "runtime", "examples"):
            for path in sorted((root / base).rglob("CMakeLists.txt")):
                folder = path.parent.relative_to(root).as_posix()
                first = path.read_text().split("\n", 1)[0]
                number = re.fullmatch(r"# layer (\d+).*", first)
                if number:
                    self.layers[folder.removeprefix("lib/")] = int(number[1])

    def folder_of(self, path):
        """The folder with a layer that a file (relative to the root) belongs to: lib/X and include/attn/X are X."""
        name = path.removeprefix("lib/").removeprefix("include/attn/")
        if name.startswith("runtime/"):
            return "runtime"
        parts = name.split("/")[:-1]
        for n in range(len(parts), 0, -1):
            if "/".join(parts[:n]) in self.layers:
                return "/".join(parts[:n])
        raise Violation(f"{path}:1: error: no CMakeLists.txt of its folder begins with '# layer N'")

    def target_of(self, source, name):
        """What an include means, relative to the root; None for other projects' headers."""
        if name.startswith("attn-rt/"):
            return f"runtime/include/{name}"
        if name.startswith("attn/"):
            return f"include/{name}"
        near = (self.root / source).parent / name
        if near.exists():
            return near.resolve().relative_to(self.root).as_posix()
        for parent in (self.root / "tools", self.root / "include"):
            if (parent / name).exists():
                return (parent / name).relative_to(self.root).as_posix()
        return None

    def allowed(self, source, target):
        """None, or why the include of `target` in `source` is wrong."""
        here, there = self.folder_of(source), self.folder_of(target)
        if here == there:
            return None
        mine, its = self.layers[here], self.layers[there]
        limit = HIGHEST_SEEN.get(here.split("/")[0])
        if limit is not None and its > limit:
            return f"{here} stands on layer {limit}; {there} is layer {its}"
        if target.startswith("lib/"):
            return f"{target} is private to {there}"
        if its < mine or (here, there) in STANDS_ON or (there in SHARED and here.startswith(there + "/")):
            return None
        if here.startswith("tools") and there.startswith("tools"):
            return None  # layer 9: mains and their parts
        return f"{here} is layer {mine}, {there} is layer {its}: an include points to a smaller number or stays in its folder"


def lines_of_c(text):
    """The lines of a C header without comments and without what stands between #ifdef __cplusplus and its #endif or #else."""
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), text, flags=re.S)
    in_cxx = False
    for line in text.splitlines():
        if re.match(r"\s*#\s*ifdef\s+__cplusplus", line):
            in_cxx = True
        elif in_cxx and re.match(r"\s*#\s*(endif|else)", line):
            in_cxx = False
        yield "" if in_cxx else line.split("//")[0]


def check_runtime(source, text):
    for number, line in enumerate(lines_of_c(text), 1):
        found = INCLUDE.match(line)
        if found and re.match(r"(mlir|llvm|attn)(-c)?/", found[2]):
            raise Violation(f"{source}:{number}: error: the runtime needs nothing but the C library, and this is '{found[2]}'")
        if source.endswith(".h") and CXX.search(line):
            raise Violation(f"{source}:{number}: error: C++ in a header of the runtime: {line.strip()}")


def check_file(tree, source):
    """The number of includes of this project in a file."""
    text = (tree.root / source).read_text(errors="replace")
    if source.startswith("runtime/"):
        check_runtime(source, text)
    count = 0
    for number, line in enumerate(text.splitlines(), 1):
        found = INCLUDE.match(line)
        target = found and found[1] != "<" and tree.target_of(source, found[2])
        if target:
            count += 1
            wrong = tree.allowed(source, target)
            if wrong:
                raise Violation(f"{source}:{number}: error: #include \"{found[2]}\": {wrong}")
    return count


def main():
    if len(sys.argv) != 2:
        print(__doc__.splitlines()[2].strip(), file=sys.stderr)
        return 2
    root = Path(sys.argv[1]).resolve()
    try:
        tree = Tree(root)
        files = [p.relative_to(root).as_posix() for base in ("include", "lib", "tools", "runtime", "examples")
                 for p in sorted((root / base).rglob("*")) if p.suffix in SOURCES]
        count = sum(check_file(tree, f) for f in files)
    except Violation as violation:
        print(violation)
        return 1
    print(f"{count} includes in {len(files)} files of {len(tree.layers)} folders obey the layers")
    return 0 if count else 1


if __name__ == "__main__":
    sys.exit(main())
