#!/bin/sh
# Writes the locks from pyproject.toml: every package by version and hash, for all platforms at once.
#   envs/lock.sh [OPTION...]      options go to `uv pip compile`: --upgrade, --upgrade-package NAME
# envs/torch-cpu.lock is kept by hand: its builds have a version of their own and lie outside the registry.
set -eu
cd "$(dirname "$0")/.."
uv=$(command -v .venv/bin/uv || command -v uv)

compile() { # LOCK OPTION...
    lock=$1
    shift
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --custom-compile-command "make lock" --output-file "$lock" "$@"
}

# An override that never applies takes torch, and with it several GB of CUDA packages, out of the common lock.
never=$(mktemp)
trap 'rm -f "$never"' EXIT
echo "torch; sys_platform == 'never'" > "$never"

compile envs/xstilts.lock --override "$never" --no-emit-package torch --no-emit-package setuptools \
    "$@" pyproject.toml --group torch-needs
compile envs/build.lock -c envs/xstilts.lock "$@" --group build
compile envs/test.lock -c envs/xstilts.lock -c envs/build.lock "$@" --group test
compile envs/torch.lock -c envs/xstilts.lock -c envs/build.lock "$@" --group torch
# `===` so that pip does not take a local build (2.13.0+cpu), whose hash is another, for the registry's.
sed -i.partial 's/^torch==/torch===/' envs/torch.lock && rm -f envs/torch.lock.partial
