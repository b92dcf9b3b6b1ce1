#!/bin/sh
# Makes .venv from requirements.lock. Says what is missing on the machine, and how to get it, before it starts.
set -eu
cd "$(dirname "$0")/.."

fail() { printf 'wsseg setup: %s\n' "$1" >&2; exit 2; }

find_python() {
    for name in ${PYTHON:-} python3.12 python3.11 python3 python; do
        if "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
}

python=$(find_python)
[ -n "$python" ] || fail "Python 3.11 or 3.12 is needed and was not found; install one (Debian: apt install python3 python3-venv python3-dev) or name it: make PYTHON=/path/to/python3.12"
"$python" -c 'import venv, ensurepip' 2>/dev/null || fail "$python lacks the venv module; install it (Debian: apt install python3-venv)."
command -v "${CXX:-c++}" >/dev/null 2>&1 || command -v g++ >/dev/null 2>&1 || fail "a C++ compiler is needed to build the dense CRF; install one (Debian: apt install g++)."
"$python" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))' || fail "the headers of $python are missing; install them (Debian: apt install python3-dev)."

[ -x .venv/bin/python ] && .venv/bin/python -c 'import pip' 2>/dev/null || "$python" -m venv --clear .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check uv
.venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes requirements.lock
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --editable .
touch .venv/.installed
