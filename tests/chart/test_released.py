"""The package that a release makes of the chart (deploy/release/chart): images are pinned by digest."""

import subprocess

import charts
import pytest

RECORDER, SANDBOX = "sha256:" + "a1" * 32, "sha256:" + "b2" * 32
MIRRORED = charts.IMAGE.replace("ghcr.io/", "mirror.example.com/")


def package(folder, recorder=RECORDER, sandbox=SANDBOX):
    charts.program("helm4")
    command = [charts.ROOT / "deploy/release/chart", "package", recorder, sandbox, folder]
    return subprocess.run(command, check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    return package(tmp_path_factory.mktemp("chart")).stdout.strip()


def image(released, helm, *arguments):
    given = ["--values", charts.values_files()["minimal"], *arguments]
    return charts.recorder(charts.render(helm, *given, chart=released))["image"]


def test_a_released_chart_has_the_digests_of_its_images(released, helm):
    given = ["--values", charts.values_files()["minimal"], "--set", "sandbox.enabled=true"]
    objects = charts.render(helm, *given, chart=released)
    images = {it["image"] for pod in charts.pods(objects).values() for it in pod["spec"]["containers"]}
    sandbox = charts.IMAGE.replace("/deployment-recorder:", "/github-sandbox:")
    assert images == {f"{charts.IMAGE}@{RECORDER}", f"{sandbox}@{SANDBOX}"}


@pytest.mark.parametrize(
    "given, expected",
    [
        (f"image.tag={charts.VERSION}", f"{charts.IMAGE}@{RECORDER}"),
        ("image.tag=0.0.1", "ghcr.io/deployment-recorder/deployment-recorder:0.0.1"),
        (f"image.digest={SANDBOX}", f"{charts.IMAGE}@{SANDBOX}"),
        # A mirror that was given one platform alone has another digest.
        ("image.registry=mirror.example.com", MIRRORED),
        ("global.imageRegistry=mirror.example.com", MIRRORED),
        ("image.repository=mirror.example.com/recorder", f"mirror.example.com/recorder:{charts.VERSION}"),
    ],
)
def test_it_has_them_for_no_other_image(released, helm, given, expected):
    assert image(released, helm, "--set", given) == expected


def test_packaged_twice_it_is_the_same(released, tmp_path):
    again = package(tmp_path).stdout.strip()
    with open(released, "rb") as one, open(again, "rb") as other:
        assert one.read() == other.read()


def test_what_is_no_digest_is_refused(tmp_path):
    with pytest.raises(subprocess.CalledProcessError) as refused:
        package(tmp_path, sandbox="latest")
    assert "'latest' is no digest" in refused.value.stderr
    assert not list(tmp_path.iterdir())
