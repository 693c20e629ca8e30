"""A registry, and the images that tests put into it, by its HTTP API alone
(https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md): what a digest is, is asked
of the registry and not of anything that the project makes."""

import gzip
import hashlib
import io
import json
import os
import platform
import subprocess
import tarfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from direct import urlopen

# Of the machine that tests run on, and so of its node.
PLATFORM = {"aarch64": "linux/arm64", "arm64": "linux/arm64"}.get(platform.machine(), "linux/amd64")
OTHER_PLATFORM = "linux/amd64" if PLATFORM == "linux/arm64" else "linux/arm64"
WORKLOAD = Path(__file__).parent / "workload"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER = "application/vnd.docker.distribution.manifest"
ACCEPTED = ", ".join([MANIFEST, INDEX, f"{DOCKER}.v2+json", f"{DOCKER}.list.v2+json"])


class Registry:
    """The registry at `address` (`http://` is plain HTTP, which is what it is without a scheme)."""

    def __init__(self, address: str):
        self.url = address if "://" in address else f"http://{address}"

    @property
    def host(self) -> str:
        return self.url.partition("://")[2]

    def digest(self, image: str) -> str:
        """The digest that the registry gives to `repository:tag`: of the index, where it is one."""
        repository, _, tag = image.rpartition(":")
        with self._ask("HEAD", f"/v2/{repository}/manifests/{tag}", accept=ACCEPTED) as answer:
            return answer.headers["Docker-Content-Digest"]

    def push(self, image: str, platforms: "list[str]", programs: Path) -> None:
        """Makes an image of the workload's program and sends it. With one platform it is an image,
        with more an index of images. Another name or tag is another digest: it is in the image."""
        manifests = [self._push_one(image, of, programs) for of in platforms]
        body = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
        if len(platforms) > 1:
            self._put_manifest(image, INDEX, body)

    def _push_one(self, image: str, of: str, programs: Path) -> dict:
        repository = image.rpartition(":")[0]
        system, architecture = of.split("/")
        program = (programs / f"workload-{architecture}").read_bytes()
        layer = archive({"workload": program})
        config = json.dumps(
            {
                "os": system,
                "architecture": architecture,
                "config": {"Entrypoint": ["/workload"], "User": "65532:65532", "Labels": {"image": image}},
                "rootfs": {"type": "layers", "diff_ids": [sha256(layer)]},
            }
        ).encode()
        packed = gzip.compress(layer, mtime=0)
        body = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._push_blob(repository, config, "application/vnd.oci.image.config.v1+json"),
            "layers": [self._push_blob(repository, packed, "application/vnd.oci.image.layer.v1.tar+gzip")],
        }
        digest, size = self._put_manifest(image, MANIFEST, body)
        return {
            "mediaType": MANIFEST,
            "digest": digest,
            "size": size,
            "platform": {"os": system, "architecture": architecture},
        }

    def _put_manifest(self, image: str, kind: str, body: dict) -> "tuple[str, int]":
        repository, _, tag = image.rpartition(":")
        text = json.dumps(body).encode()
        self._ask("PUT", f"/v2/{repository}/manifests/{tag}", text, kind).close()
        return sha256(text), len(text)

    def _push_blob(self, repository: str, content: bytes, kind: str) -> dict:
        digest = sha256(content)
        try:
            self._ask("HEAD", f"/v2/{repository}/blobs/{digest}").close()
        except urllib.error.HTTPError:
            with self._ask("POST", f"/v2/{repository}/blobs/uploads/", b"") as answer:
                place = urllib.parse.urljoin(self.url, answer.headers["Location"])
            place += ("&" if "?" in place else "?") + urllib.parse.urlencode({"digest": digest})
            self._ask("PUT", place, content, "application/octet-stream").close()
        return {"mediaType": kind, "digest": digest, "size": len(content)}

    def _ask(self, method: str, path: str, body: "bytes | None" = None, kind: str = "", accept: str = "*/*"):
        headers = {"Accept": accept, **({"Content-Type": kind} if kind else {})}
        url = urllib.parse.urljoin(self.url, path)
        request = urllib.request.Request(url, body, headers, method=method)
        return urlopen(request, timeout=60)


def build_programs(folder: Path) -> Path:
    """The workload's program for each platform, statically linked."""
    folder.mkdir(parents=True, exist_ok=True)
    for architecture in ("amd64", "arm64"):
        out = folder.resolve() / f"workload-{architecture}"
        build = ["go", "build", "-C", WORKLOAD, "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", out, "."]
        subprocess.run(build, env={**os.environ, "CGO_ENABLED": "0", "GOARCH": architecture}, check=True)
    return folder


def archive(files: "dict[str, bytes]") -> bytes:
    """A tar with executable files, without anything that changes from one time to the next."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
