#!/bin/sh
# run.sh BUILD_DIR - builds libattn_rt and its tests with $CC (default cc) into BUILD_DIR and runs them: plain, with
# address and undefined-behaviour sanitizers, the threaded ones with the thread sanitizer (by gcc if $CC has none).
# A test is a line "name: N passed, N failed"; the last line has the sums.
set -u
[ $# -eq 1 ] || { echo "usage: run.sh BUILD_DIR" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
rt=$(cd "$here/../../runtime" && pwd)
mkdir -p "$1" && build=$(cd "$1" && pwd) || exit 2
CC=${CC:-cc}
warnings="-Wall -Wextra -Werror"
tests="check fact alias isa run sequence merge pool gpu_plan gpu_steps gpu_run"
passed=0
failed=0

report() { # name passed failed
  echo "$1: $2 passed, $3 failed"
  passed=$((passed + $2))
  failed=$((failed + $3))
}

one() { # name command...: a test that is one command
  name=$1
  shift
  if "$@" > "$build/log" 2>&1; then report "$name" 1 0; else cat "$build/log"; report "$name" 0 1; fi
}

run() { # name program: a program that ends with "N passed, N failed"
  "$2" > "$build/log" 2>&1
  status=$?
  counts=$(tail -n 1 "$build/log" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p')
  if [ $status -ne 0 ] || [ -z "$counts" ]; then cat "$build/log"; else grep '^figure: ' "$build/log"; fi
  [ -n "$counts" ] || counts="0 1"
  set -- "$1" $counts
  [ $status -eq 0 ] || [ "$3" -ne 0 ] || set -- "$1" "$2" 1
  report "$@"
}

compile() { # suffix flags...: library objects and all tests
  suffix=$1
  shift
  mkdir -p "$build/obj$suffix"
  (cd "$build/obj$suffix" && rm -f ./*.o && $CC -std=c11 -fPIC $warnings "$@" -I"$rt/include" -c "$rt"/*.c) || return 1
  for test in $tests; do
    $CC -std=c11 $warnings "$@" -I"$rt/include" "$here/${test}_test.c" "$build/obj$suffix"/*.o -lm \
      -o "$build/${test}_test$suffix" || return 1
  done
}

stub() { # name flags...: a stub driver for gpu_run_test
  name=$1
  shift
  one "build $name" $CC -std=c11 -O2 -fPIC -shared $warnings "$@" "$here/stub_cuda.c" -o "$build/$name.so"
}

can() { # flags...: whether the compiler makes programs with them that run
  echo 'int main(void) { return 0; }' > "$build/can.c"
  $CC "$@" "$build/can.c" -o "$build/can" > /dev/null 2>&1 && "$build/can" > /dev/null 2>&1
}

# Plain. The archive is what size_test looks at.
one build compile "" -O2
rm -f "$build/libattn_rt.a"
one archive ar rcs "$build/libattn_rt.a" "$build"/obj/*.o
stub stub_cuda
stub stub_lacks -DcuLaunchKernel=cuNothing
stub stub_old -DcuCtxGetId=cuNothing -DcuGetErrorName=cuNothingEither
for test in $tests; do run ${test}_test "$build/${test}_test"; done
one size_test sh "$here/size_test.sh" "$build/libattn_rt.a" "$CC"

# The header alone, by every compiler that is there.
strict="-Wall -Wextra -Wpedantic -Werror -fsyntax-only -I$rt/include"
for c in gcc clang-22; do
  command -v $c > /dev/null || { echo "header_test $c: skipped, not installed"; continue; }
  one "header_test $c c11" $c -std=c11 $strict "$here/header_test.c"
  one "header_test $c c++17" $c -x c++ -std=c++17 $strict "$here/header_test.c"
done

# Callers' pools.
openmp=$CC
can -fopenmp || openmp=gcc
if command -v $openmp > /dev/null; then
  one "build openmp" $openmp -std=c11 $warnings -O2 -fopenmp -I"$rt/include" "$here/openmp_test.c" -o "$build/openmp_test"
  run openmp_test "$build/openmp_test"
else
  echo "openmp_test: skipped, $CC has no OpenMP and there is no gcc"
fi
if echo '#include <tbb/task_arena.h>' | g++ -std=c++17 -fsyntax-only -x c++ - 2> /dev/null; then
  one "build tbb" g++ -std=c++17 $warnings -O2 -I"$rt/include" "$here/tbb_test.cpp" -ltbb -o "$build/tbb_test"
  run tbb_test "$build/tbb_test"
else
  echo "tbb_test: skipped, oneTBB is not installed"
fi

# As a CMake project of its own.
if command -v cmake > /dev/null; then
  rm -rf "$build/cmake"
  prefix=$build/cmake/prefix
  one "cmake configure" cmake -S "$rt" -B "$build/cmake" -DCMAKE_C_COMPILER="$CC" \
    -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_INSTALL_PREFIX="$prefix"
  one "cmake install" cmake --build "$build/cmake" --target install
  one "cmake use" $CC -std=c11 -I"$prefix/include" "$here/pool_test.c" "$prefix/lib/libattn_rt.a" -o "$build/cmake/use"
else
  echo "cmake: skipped, not installed"
fi

# Sanitized.
can -fsanitize=address,undefined || ! command -v gcc > /dev/null || CC=gcc
asan="-fsanitize=address,undefined -fno-sanitize-recover=all"
if can $asan; then
  one "build address,undefined" compile .asan -g -O1 $asan
  for test in $tests; do run "${test}_test address,undefined" "$build/${test}_test.asan"; done
else
  echo "address,undefined: skipped, $CC cannot"
fi
if can -fsanitize=thread; then
  one "build thread" compile .tsan -g -O1 -fsanitize=thread
  for test in run sequence merge pool gpu_run; do run "${test}_test thread" "$build/${test}_test.tsan"; done
else
  echo "thread: skipped, $CC cannot"
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
