"""Local images on the embedded engine: texts as docker 28.2.2 prints them with engine 20.10.24."""

import json
from pathlib import Path

import pytest

from dockerlab.engine.images import ImageStore
from dockerlab.errors import EngineError
from dockerlab.image import sample
from dockerlab.image.layout import Entry
from dockerlab.image.manifest import Platform
from dockerlab.image.reference import Reference
from tests.dockers import Docker

NO_DIGEST = "sha256:" + "5" * 64


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    """A host with the samples `one:v1` and `two` (a later version of the same)."""
    docker = Docker(tmp_path)
    docker.engine.images.add_sample("nginx", "one:v1", 1)
    docker.engine.images.add_sample("nginx", "two", 2)
    return docker


def image_id(docker: Docker, name: str) -> str:
    return docker.engine.images.find(name).id


def test_images_lists_the_newest_first(docker: Docker) -> None:
    lines = docker.good("images").splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["REPOSITORY", "TAG"],
        ["two", "latest"],
        ["one", "v1"],
    ]
    assert lines[0] == "REPOSITORY   TAG       IMAGE ID       CREATED       SIZE"
    assert lines[1].endswith("ago   830B")


@pytest.mark.parametrize("spelling", [("images",), ("image", "ls"), ("image", "list")])
def test_every_spelling_of_images(docker: Docker, spelling: tuple[str, ...]) -> None:
    assert docker.good(*spelling, "-q").split() == [
        image_id(docker, name)[7:19] for name in ("two", "one:v1")
    ]


def test_no_images(tmp_path: Path) -> None:
    docker = Docker(tmp_path)
    assert docker.good("images") == "REPOSITORY   TAG       IMAGE ID   CREATED   SIZE\n"
    assert docker.good("images", "-q") == ""


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ("reference=one", ["one"]),
        ("reference=o*", ["one"]),
        ("reference=*:latest", ["two"]),
        ("reference=[^o]*", ["two"]),
        ("reference=docker.io/library/one", []),
        ("before=two", ["one"]),
        ("since=one:v1", ["two"]),
        ("dangling=true", []),
        ("dangling=false", ["two", "one"]),
        ("label=dockerlab.sample", ["two", "one"]),
        ("label=dockerlab.sample=nginx", ["two", "one"]),
        ("label=dockerlab.sample=other", []),
    ],
)
def test_filters(docker: Docker, filter: str, found: list[str]) -> None:
    shown = docker.good("images", "--filter", filter, "--format", "{{.Repository}}")
    assert shown.split() == found


@pytest.mark.parametrize(
    ("filter", "error"),
    [
        ("foo=bar", "Error response from daemon: Invalid filter 'foo'\n"),
        ("dangling=x", "Error response from daemon: Invalid filter 'dangling=[x]'\n"),
        ("before=nosuch", "Error response from daemon: No such image: nosuch:latest\n"),
        ("reference=[x", "Error response from daemon: syntax error in pattern\n"),
    ],
)
def test_filters_that_docker_refuses(docker: Docker, filter: str, error: str) -> None:
    assert docker.bad("images", "--filter", filter) == error


def test_images_in_other_forms(docker: Docker) -> None:
    whole = docker.good("images", "--no-trunc", "--format", "{{.ID}} {{.Tag}}", "one")
    assert whole == f"{image_id(docker, 'one:v1')} v1\n"
    first = json.loads(docker.good("images", "--format", "json").splitlines()[0])
    assert (first["Repository"], first["Digest"], first["Size"]) == ("two", "<none>", "830B")
    assert r'"Digest":"\u003cnone\u003e"' in docker.good("images", "--format", "{{json .}}")
    assert docker.good("images", "--format", r"table {{.Repository}}\t{{.Size}}") == (
        "REPOSITORY   SIZE\ntwo          830B\none          830B\n"
    )
    assert docker.bad("images", "--format", "{{.Foo}}") == (
        'template parsing error: template: :1:2: executing "" at <.Foo>: '
        "can't evaluate field Foo in type *formatter.imageContext\n"
    )


@pytest.mark.parametrize("spelling", [("tag",), ("image", "tag")])
def test_tag_gives_a_second_name(docker: Docker, spelling: tuple[str, ...]) -> None:
    assert docker.good(*spelling, "two", "localhost:5000/my-image") == ""
    assert image_id(docker, "localhost:5000/my-image:latest") == image_id(docker, "two")


def test_tag_by_the_beginning_of_an_id(docker: Docker) -> None:
    docker.good("tag", image_id(docker, "two")[7:13], "three")
    docker.good("tag", image_id(docker, "two"), "four")
    assert image_id(docker, "three") == image_id(docker, "four") == image_id(docker, "two")


def test_what_is_no_id_names_nothing(docker: Docker) -> None:
    assert docker.bad("tag", "sha256", "x").endswith("No such image: sha256:latest\n")
    with pytest.raises(EngineError, match="invalid reference format"):
        docker.engine.images.find("")


@pytest.mark.parametrize(
    ("source", "target", "error"),
    [
        ("nosuch", "x", "Error response from daemon: No such image: nosuch:latest"),
        ("one", "x", "Error response from daemon: No such image: one:latest"),
        (
            "two",
            "localhost:5000/My-Image",
            'Error parsing reference: "localhost:5000/My-Image" is not a valid repository/tag: '
            "invalid reference format: repository name (My-Image) must be lowercase",
        ),
        (
            "two",
            "http://localhost:5000/x",
            'Error parsing reference: "http://localhost:5000/x" is not a valid repository/tag: '
            "invalid reference format",
        ),
        (
            "a b",
            "x",
            'Error parsing reference: "a b" is not a valid repository/tag: '
            "invalid reference format",
        ),
        ("two", f"x@{NO_DIGEST}", "refusing to create a tag with a digest reference"),
        (
            "two",
            "sha256:abc",
            "Error response from daemon: refusing to create an ambiguous tag using digest "
            "algorithm as name",
        ),
    ],
)
def test_tags_that_docker_refuses(docker: Docker, source: str, target: str, error: str) -> None:
    assert docker.bad("tag", source, target) == error + "\n"


def test_a_name_that_moves_leaves_its_image_dangling(docker: Docker) -> None:
    before = image_id(docker, "two")
    docker.good("tag", "one:v1", "two")
    assert docker.good("images", "-f", "dangling=true", "--no-trunc", "-q") == f"{before}\n"
    shown = docker.good("images", "--format", "{{.Repository}}:{{.Tag}}")
    assert shown.split() == ["<none>:<none>", "one:v1", "two:latest"]
    docker.good("tag", before, "back")
    assert docker.good("images", "-f", "dangling=true", "-q") == ""


def test_rmi_of_one_of_two_names(docker: Docker) -> None:
    docker.good("tag", "two", "other")
    assert docker.good("rmi", "other") == "Untagged: other:latest\n"
    assert image_id(docker, "two")


def test_rmi_deletes_image_and_layers_that_nothing_else_has(docker: Docker) -> None:
    two = docker.engine.images.find("two")
    chain = two.chain_ids
    assert docker.good("image", "rm", "two").splitlines() == [
        "Untagged: two:latest",
        f"Deleted: {two.id}",
        f"Deleted: {chain[2]}",  # the two layers below are also those of one:v1
    ]
    assert not two.layout.blob_path(two.id).exists()
    assert docker.good("history", "-q", "one:v1")
    one = docker.engine.images.find("one:v1")
    chain = one.chain_ids
    lines = docker.good("image", "remove", one.id[7:19]).splitlines()
    assert lines == [
        "Untagged: one:v1",
        f"Deleted: {one.id}",
        *(f"Deleted: {layer}" for layer in reversed(chain)),
    ]
    blobs = docker.engine.images.path / "blobs"
    assert [file for file in blobs.rglob("*") if file.is_file()] == []


def test_rmi_by_id_of_an_image_with_two_names(docker: Docker) -> None:
    docker.good("tag", "two", "other")
    short = image_id(docker, "two")[7:19]
    assert docker.bad("rmi", short) == (
        f"Error response from daemon: conflict: unable to delete {short} (must be forced) - "
        "image is referenced in multiple repositories\n"
    )
    lines = docker.good("rmi", "-f", short).splitlines()
    assert lines[:2] == ["Untagged: other:latest", "Untagged: two:latest"]


def test_rmi_goes_on_after_a_mistake(docker: Docker) -> None:
    result = docker("rmi", "nosuch", "two", "My-Image", "http://x")
    assert result.out.startswith("Untagged: two:latest\n")
    assert result.err.splitlines() == [
        "Error response from daemon: No such image: nosuch:latest",
        "Error response from daemon: invalid reference format: repository name must be lowercase",
        "Error response from daemon: invalid reference format",
    ]
    assert result.status == 1


def test_rmi_with_force_shrugs_at_what_is_not_there(docker: Docker) -> None:
    result = docker("rmi", "-f", "nosuch")
    assert (result.err, result.status) == (
        "Error response from daemon: No such image: nosuch:latest\n",
        0,
    )


def test_rmi_of_an_image_that_a_container_uses(docker: Docker) -> None:
    container = docker.good("create", "--name", "user", "two").strip()[:12]
    short = image_id(docker, "two")[7:19]
    assert docker.bad("rmi", "two") == (
        'Error response from daemon: conflict: unable to remove repository reference "two" '
        f"(must force) - container {container} is using its referenced image {short}\n"
    )
    docker.good("tag", "two", "other")
    assert docker.good("rmi", "other") == "Untagged: other:latest\n"
    assert docker.bad("rmi", short) == (
        f"Error response from daemon: conflict: unable to delete {short} (must be forced) - "
        f"image is being used by stopped container {container}\n"
    )
    assert docker.good("image", "prune", "-af").splitlines()[1] == "untagged: one:v1"
    assert image_id(docker, "two")
    assert docker.good("rmi", "-f", "two").splitlines()[0] == "Untagged: two:latest"


def test_prune_removes_dangling_images_only(docker: Docker) -> None:
    assert docker.good("image", "prune", "-f") == "Total reclaimed space: 0B\n"
    two = docker.engine.images.find("two")
    top = two.chain_ids[2]
    docker.good("tag", "one:v1", "two")
    assert docker.good("image", "prune", "-f") == (
        f"Deleted Images:\ndeleted: {two.id}\ndeleted: {top}\n\nTotal reclaimed space: 546B\n"
    )
    assert len(docker.engine.images.list()) == 1


def test_prune_asks_first(docker: Docker) -> None:
    question = (
        "WARNING! This will remove all images without at least one container associated to them.\n"
        "Are you sure you want to continue? [y/N] "
    )
    assert docker.good("image", "prune", "-a") == question
    assert len(docker.engine.images.list()) == 2
    answered = docker("image", "prune", "-a", stdin=b"y\n").out
    assert answered.startswith(question + "Deleted Images:\n")
    assert docker.engine.images.list() == []


def test_prune_with_filters(docker: Docker) -> None:
    assert docker.good("image", "prune", "-af", "--filter", "label=x").startswith("Total")
    assert docker.good("image", "prune", "-af", "--filter", "until=2000-01-01").startswith("Total")
    assert docker.bad("image", "prune", "-f", "--filter", "foo=bar") == (
        "Error response from daemon: Invalid filter 'foo'\n"
    )
    assert docker.good("image", "prune", "-af", "--filter", "until=1h").startswith("Deleted")


def test_inspect(docker: Docker) -> None:
    found = json.loads(docker.good("image", "inspect", "two"))[0]
    image = docker.engine.images.find("two")
    assert (found["Id"], found["RepoTags"], found["RepoDigests"]) == (image.id, ["two:latest"], [])
    assert found["Size"] == 830
    assert found["RootFS"]["Layers"] == list(image.diff_ids)
    assert found["Config"]["Labels"][sample.STAND_IN_LABEL] == "nginx"
    result = docker("image", "inspect", "two", "nosuch", "one:v1", "-f", "{{index .RepoTags 0}}")
    assert result.out == "two:latest\none:v1\n"
    assert result.err == (
        "Error response from daemon: no such image: nosuch: No such image: nosuch:latest\n"
    )
    assert docker("image", "inspect", "nosuch").out == "[]\n"


def test_history(docker: Docker) -> None:
    short = image_id(docker, "two")[7:19]
    lines = docker.good("history", "two").splitlines()
    assert lines[0].split() == ["IMAGE", "CREATED", "CREATED", "BY", "SIZE", "COMMENT"]
    assert lines[1].startswith(f"{short}   ")
    assert [line.split()[-2] for line in lines[1:]] == ["0B", "0B", "546B", "201B", "83B"]
    assert docker.good("image", "history", "-q", "two").split() == [short] + ["<missing>"] * 4
    assert docker.good("history", "-H=false", "--format", "{{.CreatedAt}} {{.Size}}", "two")
    assert docker.bad("history", "nosuch") == (
        "Error response from daemon: No such image: nosuch:latest\n"
    )


def test_files_come_from_the_topmost_layer_that_has_them(docker: Docker) -> None:
    images = docker.engine.images
    text = images.files(images.find("two"), "greeting").decode()
    assert text == sample.greeting("nginx", 2)
    with pytest.raises(FileNotFoundError):
        images.files(images.find("two"), "nosuch")


def test_a_layout_that_another_tool_wrote_is_understood(tmp_path: Path) -> None:
    """Lines of the index that say no more than a name and a manifest."""
    docker = Docker(tmp_path)
    images = docker.engine.images
    index = images.layout.manifest(sample.build(images.layout, "my-image"))
    amd64 = next(m for m in index.manifests if m.platform == Platform("linux", "amd64"))
    images.layout.update(lambda _: [Entry("docker.io/library/foreign:latest", amd64)])
    assert docker.good("images", "--format", "{{.Repository}} {{.Size}}") == "foreign 702B\n"


def test_add_sample_again_in_another_version(tmp_path: Path) -> None:
    images = ImageStore(tmp_path / "images", lambda: sample.hub(tmp_path / "hub"))
    first = images.add_sample("my-image", "my-image")
    second = images.add_sample("my-image", Reference.parse("my-image"), 2)
    assert first.id != second.id
    assert images.find("my-image").id == second.id
    assert [image.names for image in images.list() if image.id == first.id] == [()]
