#!/bin/sh
# Checks and measures the CUDA operators on this machine. It needs an NVIDIA driver and neither network, compiler nor .NET.
set -u
PATH=$PATH:/usr/sbin:/sbin
bundle=$(cd "$(dirname "$0")" && pwd)
all_steps="facts tests model memcheck racecheck resources bench engines"

usage() {
    cat <<END
usage: run.sh [--quick] [--only=STEP[,STEP]] [--tests=NAME[,NAME]] [--output=DIR] [--provider=DIR] [--limit=SECONDS] [--shape=tiny]

  --quick         fewer cases, for a look at whether everything works
  --only          some of the steps: facts (the device), tests (every operator against double precision), model (whole models against
                  standard operators), memcheck and racecheck (the tests under compute-sanitizer, where it is installed), resources
                  (ptxas' reports, where it is installed), bench (each operator and the decode step by itself), engines (whole
                  models in ONNX Runtime)
  --output        folder of the results; default: results, beside this file
  --provider      folder of libonnxruntime_providers_cuda.so and libonnxruntime_providers_shared.so, and of libonnxruntime.so where the
                  bundle was made without it; default: the variable ORT_PROVIDER_DIR
  --limit         seconds that one step may take; default: 1800
  --tests         tests whose names begin with one of these, separated by commas, instead of all
  --shape=tiny    times the operators at a tiny shape: for a driver that models a GPU

Exit code: 0 all steps passed or had nothing to run, 1 a step failed, 2 no GPU can be used here, 64 an option is wrong.
END
}

quick=
shape=
tests=
steps=$all_steps
results=$bundle/results
limit=1800
for option in "$@"; do
    case $option in
        --quick) quick=--quick ;;
        --only=*) steps=$(printf '%s' "${option#*=}" | tr ',' ' ') ;;
        --output=*) results=${option#*=} ;;
        --provider=*) ORT_PROVIDER_DIR=${option#*=} ;;
        --limit=*) limit=${option#*=} ;;
        --tests=*) tests=$(printf '%s' "${option#*=}" | tr ',' ' ') ;;
        --shape=tiny) shape=$option ;;
        --help | -h) usage; exit 0 ;;
        *) echo "error: there is no option $option" >&2; usage >&2; exit 64 ;;
    esac
done
for step in $steps; do
    case " $all_steps " in
        *" $step "*) ;;
        *) echo "error: there is no step $step; there are: $all_steps" >&2; exit 64 ;;
    esac
done

. "$bundle/libraries.sh"
. "$bundle/report.sh"
. "$bundle/steps.sh"

find_driver
if ! status=$("$bundle/bin/gpu_bench" --status 2>&1); then
    echo "No GPU can be used on this machine, so nothing was run: $status"
    exit 2
fi
echo "$status"
link_provider
gpu=$("$bundle/bin/gpu_bench" --name | tr -cs 'A-Za-z0-9\n' '-')
name=$(uname -n | tr -cs 'A-Za-z0-9\n' '-')-$gpu
work=$results/$name
mkdir -p "$work" || exit 1
rm -f "$work"/*
date=$(date -u +%Y-%m-%dT%H:%M:%SZ)

failed=
for step in $all_steps; do
    case " $steps " in
        *" $step "*) run_step "$step" ;;
    esac
done
write_json >"$results/$name.json"
write_markdown >"$results/$name.md"
echo "results: $results/$name.json and $results/$name.md; logs: $work"
[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
