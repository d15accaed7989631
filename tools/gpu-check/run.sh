#!/bin/sh
# gpu-check [--out FILE] [--seconds N] [--only probe|check|time] - runs the bundle that this script lies in, on the first NVIDIA
# GPU of this machine: probes, checks, timings, then the checks again under compute-sanitizer where it is installed. A JSON
# object a line into FILE (default: gpu-check.jsonl here). Ends within 8 minutes. The exit code is the runner's, or 1 if a
# tool of the sanitizer found something.
set -u
here=$(cd "$(dirname "$0")" && pwd)
out=gpu-check.jsonl
only=
seconds=270
while [ $# -gt 0 ]; do
  case $1 in
  --out) out=${2:?} && shift 2 ;;
  --seconds) seconds=${2:?} && shift 2 ;;
  --only) only=${2:?} && shift 2 ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
  esac
done

: > "$out" || exit 2
"$here/gpu-check-run" "$here" --out "$out" --seconds "$seconds" ${only:+--only "$only"}
status=$?
[ $status -le 1 ] || exit $status

sanitizer=$(command -v compute-sanitizer || command -v /usr/local/cuda/bin/compute-sanitizer)
[ -z "$only" ] || exit $status
if [ -z "$sanitizer" ]; then
  echo '{"part": "sanitizer", "name": "none", "what": "compute-sanitizer is not installed"}' >> "$out"
  exit $status
fi
for tool in memcheck racecheck initcheck; do
  log=$out.$tool
  timeout 45 "$sanitizer" --tool $tool --target-processes all --error-exitcode 86 "$here/gpu-check-run" "$here" --only check --seconds 30 \
    --out /dev/null > "$log" 2>&1
  code=$?
  ok=true
  what="clean"
  [ $code -ne 124 ] || what="clean so far: out of time"
  if [ $code -eq 86 ] || grep -q 'ERROR SUMMARY: [1-9]' "$log"; then
    ok=false
    what="it found errors: see $tool's log beside this file"
    status=1
  fi
  echo "{\"part\": \"sanitizer\", \"name\": \"$tool\", \"ok\": $ok, \"what\": \"$what\"}" >> "$out"
done
exit $status
