# SPDX-License-Identifier: Apache-2.0
"""Update metadata that openssl verifies, bundles that curl resumes, and every way in which the cloud fails on purpose."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import PROGRAMS, Authority, Cloud, done

METADATA = "https://updates.ht1.example/v1/update/HT-1.json"
SIZE = 1_000_003


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "n.raucb"
    path.write_bytes(os.urandom(SIZE))
    return path


@pytest.fixture(scope="module")
def offering(tmp_path_factory: pytest.TempPathFactory, authority: Authority, bundle: Path) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path_factory.mktemp("offering") / "dir", authority, "--publish", f"1.2.0={bundle}")
    yield cloud
    assert cloud.stop() == 0
    assert cloud.errors.read_text() == "", "it complains"


@pytest.fixture
def failing(offering: Cloud) -> Iterator[Cloud]:
    yield offering
    done(PROGRAMS / "fault", offering.folder)


def fail(cloud: Cloud, *faults: str) -> None:
    done(PROGRAMS / "fault", cloud.folder, *faults)


def verified(cloud: Cloud, body: str, folder: Path) -> bool:
    """As a device does it: over the text as it came."""
    answer = json.loads(body)
    (folder / "text").write_text(answer["signed"])
    (folder / "signature").write_bytes(base64.b64decode(answer["signature"]))
    key = cloud.authority.folder / "update.pem"
    words = ["openssl", "dgst", "-sha256", "-verify", key, "-signature", folder / "signature", folder / "text"]
    return done(*words, check=False).returncode == 0


def offer(cloud: Cloud) -> dict[str, Any]:
    status, body = cloud.ask(METADATA)
    assert status == 200, body
    signed: dict[str, Any] = json.loads(json.loads(body)["signed"])
    return signed


def first_bundle(cloud: Cloud) -> str:
    """The one of SIZE bytes, whatever was published since."""
    (path,) = (cloud.folder / "updates" / "bundles").glob("ht-1-1.2.0-*")
    return f"https://updates.ht1.example/bundles/{path.name}"


def test_the_metadata_is_signed_and_names_the_bundle(offering: Cloud, bundle: Path, tmp_path: Path) -> None:
    status, body = offering.ask(METADATA)
    assert status == 200
    assert verified(offering, body, tmp_path)
    assert not verified(offering, body.replace("1.2.0", "1.2.1"), tmp_path)
    signed = offer(offering)
    assert set(signed) == {"model", "version", "min_version", "size", "sha256", "url", "security", "notes", "expires"}
    assert (signed["model"], signed["version"], signed["size"]) == ("HT-1", "1.2.0", SIZE)
    assert signed["sha256"] == hashlib.sha256(bundle.read_bytes()).hexdigest()
    assert datetime.datetime.fromisoformat(signed["expires"]) > datetime.datetime.now(datetime.UTC)
    assert offering.curl(signed["url"], "-o", str(tmp_path / "loaded")).returncode == 0
    assert (tmp_path / "loaded").read_bytes() == bundle.read_bytes()


def test_a_download_is_resumed(offering: Cloud, bundle: Path, tmp_path: Path) -> None:
    whole = bundle.read_bytes()
    loaded = tmp_path / "loaded"
    loaded.write_bytes(whole[:400_001])
    ran = offering.curl(first_bundle(offering), "-C", "-", "-o", str(loaded), "-w", "%{http_code} %{size_download}")
    assert ran.stdout == f"206 {SIZE - 400_001}"
    assert loaded.read_bytes() == whole


def test_ranges_that_are_not_there_are_refused(offering: Cloud) -> None:
    url = first_bundle(offering)
    assert offering.ask(url, "-r", f"{SIZE}-", "-o", os.devnull)[0] == 416
    assert offering.ask(url, "-H", "Range: bytes=5-2", "-o", os.devnull)[0] in (200, 416)
    assert offering.ask(url, "-H", "Range: lines=1-2", "-o", os.devnull)[0] in (200, 416)
    ran = offering.curl(url, "-r", "10-19", "-w", "%{http_code} %{size_download}", "-o", os.devnull)
    assert ran.stdout == "206 10"


@pytest.mark.parametrize("name", ["nothing.raucb", "..%2f..%2ffaults.json", "%2e%2e/HT-1.1.json", ".", "", "a" * 300, "%00"])
def test_only_bundles_can_be_loaded(offering: Cloud, name: str) -> None:
    assert offering.ask(f"https://updates.ht1.example/bundles/{name}", "--path-as-is")[0] in (400, 404)


def test_nothing_is_offered_before_something_is_published(cloud: Cloud) -> None:
    assert cloud.ask(METADATA)[0] == 404


def test_what_is_published_while_it_runs_is_offered_and_the_stale_one_can_be_replayed(
    failing: Cloud, authority: Authority, tmp_path: Path
) -> None:
    newer = tmp_path / "newer"
    newer.write_bytes(b"newer")
    words = ["--version", "1.3.0", "--bundle", newer, "--lab-ca", authority.folder, "--security", "--notes", "ends a weakness"]
    done(PROGRAMS / "publish", failing.folder, *words, "--min-version", "1.2.0", "--expires-in", "-3600")
    signed = offer(failing)
    assert (signed["version"], signed["min_version"], signed["security"], signed["notes"]) == ("1.3.0", "1.2.0", True, "ends a weakness")
    assert datetime.datetime.fromisoformat(signed["expires"]) < datetime.datetime.now(datetime.UTC), "it was published as expired"
    fail(failing, "metadata=stale")
    status, body = failing.ask(METADATA)
    assert status == 200
    assert offer(failing)["version"] == "1.2.0"
    assert verified(failing, body, tmp_path), "a replay is validly signed"
    assert failing.received("https", path="/v1/update/HT-1.json", fault="stale")


def test_it_says_that_it_is_unavailable(failing: Cloud) -> None:
    url = first_bundle(failing)
    fail(failing, "metadata=503", "bundles=503", "register=503")
    ran = failing.curl(METADATA, "-i")
    assert " 503 " in ran.stdout.splitlines()[0]
    assert "Retry-After: 60" in ran.stdout
    assert failing.ask(url)[0] == 503
    assert failing.register("HT1-000001")[0] == 503
    assert failing.ask("https://www.ht1.example/")[0] == 200, "only what was named fails"
    fail(failing)
    assert failing.ask(METADATA)[0] == 200


def test_a_truncated_download_comes_to_its_end_by_resuming(failing: Cloud, bundle: Path, tmp_path: Path) -> None:
    url = first_bundle(failing)
    fail(failing, "bundles=truncated")
    loaded = tmp_path / "loaded"
    ran = failing.curl(url, "-o", str(loaded))
    assert ran.returncode == 18, ran.stderr  # curl: partial file
    half = loaded.stat().st_size
    assert half == SIZE // 2
    ran = failing.curl(url, "-C", "-", "-o", str(loaded))
    assert ran.returncode == 18, ran.stderr
    assert half < loaded.stat().st_size < SIZE
    fail(failing)
    assert failing.curl(url, "-C", "-", "-o", str(loaded)).returncode == 0
    assert loaded.read_bytes() == bundle.read_bytes()


def test_truncated_metadata_is_no_metadata(failing: Cloud) -> None:
    fail(failing, "metadata=truncated")
    ran = failing.curl(METADATA)
    assert ran.returncode == 18
    with pytest.raises(json.JSONDecodeError):
        json.loads(ran.stdout)


def test_a_stalled_download_stands_still_and_does_not_end(failing: Cloud, tmp_path: Path) -> None:
    url = first_bundle(failing)
    fail(failing, "bundles=stall")
    ran = failing.curl(url, "-o", str(tmp_path / "loaded"), limit_s=2)
    assert ran.returncode == 28, ran.stderr  # curl: out of time
    assert (tmp_path / "loaded").stat().st_size == SIZE // 2


def test_a_hanging_service_takes_the_request_and_says_nothing(failing: Cloud) -> None:
    fail(failing, "metadata=hang")
    ran = failing.curl(METADATA, limit_s=2)
    assert (ran.returncode, ran.stdout) == (28, "")
    assert failing.received("https", path="/v1/update/HT-1.json", fault="hang")


@pytest.mark.parametrize("word", ["metadata", "metadata=", "bundles=stale", "nowhere=503", "metadata=teapot"])
def test_a_fault_that_is_none_is_refused(offering: Cloud, word: str) -> None:
    ran = done(PROGRAMS / "fault", offering.folder, word, check=False)
    assert ran.returncode == 2
    assert f"fault '{word}': not known" in ran.stderr


@pytest.mark.parametrize(("version", "file"), [("1.2", "n"), ("latest", "n"), ("1.2.0", "nothing")])
def test_what_cannot_be_published_is_refused(authority: Authority, tmp_path: Path, version: str, file: str) -> None:
    (tmp_path / "n").write_bytes(b"x")
    words = ["--version", version, "--bundle", tmp_path / file, "--lab-ca", authority.folder]
    ran = done(PROGRAMS / "publish", tmp_path / "dir", *words, check=False)
    assert ran.returncode == 2
    assert ran.stderr.startswith("publish: ")
