#!/usr/bin/env bash
# Builds polytape as it is distributed (profile dist), copies the binary to a path, and runs it once. The Dockerfile calls
# this script, and so can CI, without Docker.
#
#   deploy/build.sh PATH
#
#   CARGO_TARGET_DIR   where cargo builds; relative paths start at the root of the repository  (target)
set -euo pipefail

if [ $# != 1 ] || [ -z "$1" ]; then
    echo "usage: deploy/build.sh PATH" >&2
    exit 2
fi
binary=$(realpath -m -- "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target="${CARGO_TARGET_DIR:-target}"

cargo build --locked --profile dist --target-dir "$target"
install -D -m 0755 -- "$target/dist/polytape" "$binary"
"$binary" --version
