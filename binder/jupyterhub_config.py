"""JupyterHub for a class on one machine: each learner has a container of the course's image.

It is a small machine of her own: her own localhost:5000, 2 GB of memory, no way to the others'
and none to the internet, which the lessons do not need. It keeps her work until the container is
removed. Variables that change it:

    DOCKERLAB_IMAGE  the image; `dockerlab-binder` if nothing is said
    DOCKERLAB_HUB    where the hub listens; `http://127.0.0.1:8000`, for this machine alone
    DOCKERLAB_LOGIN  who may enter. `dummy`, any name without a password, is to try it on this
                     machine only. For a class, name a real authenticator, and give its settings in
                     a file of your own. One password for the room, DOCKERLAB_LOGIN=shared-password:

                         load_subconfig("jupyterhub_config.py")
                         c.SharedPasswordAuthenticator.user_password = "…"
                         c.Authenticator.allow_all = True
"""

import os
from urllib.parse import urlsplit

import docker

c = get_config()  # noqa: F821

bind = os.environ.get("DOCKERLAB_HUB", "http://127.0.0.1:8000")
login = os.environ.get("DOCKERLAB_LOGIN", "dummy")
if login == "dummy" and urlsplit(bind).hostname not in ("127.0.0.1", "localhost", "::1"):
    raise SystemExit("Beyond this machine, DOCKERLAB_LOGIN must name who may enter.")

NETWORK = "dockerlab-class"
networks = docker.from_env().networks
if not networks.list(names=[NETWORK]):
    apart = {"com.docker.network.bridge.enable_icc": "false"}
    networks.create(NETWORK, driver="bridge", internal=True, options=apart)
gateway = networks.list(names=[NETWORK])[0].attrs["IPAM"]["Config"][0]["Gateway"]

c.JupyterHub.bind_url = bind
c.JupyterHub.hub_ip = gateway  # where the containers find it, and nobody else does
c.JupyterHub.authenticator_class = login
c.Authenticator.allow_all = login == "dummy"
c.JupyterHub.spawner_class = "docker"

c.DockerSpawner.image = os.environ.get("DOCKERLAB_IMAGE", "dockerlab-binder")
c.DockerSpawner.cmd = ["jupyterhub-singleuser"]
c.DockerSpawner.network_name = NETWORK
c.DockerSpawner.use_internal_ip = True
c.DockerSpawner.mem_limit = "2G"
c.DockerSpawner.extra_host_config = {
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "pids_limit": 1024,
}
c.DockerSpawner.default_url = "/lab/tree/notebooks/start.md"
c.DockerSpawner.start_timeout = 120
