#!/bin/sh
# size_test.sh ARCHIVE CC - the code of libattn_rt takes at most 64 KiB and needs nothing but libc; every name of the
# headers is there.
set -eu
archive=$1
cc=$2
include=$(cd "$(dirname "$0")/../../runtime/include/attn-rt" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C

text=$(size -A "$archive" | awk '$1 ~ /^\.text/ { sum += $2 } END { print sum + 0 }')
all=$(size -A "$archive" | awk '$1 ~ /^\.(text|rodata|data|bss)/ { sum += $2 } END { print sum + 0 }')
echo ".text $text bytes; with data $all"
[ "$text" -gt 1000 ] && [ "$text" -le 65536 ] || { echo "too large, or not measured"; exit 1; }

# The link fails if libgcc or anything else is needed; the list of needed libraries says the same of the result.
$cc -shared -nodefaultlibs -Wl,-z,defs -Wl,--whole-archive "$archive" -Wl,--no-whole-archive -lc -o "$work/all.so"
needed=$(readelf -d "$work/all.so" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v '^libc\.so' || true)
[ -z "$needed" ] || { echo "needs $needed"; exit 1; }

# C names outside the attn_ family would clash with a program's own.
nm -g --defined-only "$archive" | awk 'NF == 3 { print $3 }' | sort -u > "$work/defined"
if grep -v '^attn_' "$work/defined"; then echo "defined without the prefix attn_"; exit 1; fi
for name in $(sed -n 's/^[a-z].*[ *]\(attn_[a-z_]*\)(.*;.*/\1/p' "$include/attn_rt.h" "$include/attn_gpu.h"); do
  grep -qx "$name" "$work/defined" || { echo "$name is declared and not defined"; exit 1; }
  echo "$name"
done > "$work/public"
[ "$(wc -l < "$work/public")" -ge 10 ] || { echo "the headers were not understood"; exit 1; }
nm -u "$archive" | awk 'NF == 2 { print $2 }' | sort -u | comm -23 - "$work/defined" | tr '\n' ' '
