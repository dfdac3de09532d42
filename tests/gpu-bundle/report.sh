# Puts what the steps left into one JSON file and one of Markdown. Sourced by run.sh.

# Lines as the inside of JSON strings; tabs, which part columns, stay.
json_text() {
    sed 's/\\/\\\\/g; s/"/\\"/g' | tr -d '\000-\010\013-\037'
}

# Lines as a list of strings.
json_strings() {
    printf '['
    json_text | tr '\t' ' ' | awk '{ printf "%s\"%s\"", (NR > 1 ? ", " : ""), $0 }'
    printf ']'
}

# Lines of JSON as a list.
json_list() {
    printf '['
    if [ -s "$1" ]; then
        awk '{ printf "%s\n    %s", (NR > 1 ? "," : ""), $0 }' "$1"
        printf '\n  '
    fi
    printf ']'
}

# A file of JSON, or null where there is none.
json_file() {
    if [ -s "$1" ]; then
        cat "$1"
    else
        printf 'null'
    fi
}

# What ptxas -v says of each kernel, as lines of JSON.
resources_json() {
    awk -v architecture="$1" '
        function value(text, pattern) { return match(text, pattern) ? substr(text, RSTART, RLENGTH) + 0 : 0 }
        /Compiling entry function/ { split($0, quoted, "\047"); kernel = quoted[2] }
        /spill stores/ { spills = value($0, "[0-9]+ bytes spill stores") + value($0, "[0-9]+ bytes spill loads") }
        /Used [0-9]+ registers/ {
            match($0, "Used [0-9]+")
            printf "{\"kernel\": \"%s\", \"architecture\": \"%s\", \"registers\": %d, \"spill_bytes\": %d, \"static_shared_bytes\": %d}\n",
                kernel, architecture, substr($0, RSTART + 5, RLENGTH - 5), spills, value($0, "[0-9]+ bytes smem")
        }'
}

steps_json() {
    json_text <"$work/steps.tsv" | awk -F '\t' '{ printf "%s\n    {\"step\": \"%s\", \"outcome\": \"%s\", \"seconds\": %d, \"says\": \"%s\"}", (NR > 1 ? "," : ""), $1, $2, $3, $4 }'
}

write_json() {
    printf '{\n  "host": "%s",\n  "date": "%s",\n  "device": ' "$(uname -n | json_text)" "$date"
    json_file "$work/facts.json"
    printf ',\n  "steps": [%s\n  ],\n  "failed_tests": ' "$(steps_json)"
    grep '^fail ' "$work/tests.txt" 2>/dev/null | json_strings
    printf ',\n  "resources": '
    json_list "$work/resources.jsonl"
    printf ',\n  "limits": '
    json_file "$work/limits.json"
    printf ',\n  "operators": '
    json_list "$work/kernels.jsonl"
    printf ',\n  "model": '
    json_file "$work/model.json"
    printf ',\n  "engines": ['
    comma=
    for file in "$work"/*/bench.json; do
        [ -e "$file" ] || continue
        printf '%s' "$comma"
        cat "$file"
        comma=,
    done
    printf ']\n}\n'
}

write_markdown() {
    printf '# %s\n\n%s\n\n| step | outcome | seconds | |\n|---|---|---|---|\n' "$name" "$status"
    tr '|' '/' <"$work/steps.tsv" | awk -F '\t' '{ printf "| %s | %s | %s | %s |\n", $1, $2, $3, $4 }'
    if grep -q '^fail ' "$work/tests.txt" 2>/dev/null; then
        printf '\n## Failed tests\n\n'
        grep '^fail ' "$work/tests.txt" | sed 's/^fail /- /'
    fi
    if [ -s "$work/kernels.md" ]; then
        printf '\n## Operators\n\n'
        cat "$work/kernels.md"
    fi
    for file in "$work"/*/bench.md; do
        [ -e "$file" ] || continue
        printf '\n## Whole model, %s\n\n' "$(basename "$(dirname "$file")")"
        cat "$file"
    done
    if [ -s "$work/resources.jsonl" ]; then
        printf '\n## Resources\n\n| kernel | architecture | registers | bytes spilled |\n|---|---|---|---|\n'
        sed 's/[{}"]//g; s/kernel: //; s/architecture: //; s/registers: //; s/spill_bytes: //; s/, static_shared.*//; s/, / | /g; s/.*/| & |/' "$work/resources.jsonl"
    fi
}
