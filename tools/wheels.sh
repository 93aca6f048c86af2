#!/usr/bin/env bash
# Fetches all wheels of binder/requirements.txt: tools/wheels.sh FOLDER [PYTHON], for that Python.
# What is there already is kept.
set -euo pipefail
to=$(realpath -m "$1") python=$(command -v "${2:-python3}")
cd "$(dirname "$0")/.."
own=$(mktemp -d)
trap 'rm -rf "$own"' EXIT
python3 -m venv "$own"  # for its pip, which Debian's Python lacks
"$own/bin/pip" --python "$python" download -q --require-hashes --only-binary :all: \
  -r binder/requirements.txt -d "$to"
