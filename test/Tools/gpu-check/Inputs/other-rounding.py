"""Every product that is fused with a sum is rounded by itself instead: right by the error rule, not the same bits."""
import re
import sys

path = sys.argv[1]
text = open(path).read()
fused = re.compile(r"fma\.rn\.f32\s+(%\w+), ([^,]+), ([^,]+), ([^;]+);")
spoilt, n = fused.subn(r"{ .reg .f32 %apart; mul.rn.f32 %apart, \2, \3; add.rn.f32 \1, %apart, \4; }", text)
if not n:
    sys.exit("there is nothing that is fused")
open(path, "w").write(spoilt)
