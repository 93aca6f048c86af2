"""docker's errors, in both dialects, each get their own explanation."""

import pytest

from dockerlab import i18n
from dockerlab.course.explain import explain, known_errors

# What docker prints -> key in errors.yaml. Old engines' words and the containerd store's.
SAID = {
    'Get "https://192.168.56.1:5000/v2/": http: server gave HTTP response to HTTPS client': (
        "plain-http"
    ),
    "denied: requested access to the resource is denied": "push-denied",
    "push access denied, repository does not exist or may require authorization: server message: "
    "insufficient_scope: authorization failed": "push-denied",
    "Error response from daemon: pull access denied for team/x, repository does not exist or may "
    "require 'docker login': denied: requested access to the resource is denied": "pull-denied",
    "unauthorized: authentication required": "no-credentials",
    'Error response from daemon: Head "http://localhost:5001/v2/apps/internal-app/manifests/latest"'
    ": no basic auth credentials": "no-credentials",
    "Error response from daemon: Get https://registry-1.docker.io/v2/: unauthorized: incorrect "
    "username or password": "hub-login",
    "Error response from daemon: login attempt to http://localhost:5001/v2/ failed with status: "
    "401 Unauthorized": "login-failed",
    "error: cannot perform an interactive login from a non-TTY device": "interactive-login",
    "Error: Cannot perform an interactive login from a non TTY device": "interactive-login",
    "name 'answer' is not defined": "cell-not-run",
    "error storing credentials - err: exit status 1, out: ``": "credential-store",
    'error getting credentials - err: exec: "docker-credential-desktop.exe": executable file not '
    "found in $PATH, out: ``": "credential-store",
    "fork/exec /usr/bin/docker-credential-desktop.exe: exec format error": "credential-store",
    "Error response from daemon: manifest for localhost:5000/my-image:v9 not found: manifest "
    "unknown: manifest unknown": "manifest-unknown",
    'Error response from daemon: failed to resolve reference "localhost:5000/my-image:v9": '
    "localhost:5000/my-image:v9: not found": "manifest-unknown",
    "name unknown: repository name not known to registry": "name-unknown",
    "invalid reference format": "invalid-reference",
    "invalid reference format: repository name (library/MyApp) must be lowercase": "uppercase",
    "tag does not exist: localhost:5000/x:t": "not-tagged",
    "An image does not exist locally with the tag: localhost:5000/x": "not-tagged",
    "Error response from daemon: No such image: x:latest": "no-such-image",
    "docker: Error response from daemon: driver failed programming external connectivity on "
    "endpoint registry (0a): Bind for 0.0.0.0:5000 failed: port is already allocated": (
        "port-allocated"
    ),
    "failed to bind host port 0.0.0.0:5000/tcp: address already in use": "port-in-use",
    "Error starting userland proxy: listen tcp4 0.0.0.0:5000: bind: address already in use": (
        "port-in-use"
    ),
    "Ports are not available: exposing port TCP 0.0.0.0:5000 -> 127.0.0.1:0": "port-in-use",
    'Conflict. The container name "/registry" is already in use by container "0a1b".': (
        "name-conflict"
    ),
    "tls: failed to verify certificate: x509: certificate signed by unknown authority": (
        "unknown-authority"
    ),
    "x509: certificate has expired or is not yet valid: current time 2026-11-25T09:00:00Z is after "
    "2020-01-01T00:00:00Z": "certificate-expired",
    "x509: certificate relies on legacy Common Name field, use SANs instead": (
        "wrong-certificate-name"
    ),
    "x509: certificate is valid for registry.local, not localhost": "wrong-certificate-name",
    "dial tcp 127.0.0.1:5000: connect: connection refused": "connection-refused",
    "dial tcp: lookup regsitry on 10.0.0.1:53: no such host": "no-such-host",
    "toomanyrequests: You have reached your unauthenticated pull rate limit.": "rate-limit",
    "toomanyrequests: You have reached your pull rate limit.": "rate-limit",
    "permission denied while trying to connect to the docker API at unix:///var/run/docker.sock": (
        "no-permission"
    ),
    "the input device is not a TTY": "no-terminal",
    "Are you sure you want to continue? [y/N] ": "no-answer",
    "dial tcp: lookup registry-1.docker.io on 10.0.0.53:53: dial udp 10.0.0.53:53: connect: "
    "network is unreachable": "no-such-host",
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon "
    "running?": "no-engine",
    'level=error msg="error waiting for container: unexpected EOF"': "no-engine",
    "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is "
    "correct": "no-engine",
    "blob upload unknown": "upload-broken",
    "error parsing HTTP 413 response body: 413 Request Entity Too Large": "upload-broken",
    "unknown blob": "layer-lost",
    "dial tcp: lookup registry-1.docker.io on [::1]:53: read udp [::1]:4146->[::1]:53: read: "
    "connection refused": "no-such-host",
    'Get "https://registry-1.docker.io/v2/": net/http: request canceled while waiting for '
    "connection (Client.Timeout exceeded while awaiting headers)": "no-way-there",
    "dial tcp 192.168.56.7:5000: connect: no route to host": "no-way-there",
    'error parsing HTTP 403 response body: unexpected end of JSON input: ""': "not-a-registry",
    "unexpected status from HEAD request to http://localhost:5000/v2/x/blobs/sha256:0a: 403 "
    "Forbidden": "not-a-registry",
    "no matching manifest for linux/arm64/v8 in the manifest list entries": "wrong-platform",
    "exec /hello: exec format error": "wrong-platform",
    'OCI runtime create failed: exec: "htpasswd": executable file not found in $PATH': (
        "htpasswd-missing"
    ),
    'OCI runtime create failed: exec: "sh": executable file not found in $PATH': "program-missing",
    "unsupported: The operation is unsupported.": "delete-disabled",
    "write /var/lib/docker/tmp/x: no space left on device": "disk-full",
    "OSError: [Errno 28] No space left on device": "disk-full",
    "Error response from daemon: No such container: registri": "no-such-container",
    "Error: No such container: registri": "no-such-container",
    'conflict: unable to remove repository reference "x" (must force) - container 0a is using its '
    "referenced image 0b": "image-in-use",
    "conflict: unable to delete 0b (must be forced) - image is referenced in multiple "
    "repositories": "image-many-names",
    "You cannot remove a running container 0a. Stop the container before attempting removal or "
    "force remove": "container-running",
    'cannot remove container "/registry": container is running: stop the container before removing '
    "or force remove": "container-running",
}


@pytest.mark.parametrize(("text", "key"), SAID.items(), ids=lambda case: case[:40])
def test_docker_says_and_the_course_explains(text: str, key: str) -> None:
    wanted = next(known for known in known_errors() if known.key == key)
    for code in i18n.LANGUAGES:
        i18n.choose(code)
        said = explain(text)
        assert said is not None
        assert said.means.endswith(wanted.means[code].rsplit("}", 1)[-1])
        assert said.do.endswith(wanted.do[code].rsplit("}", 1)[-1])
        assert "{" not in str(said) and len(str(said).split("\n")) == 2


def test_every_known_error_is_met_here() -> None:
    assert {known.key for known in known_errors()} == set(SAID.values())


def test_what_docker_named_is_named_again() -> None:
    said = explain('Conflict. The container name "/registry" is already in use by container "0a".')
    assert said and "called registry " in said.means and "docker rm -f registry" in said.do


def test_a_name_that_was_typed_is_explained_itself() -> None:
    said = explain(
        'Error parsing reference: "localhost:5000/My-Image" is not a valid repository/tag: '
        "invalid reference format: repository name (My-Image) must be lowercase",
        ["tag", "my-image", "localhost:5000/My-Image"],
    )
    assert str(said) == (
        "What it means: “My-Image” has capital letters, and a repository's name has none.\n"
        "What to do: Did you mean localhost:5000/my-image?"
    )
    said = explain("invalid reference format", ["pull", "--all-tags", "আমার"])
    assert (
        str(said)
        == "What it means: A name is written with a–z and 0–9; “আমার” does not belong in it."
    )


def test_what_nobody_knows_is_not_explained() -> None:
    assert explain("everything is fine") is None
    assert explain("everything is fine", ["pull", "My-Image"]) is None
