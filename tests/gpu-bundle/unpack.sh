#!/bin/sh
# Puts the parts of the archive beside this file together, after checking them, and unpacks them here or into the folder given.
set -eu
target=$(mkdir -p "${1:-.}" && cd "${1:-.}" && pwd)
cd "$(dirname "$0")"
sha256sum --check --quiet SHA256SUMS || { echo "error: a part is missing or damaged; copy it again" >&2; exit 1; }
cat ./*.tar.xz* | tar --extract --xz --directory="$target"
echo "unpacked into $target; next: the folder's run.sh"
