#!/usr/bin/env bash
# Builds the image of Binder and JupyterHub without internet: tools/image.sh FOLDER WHEELS NAME,
# from what tools/tree.sh and tools/wheels.sh have fetched. Its steps, and their order, are those
# of repo2docker, which builds the same where there is internet.
set -euo pipefail
folder=$(realpath "$1") wheels=$(realpath "$2") name=$3
cd "$(dirname "$0")/.."

limits=(--network none --cap-drop ALL --security-opt no-new-privileges --memory 2g --user jovyan)
surroundings=(-e SHELL=/bin/bash -e LANG=C.UTF-8 -e PATH=/srv/venv/bin:/usr/local/bin:/usr/bin:/bin)
steps='set -e
tar -x
python3 -m venv /srv/venv
export PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels
pip install --no-cache-dir -q -r binder/requirements.txt
binder/postBuild'

docker import - "$name-tree" <"$folder/tree.tar"
home=$(docker run --rm --network none "$name-tree" bash -c 'echo ~jovyan')
container=$(docker create -i "${limits[@]}" "${surroundings[@]}" -v "$wheels:/wheels:ro" \
  -w "$home" "$name-tree" bash -c "$steps")
trap 'docker rm -f "$container" >/dev/null' EXIT
git ls-files -z --cached --others --exclude-standard | tar -c --null --files-from - |
  docker start -ai "$container"
docker commit --change "ENTRYPOINT [\"$home/binder/start\"]" --change 'CMD ["jupyter", "lab"]' \
  --change 'EXPOSE 8888' "$container" "$name"
