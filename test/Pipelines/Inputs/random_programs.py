"""Compiles random valid programs to the LLVM dialect. Usage: random_programs.py ATTN_OPT [--seed N] [--count N] [--print].

Every program has to verify; lowering it may fail only with [unsupported_...] or [..._sN] in every error.
"""
import argparse
import random
import re
import subprocess
import sys

FLOATS, INTS = ("f32", "bf16", "f16"), ("i64", "i32", "i8")


class Program:
    """One kernel; arguments are added as its parts need them."""

    def __init__(self, rng):
        self.rng = rng
        self.args, self.normalizers = [], []
        self.real = rng.choice(("f32", "f32", "f32", "f64"))
        self.batch = list("bhg"[: rng.choice((0, 1, 2, 2, 2, 3))])
        self.dims = self.batch + ["i", "j"]

    def pick(self, *options):
        return self.rng.choice(options)

    def arg(self, type):
        self.args.append(f"%a{len(self.args)}: {type}")
        return f"%a{len(self.args) - 1}"

    # Layouts.
    def operand(self, name, token, feature, extent, batch):
        axes = [(d, "?") for d in batch] + [(token, "?"), (feature, str(extent))]
        if self.pick(0, 0, 1):
            self.rng.shuffle(axes)
        if self.pick(0, 0, 0, 1):
            axes.insert(self.rng.randrange(len(axes) + 1), (str(self.rng.randrange(3)), "3"))
        element = "f64" if self.real == "f64" else self.pick(*FLOATS)
        return f"tensor<{'x'.join(e for _, e in axes)}x{element}>", f"{name} = %{name}[{', '.join(i for i, _ in axes)}]"

    def key_batch(self):
        """GQA, MQA, or a head each."""
        return [d for d in (self.pick(b, b, b, f"{b} floordiv {self.pick(2, 3, 4)}", None) for b in self.batch) if d]

    # Sets.
    def bound(self):
        return self.pick(lambda: str(self.rng.randrange(-3, 200)), lambda: self.arg(self.pick("index", "i64", "i32")))()

    def lengths(self):
        return self.arg(f"tensor<?x{self.pick('i32', 'i64')}>")

    def shift(self):
        if self.batch and self.pick(0, 0, 1):
            return f"bottom_right, q = {self.lengths()}, k = {self.lengths()}", True
        return self.pick("top_left", "bottom_right"), False

    def named(self):
        def window():
            align, moved = self.shift()
            sides = self.pick(["left"], ["right"], ["left", "right"])
            head, _, tail = align.partition(",")
            return f"window<{head}, {', '.join(f'{s} = {self.bound()}' for s in sides)}{',' + tail if moved else ''}>"

        def segment():
            shape = self.pick("?x?", "?") if self.batch else "?"
            tensor = lambda: self.arg(f"tensor<{shape}x{self.pick('i32', 'i64')}>")
            return f"same_segment<{tensor()}>" if self.pick(0, 1) else f"same_segment<q = {tensor()}, k = {tensor()}>"

        def mask():
            index = self.rng.sample(self.dims, self.rng.randrange(1, len(self.dims) + 1))
            if index[0] in self.batch and self.pick(0, 1):
                index[0] += " floordiv 2"
            return f"mask<{self.arg('tensor<' + '?x' * len(index) + self.pick('i1', 'i8', 'i32', 'f32', 'bf16', 'f64') + '>')}[{', '.join(index)}]>"

        options = [lambda: "full", lambda: "empty", lambda: f"causal<{self.shift()[0]}>", window, lambda: f"prefix<{self.bound()}>", segment, mask, self.where]
        if self.batch:
            options += [lambda: f"prefix<{self.lengths()}>", lambda: f"lengths<k = {self.lengths()}>", lambda: f"lengths<q = {self.lengths()}, k = {self.lengths()}>"]
        return self.rng.choice(options)()

    def set(self, depth=0):
        if depth < 3 and self.pick(0, 1):
            return self.pick(
                lambda: f"({self.set(depth + 1)} {self.pick('and', 'or', 'minus')} {self.set(depth + 1)})", lambda: f"not {self.set(depth + 1)}"
            )()
        return self.named()

    # Regions: a list of lines and typed values to draw from.
    def header(self):
        return ", ".join(f"{d} = %{d}_{self.fresh()}" for d in self.dims)

    def fresh(self):
        self.counter = getattr(self, "counter", 0) + 1
        return self.counter

    def where(self):
        body, names = Region(self), self.header()
        for part in names.split(", "):
            body.values["index"].append(part.split(" = ")[1])
        body.grow(self.rng.randrange(1, 9))
        lines = body.lines
        return f"where({names}) {{\n" + "\n".join(lines + [f"attn.yield {body.get('i1')} : i1"]) + "\n}"

    def score(self):
        body, names = Region(self), self.header()
        body.values[self.real].append("%s")
        for part in names.split(", "):
            body.values["index"].append(part.split(" = ")[1])
        body.grow(self.rng.randrange(1, 12))
        return f"score(%s : {self.real}, {names}) {{\n" + "\n".join(body.lines + [f"attn.yield {body.get(self.real)} : {self.real}"]) + "\n}"

    def text(self):
        c, e = self.pick(1, 5, 8, 16, 33, 64, 80, 128), self.pick(3, 8, 16, 40, 64, 96)
        types, operands = zip(self.operand("q", "i", "c", c, self.batch), self.operand("k", "j", "c", c, self.key_batch()),
                              self.operand("v", "j", "e", e, self.key_batch()))
        clauses = []
        if self.pick(0, 1, 1, 1):
            clauses.append("set = " + self.set())
        if self.pick(0, 1):
            clauses.append(self.score())
        if self.pick(0, 1):
            clauses.append("scale = " + self.pick("0.5", "-3.25", self.arg(self.pick("f32", "f64"))))
        normalizer = ""
        if self.pick(0, 0, 0, 1):
            normalizer = RELU
            clauses.append("normalize = @relu")
        self.rng.shuffle(clauses)
        outs = [("o", self.batch + ["i", "e"], "x".join(["?"] * (len(self.batch) + 1) + [str(e)]), self.pick(*FLOATS) if self.real == "f32" else "f64")]
        if self.pick(0, 1):
            outs.append(("lse", self.batch + ["i"], "x".join(["?"] * (len(self.batch) + 1)), self.real))
        out_types = [f"tensor<{shape}x{element}>" for _, _, shape, element in outs]
        names = ", ".join("%r" + str(n) for n in range(len(outs)))
        newline = "\n    "
        return f"""{normalizer}attn.kernel @f({', '.join([f'%{n}: {t}' for n, t in zip('qkv', types)] + self.args)})
    -> ({', '.join(f'{o[0]}: {t}' for o, t in zip(outs, out_types))}) {{
  {names} = attn.attend dims({', '.join(self.batch)} | i | j | c, e)
    {' '.join(operands)}
    {newline.join(clauses)}
    outputs {', '.join(f"{o[0]}[{', '.join(o[1])}]" for o in outs)}
    : ({', '.join(types)}) -> ({', '.join(out_types)})
  attn.return {names} : {', '.join(out_types)}
}}
"""


class Region:
    def __init__(self, program):
        self.program, self.pick = program, program.pick
        self.lines = []
        self.values = {t: [] for t in ("index", "i64", "i32", "i8", "i1", "f32", "f64", "bf16", "f16")}

    def let(self, type, text):
        name = f"%v{self.program.fresh()}"
        self.lines.append(f"{name} = {text}")
        self.values[type].append(name)
        return name

    def get(self, type):
        if self.values[type] and self.pick(0, 0, 1, 1, 1):
            return self.program.rng.choice(self.values[type])
        if type == "i1":
            return self.let("i1", f"arith.cmpi {self.pick('slt', 'sle', 'sgt', 'sge', 'eq', 'ne', 'ult', 'uge')}, {self.get('index')}, {self.get('index')} : index")
        constant = self.pick("0.5", "-2.0", "1.0") if type in ("f32", "f64", "bf16", "f16") else self.pick("0", "1", "3", "-7", "100")
        return self.let(type, f"arith.constant {constant} : {type}")

    def grow(self, steps):
        for _ in range(steps):
            self.program.rng.choice((self.integer, self.compare, self.real, self.cast, self.load, self.select))()

    def integer(self):
        t = self.pick("index", "index", "i64", "i32", "i8")
        op = self.pick("addi", "subi", "muli", "divsi", "divui", "remsi", "remui", "floordivsi", "ceildivsi", "ceildivui", "minsi", "maxsi", "minui", "maxui",
                       "andi", "ori", "xori", "shli", "shrsi", "shrui")
        self.let(t, f"arith.{op} {self.get(t)}, {self.get(t)} : {t}")

    def compare(self):
        if self.pick(0, 1):
            t = self.pick("index", "i64", "i32", "i8", "i1")
            self.let("i1", f"arith.cmpi {self.pick('slt', 'ule', 'ugt', 'sge', 'eq', 'ne')}, {self.get(t)}, {self.get(t)} : {t}")
        elif self.pick(0, 1):
            t = self.program.real
            self.let("i1", f"arith.cmpf {self.pick('olt', 'ole', 'uge', 'oeq', 'une', 'ord', 'uno')}, {self.get(t)}, {self.get(t)} : {t}")
        else:
            self.let("i1", f"arith.{self.pick('andi', 'ori', 'xori')} {self.get('i1')}, {self.get('i1')} : i1")

    def real(self):
        t = self.program.real
        if self.pick(0, 0, 1):
            self.let(t, f"math.{self.pick('exp', 'exp2', 'tanh', 'sqrt', 'absf', 'floor', 'ceil', 'trunc', 'roundeven', 'log', 'erf', 'rsqrt')} {self.get(t)} : {t}")
        elif self.pick(0, 0, 0, 1):
            self.let(t, f"math.fma {self.get(t)}, {self.get(t)}, {self.get(t)} : {t}")
        else:
            op = self.pick("addf", "subf", "mulf", "divf", "maximumf", "minimumf", "maxnumf", "minnumf", "negf")
            self.let(t, f"arith.{op} {self.get(t)}{'' if op == 'negf' else ', ' + self.get(t)} : {t}")

    def cast(self):
        a, b, text = self.pick(
            ("index", "i64", "arith.index_cast"), ("index", "i32", "arith.index_cast"), ("i64", "index", "arith.index_cast"), ("i32", "index", "arith.index_cast"),
            ("index", "i8", "arith.index_cast"), ("i8", "index", "arith.index_castui"), ("i64", "i32", "arith.trunci"), ("i32", "i64", "arith.extsi"),
            ("i8", "i32", "arith.extui"), ("i1", "i32", "arith.extui"), ("i1", "i8", "arith.extsi"), ("i32", "i1", "arith.trunci"),
            ("i64", self.program.real, "arith.sitofp"), ("i32", self.program.real, "arith.uitofp"), ("i1", self.program.real, "arith.uitofp"),
            (self.program.real, "i32", "arith.fptosi"), (self.program.real, "i64", "arith.fptosi"),
        )
        self.let(b, f"{text} {self.get(a)} : {a} to {b}")

    def load(self):
        element = self.pick("i64", "i32", "i8", "i1", "f32", "f64", "bf16", "f16")
        rank = self.pick(1, 1, 2, 3)
        type = f"tensor<{'x'.join(self.pick('?', '?', '7') for _ in range(rank))}x{element}>"
        index = self.pick("index", "index", "index", "i32", "i64")
        tensor = self.program.arg(type)
        name = self.let(element, f"attn.load {tensor}[{', '.join(self.get(index) for _ in range(rank))}] : {type}" + ("" if index == "index" else f", {index}"))
        width = {"bf16": 16, "f16": 16, "f32": 32, "f64": 64}
        if element in width and element != self.program.real:
            narrower = width[element] < width[self.program.real]
            self.let(self.program.real, f"arith.{'extf' if narrower else 'truncf'} {name} : {element} to {self.program.real}")

    def select(self):
        t = self.pick("index", "i32", self.program.real, "i1")
        self.let(t, f"arith.select {self.get('i1')}, {self.get(t)}, {self.get(t)} : {t}")


RELU = """attn.normalizer @relu {
  attn.pass ref = none phi(%s) {
    %zero = arith.constant 0.0 : f32
    %p = arith.maximumf %s, %zero : f32
    attn.yield %p : f32
  } sums(l = one, n = value)
  attn.finish(%l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o, %l : f32, f32
  } outputs(o, lse) empty(0.0, 0.0)
}
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("attn_opt")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--print", action="store_true")
    options = parser.parse_args()
    compiled = refused = failed = 0
    for n in range(options.count):
        text = Program(random.Random(f"{options.seed}.{n}")).text()
        if options.print:
            print(text)
        for flags in (["--verify-roundtrip"], ["--attn-pipeline-llvm"]):
            run = subprocess.run([options.attn_opt, "-", *flags], input=text, capture_output=True, text=True)
            errors = [line for line in run.stderr.splitlines() if " error: " in line]
            limit = run.returncode == 1 and flags[0] != "--verify-roundtrip" and errors and all(re.search(r"\[(unsupported_\w+|\w+_s\d+)\]", e) for e in errors)
            if run.returncode and not limit:
                print(f"program {n} of seed {options.seed} with {flags[0]}: exit {run.returncode}\n{run.stderr[:2000]}\n{text}")
                failed += 1
                break
            if flags[0] != "--verify-roundtrip":
                compiled, refused = compiled + (not limit), refused + bool(limit)
    print(f"{compiled} compiled, {refused} refused with a label, {failed} failed; seed {options.seed}")
    sys.exit(failed != 0 or compiled < options.count // 2)


main()
