#!/usr/bin/env bash
# Fetches all wheels of binder/requirements.txt: tools/wheels.sh FOLDER [PYTHON], for that Python.
# What is there already is kept.
set -euo pipefail
to=$(realpath -m "$1") python=$(command -v "${2:-python3}")
cd "$(dirname "$0")/.."
python3 -m pip --python "$python" download -q --require-hashes --only-binary :all: \
  -r binder/requirements.txt -d "$to"
