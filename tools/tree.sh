#!/usr/bin/env bash
# Fetches what the tests of Binder and JupyterHub need: tools/tree.sh FOLDER, as root on Debian.
#   FOLDER/tree.tar   a Debian with Python and binder/apt.txt, without docker (mmdebstrap)
#   FOLDER/hub        a JupyterHub with DockerSpawner and its proxy (npm)
#   FOLDER/wheels     what that Debian's Python needs, beside what is there (tools/wheels.sh)
# What is there already is kept.
set -euo pipefail
to=$(realpath -m "${1:?which folder?}")
cd "$(dirname "$0")/.."
mkdir -p "$to"

if [ ! -e "$to/tree.tar" ]; then
  wanted=$(tr '\n' ',' <binder/apt.txt)ca-certificates,python3,python3-venv
  . /etc/os-release
  mmdebstrap -q --variant=minbase --include="$wanted" \
    --customize-hook='chroot "$1" useradd --uid 1000 --create-home --shell /bin/bash jovyan' \
    --customize-hook='chroot "$1" install -d -o jovyan -g jovyan /srv/venv' \
    --format=tar "$VERSION_CODENAME" "$to/tree.tar.part"
  mv "$to/tree.tar.part" "$to/tree.tar"
fi
if [ ! -e "$to/hub/bin/configurable-http-proxy" ]; then
  python3 -m venv "$to/hub"
  "$to/hub/bin/pip" install -q -r binder/hub-requirements.txt
  npm install --silent --global --prefix "$to/hub" configurable-http-proxy
fi
tools/wheels.sh "$to/wheels" /usr/bin/python3
