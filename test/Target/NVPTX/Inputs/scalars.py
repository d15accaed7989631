"""A device module with every scalar op of arith and math that device code may have, on every type, each stored."""

FLOATS, INTS = ["f16", "bf16", "f32", "f64"], ["i1", "i8", "i16", "i32", "i64"]
body, count = [], 0


def store(op, *types):
    """Its results; the first is used where there is one."""
    global count
    names = [f"%r{count + n}" for n in range(len(types))]
    count += len(types)
    body.append(f"{', '.join(names)} = {op}")
    body.extend(f"llvm.store volatile {n}, %o : {t}, !llvm.ptr" for n, t in zip(names, types))


for t in FLOATS + INTS:
    body.append(f"%a_{t} = llvm.load %p : !llvm.ptr -> {t}")
    body.append(f"%b_{t} = llvm.load %q : !llvm.ptr -> {t}")
for t in FLOATS:
    for op in ("absf", "sqrt", "floor", "ceil", "roundeven", "trunc"):
        store(f"math.{op} %a_{t} : {t}", t)
    for op in ("isnan", "isfinite"):
        store(f"math.{op} %a_{t} : {t}", "i1")
    store(f"math.copysign %a_{t}, %b_{t} : {t}", t)
    store(f"math.fma %a_{t}, %b_{t}, %a_{t} : {t}", t)
    for op in ("addf", "subf", "mulf", "divf", "maximumf", "minimumf", "maxnumf", "minnumf"):
        store(f"arith.{op} %a_{t}, %b_{t} : {t}", t)
    store(f"arith.negf %a_{t} : {t}", t)
    for predicate in ("oeq", "ogt", "olt", "one", "ord", "ult", "une", "uno"):
        store(f"arith.cmpf {predicate}, %a_{t}, %b_{t} : {t}", "i1")
    for i in INTS[1:]:
        store(f"arith.fptosi %a_{t} : {t} to {i}", i)
        store(f"arith.fptoui %a_{t} : {t} to {i}", i)
        store(f"arith.sitofp %a_{i} : {i} to {t}", t)
        store(f"arith.uitofp %a_{i} : {i} to {t}", t)
for low, high in (("f16", "f32"), ("bf16", "f32"), ("f32", "f64"), ("f16", "f64"), ("bf16", "f64")):
    store(f"arith.extf %a_{low} : {low} to {high}", high)
    store(f"arith.truncf %a_{high} : {high} to {low}", low)
for t in INTS:
    for op in ("addi", "subi", "muli", "andi", "ori", "xori", "maxsi", "minsi", "maxui", "minui"):
        store(f"arith.{op} %a_{t}, %b_{t} : {t}", t)
    if t == "i1":
        continue
    for op in ("divsi", "divui", "remsi", "remui", "floordivsi", "ceildivsi", "ceildivui", "shli", "shrsi", "shrui"):
        store(f"arith.{op} %a_{t}, %b_{t} : {t}", t)
    for op in ("absi", "ctlz", "cttz", "ctpop"):
        store(f"math.{op} %a_{t} : {t}", t)
    store(f"arith.addui_extended %a_{t}, %b_{t} : {t}, i1", t, "i1")
    store(f"arith.mulsi_extended %a_{t}, %b_{t} : {t}", t, t)
    store(f"arith.mului_extended %a_{t}, %b_{t} : {t}", t, t)

print("module @attn_device {\nllvm.func @all(%p: !llvm.ptr, %q: !llvm.ptr, %o: !llvm.ptr) attributes {nvvm.kernel} {")
print("\n".join(body))
print("llvm.return\n}\n}")
