# The steps. Sourced by run.sh. A step is a function step_NAME that writes its log to standard output and ends with 0 (passed), 3 (nothing
# to run here: its last line says why) or another code (failed).

readonly skipped=3

# Runs one step within the limit; a step that fails stops none of the later ones.
run_step() {
    log=$work/$1.log
    begin=$(date +%s)
    printf '%-10s ' "$1"
    "step_$1" >"$log" 2>&1
    code=$?
    seconds=$(($(date +%s) - begin))
    case $code in
        0) outcome=passed ;;
        "$skipped") outcome=skipped ;;
        124) outcome=failed; echo "stopped after $limit seconds" >>"$log" ;;
        *) outcome=failed; echo "exit code $code" >>"$log" ;;
    esac
    last=$(tail -n 1 "$log")
    [ "$outcome" = failed ] && failed="$failed $1"
    printf '%s\t%s\t%s\t%s\n' "$1" "$outcome" "$seconds" "$last" >>"$work/steps.tsv"
    printf '%s, %s s: %s\n' "$outcome" "$seconds" "$last"
}

limited() {
    if command -v timeout >/dev/null; then
        timeout "$limit" "$@"
    else
        "$@"
    fi
}

skip() {
    echo "$1"
    return "$skipped"
}

step_facts() {
    uname -a
    nvidia-smi 2>/dev/null
    ldconfig -p 2>/dev/null | grep -E 'libcuda|libcudart|libcublas|libcudnn|libcufft|libcurand'
    "$bundle/bin/gpu_bench" --facts "$work/facts.json" && echo "$status"
}

# A kernel that faults takes the device away from the tests after it: those that failed run again, each in a process of its own.
step_tests() {
    limited "$bundle/bin/gpu_tests" $tests >"$work/tests.txt" 2>&1
    code=$?
    cat "$work/tests.txt"
    grep '^pass ' "$work/tests.txt" >"$work/passed.txt"
    for test in $(sed -n 's/^fail \([A-Za-z0-9_]*\):.*/\1/p' "$work/tests.txt"); do
        limited "$bundle/bin/gpu_tests" "$test" 2>&1 | grep -E "^(pass|fail) $test(:|\$)" >"$work/again.txt" || echo "fail $test: no result" >"$work/again.txt"
        cat "$work/again.txt" >>"$work/passed.txt"
    done
    rm -f "$work/again.txt"
    mv "$work/passed.txt" "$work/tests.txt"
    failures=$(grep -c '^fail ' "$work/tests.txt")
    echo "$(grep -c '^pass ' "$work/tests.txt") passed, $failures failed"
    case $code in
        0 | 1) [ "$failures" -eq 0 ] ;;
        *) return $code ;;
    esac
}

sanitize() {
    tool=$(find_tool compute-sanitizer) || { skip "compute-sanitizer is not installed"; return; }
    limited "$tool" --tool "$1" --error-exitcode 9 --leak-check no "$bundle/bin/gpu_tests" $tests
}

step_memcheck() { sanitize memcheck; }
step_racecheck() { sanitize racecheck; }

# Registers, spills and memory of every kernel, as one line of JSON each.
step_resources() {
    tool=$(find_tool ptxas) || { skip "ptxas is not installed"; return; }
    count=0
    for image in "$bundle"/ptx/*/*.ptx; do
        architecture=$(basename "$(dirname "$image")")
        limited "$tool" -v -arch="$architecture" -o /dev/null "$image" >"$work/ptxas.txt" 2>&1 || { cat "$work/ptxas.txt"; return 1; }
        cat "$work/ptxas.txt"
        resources_json "$architecture" <"$work/ptxas.txt" >>"$work/resources.jsonl"
        count=$((count + 1))
    done
    rm -f "$work/ptxas.txt"
    echo "$count images, $(grep -vc '"spill_bytes": 0' "$work/resources.jsonl") kernels with spills"
}

step_bench() {
    limited "$bundle/bin/gpu_bench" $quick $shape --images "$bundle/ptx" --output "$work" || return
    echo "$(wc -l <"$work/kernels.jsonl") rows"
}

# The .NET program: by itself where the bundle brings the runtime along, else with the machine's.
benchmark() {
    if [ -e "$bundle/benchmark/libcoreclr.so" ]; then
        limited "$bundle/benchmark/LatentMoE.Benchmarks" "$@"
    else
        limited dotnet "$bundle/benchmark/LatentMoE.Benchmarks.dll" "$@"
    fi
}

export_package() {
    if [ -e "$bundle/benchmark/libcoreclr.so" ]; then
        "$bundle/benchmark/LatentMoE.Export" export "$@"
    else
        dotnet "$bundle/benchmark/LatentMoE.Export.dll" export "$@"
    fi
}

# What whole models need beside the driver; says by name what is missing.
whole_models() {
    [ -e "$bundle/benchmark/LatentMoE.Benchmarks.dll" ] || { skip "the bundle was made without the benchmark"; return; }
    if ! [ -e "$bundle/benchmark/libcoreclr.so" ] && ! command -v dotnet >/dev/null; then
        skip "the bundle was made without .NET, and there is no dotnet here"
        return
    fi
    provider=$bundle/benchmark/libonnxruntime_providers_cuda.so
    for file in "$bundle/benchmark/libonnxruntime.so" "$provider" "$bundle/benchmark/libonnxruntime_providers_shared.so"; do
        [ -e "$file" ] || { skip "$(basename "$file") is neither in the bundle nor in --provider"; return; }
    done
    resolve "$provider"
    missing=$(unresolved "$provider" | tr '\n' ' ')
    [ -z "$missing" ] || skip "ONNX Runtime's CUDA provider needs ${missing}of CUDA and cuDNN, which are in no folder that was searched"
}

# Files of ONNX Runtime that the bundle was made without lie beside the program as links.
link_provider() {
    [ -n "${ORT_PROVIDER_DIR:-}" ] || return 0
    for file in libonnxruntime.so libonnxruntime_providers_cuda.so libonnxruntime_providers_shared.so; do
        if [ -e "$ORT_PROVIDER_DIR/$file" ] && ! [ -e "$bundle/benchmark/$file" ]; then
            ln -sf "$(cd "$ORT_PROVIDER_DIR" && pwd)/$file" "$bundle/benchmark/$file"
        fi
    done
}

step_model() {
    whole_models || return
    set --
    for package in "$bundle"/packages/*; do
        set -- "$@" --model "$package"
    done
    benchmark check --device cuda --output "$work/model.json" "$@"
}

# precision:activations of the packages that are measured
measured="f16:f16 bf16:bf16 int8:f16 int4:f16 f32:f32"

step_engines() {
    whole_models || return
    code=0
    limits=
    [ -s "$work/limits.json" ] && limits=$work/limits.json
    if [ -n "$quick" ]; then
        set -- --prefill 512 --context 0 --batch 1,8 --steps 32 --runs 3
    else
        set -- --prefill 512,4096 --context 0,1024,4096 --batch 1,8,64,256 --runs 5
    fi
    for types in $measured; do
        precision=${types%:*}
        package=$bundle/packages/bench-m-$precision-activations-${types#*:}
        if ! [ -e "$package/manifest.json" ]; then
            export_package --random-weights --preset bench-m --precision "$precision" --activations "${types#*:}" --output "$package" || { code=1; continue; }
        fi
        benchmark --device cuda --engine latentmoe,latentmoe-graph --model "$package" --output "$work/$precision" ${limits:+--limits "$limits"} "$@" || code=1
        [ -z "$quick" ] || break
    done
    return $code
}
