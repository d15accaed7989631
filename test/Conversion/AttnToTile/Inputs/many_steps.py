"""Prints a kernel of N maps, one after the other: N + 1 tensors. Usage: many_steps.py N"""
import sys

n = int(sys.argv[1])
print("attn.kernel @k(%x0: tensor<?xf32>) -> (y: tensor<?xf32>) {")
for step in range(n):
    print(f"""  %x{step + 1} = attn.map dims(i) (%e = %x{step}[i]) {{
    attn.yield %e : f32
  }} -> [i] : (tensor<?xf32>) -> tensor<?xf32>""")
print(f"  attn.return %x{n} : tensor<?xf32>\n}}")
