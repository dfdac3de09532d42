# Finds the CUDA driver and the libraries that ONNX Runtime's CUDA provider links. Sourced by run.sh; sets and exports LD_LIBRARY_PATH.

# Folders of every Python's packages, as wheels bring CUDA libraries along.
python_packages() {
    for python in $(printf '%s\n' "$PATH" | tr ':' '\n' | while read -r folder; do ls "$folder"/python3 2>/dev/null; done) /opt/*/bin/python3; do
        [ -x "$python" ] && "$python" -c 'import site, sys; print("\n".join(sys.path + site.getsitepackages() + [site.getusersitepackages()]))' 2>/dev/null
    done | awk 'length && !seen[$0]++'
}

# Folders that may hold CUDA's libraries and tools besides the loader's own, one a line, the likeliest first.
cuda_folders() {
    printf '%s\n' "${ORT_PROVIDER_DIR:-}" /usr/local/nvidia/lib64 /usr/local/nvidia/lib /usr/local/cuda/lib64 /usr/local/cuda*/lib64 \
        /usr/local/cuda*/targets/x86_64-linux/lib /usr/lib/x86_64-linux-gnu /usr/lib64 /usr/lib64-nvidia /usr/lib/wsl/lib /opt/cuda/lib64
    python_packages | while read -r packages; do
        printf '%s\n' "$packages"/nvidia/*/lib "$packages"/torch/lib
    done
}

# The first of the folders, on standard input, that holds a file of this name.
holder() {
    while read -r folder; do
        if [ -n "$folder" ] && [ -e "$folder/$1" ]; then
            printf '%s\n' "$folder"
            return 0
        fi
    done
    return 1
}

append_library_folder() {
    LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$1
    export LD_LIBRARY_PATH
}

# Names of the libraries that this one links, itself or through others, and that the loader does not find.
unresolved() {
    ldd "$1" 2>/dev/null | awk '/=> not found/ && !seen[$1]++ { print $1 }'
}

# Adds folders until the loader finds all that a library links, or no folder is left that has what is missing.
resolve() {
    while :; do
        added=
        for name in $(unresolved "$1"); do
            if folder=$(printf '%s\n' "$folders" | holder "$name"); then
                append_library_folder "$folder"
                added=yes
                break
            fi
        done
        [ -n "$added" ] || return 0
    done
}

# Lets the driver be found where the loader does not look by itself.
find_driver() {
    folders=$(cuda_folders | awk '!seen[$0]++')
    if ! ldconfig -p 2>/dev/null | grep -q 'libcuda\.so\.1 ' && ! printf '%s\n' "${LD_LIBRARY_PATH:-}" | tr ':' '\n' | holder libcuda.so.1 >/dev/null; then
        if folder=$(printf '%s\n' "$folders" | holder libcuda.so.1); then
            append_library_folder "$folder"
        fi
    fi
}

# A tool of the CUDA toolkit: on the PATH, in a toolkit, or in a Python package.
find_tool() {
    command -v "$1" && return 0
    for path in /usr/local/cuda*/bin/"$1" /opt/cuda/bin/"$1" $(python_packages | while read -r packages; do printf '%s\n' "$packages"/nvidia/*/bin/"$1"; done); do
        [ -x "$path" ] && printf '%s\n' "$path" && return 0
    done
    return 1
}
