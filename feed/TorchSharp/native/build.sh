#!/bin/sh
# Builds libTorchSharpShim.so into the folder given. LIBTORCH names the root of a libtorch 2.x distribution (CPU or CUDA);
# without it the system's libtorch-dev is used, with the OpenMP flavour of OpenBLAS where it is installed: the reference BLAS,
# which libtorch finds otherwise, is a hundred times slower.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: build.sh OUTPUT_FOLDER}
mkdir -p "$out"
if [ -n "${LIBTORCH:-}" ]; then
    include="-I$LIBTORCH/include"
    link="-L$LIBTORCH/lib -Wl,-rpath,$LIBTORCH/lib -Wl,--no-as-needed -ltorch_cpu -lc10"
    if [ -e "$LIBTORCH/lib/libtorch_cuda.so" ]; then
        link="$link -ltorch_cuda -lc10_cuda"
    fi
else
    include=
    link="-Wl,--no-as-needed"
    blas=/usr/lib/$(${CXX:-g++} -print-multiarch)/openblas-openmp
    if [ -e "$blas/libblas.so.3" ]; then
        # Loaded before libtorch_cpu, these serve its own request for the same names.
        link="$link -Wl,-rpath,$blas $blas/libblas.so.3 $blas/liblapack.so.3 $blas/libopenblas.so.0"
    else
        echo "build.sh: no libopenblas0-openmp: matrix products will run on the system's default BLAS" >&2
    fi
    link="$link -ltorch_cpu -lc10"
fi
exec ${CXX:-g++} -std=c++17 -O2 -ftree-vectorize -fno-math-errno -fPIC -shared -fvisibility=hidden -Wall -Wno-sign-compare $include \
    "$here/torchshim.cpp" "$here/adamw.cpp" -o "$out/libTorchSharpShim.so" $link
