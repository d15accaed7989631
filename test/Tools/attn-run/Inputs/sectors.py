"""Runs a program of the gallery with other features and types on a simulated GPU; fails where it is wrong, where shared memory has more bank conflicts than
allowed (none), or where global memory takes more sectors than so many times the least. Usage: sectors.py ATTN_RUN PROGRAM TYPE DOT,VALUE MOST [CONFLICTS]; of type tf32
operands are f32, and their products tf32."""
import re
import subprocess
import sys
import tempfile

attn_run, program, element, features, most, allowed = (sys.argv[1:] + ["0"])[:6]
products = ["--f32-products", "tf32"] if element == "tf32" else []
element = element.replace("tf32", "f32")
dot, value = (features + "," + features).split(",")[:2]
text = open(program).read().split("attn.kernel", 1)[1]
tensor = lambda n: f"tensor<?x?x?x{n}x{element}>"
text = text.replace("%v: !t", "%v: !v").replace("o: !t", "o: !v").replace("(!t, !t, !t) -> (!t", "(!t, !t, !v) -> (!v").replace(": !t, tensor<?x?x?xf32>", ": !v, tensor<?x?x?xf32>")
with tempfile.NamedTemporaryFile("w", suffix=".mlir") as file:
    file.write(f"!t = {tensor(dot)}\n!v = {tensor(value)}\nattn.kernel{text}")
    file.flush()
    command = [attn_run, file.name, "--target", "sm_80", "--check", "--size", "n=128", "--size", "b=1", "--size", "h=2", *products]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{' '.join(command)}\n{run.stdout}{run.stderr}")
conflicts, sectors, ideal = map(int, re.search(r"(\d+) bank conflicts, (\d+) sectors .* (\d+) would do", run.stdout).groups())
ratio = sectors / ideal
print(f"{element} {dot} {value}: {conflicts} bank conflicts, {ratio:.2f} of the least sectors")
sys.exit(conflicts > int(allowed) or ratio > float(most))
