# SPDX-License-Identifier: Apache-2.0
"""Plugs on the network. Each imitated device first satisfies a client of somebody else: pdudaemon's own driver, or curl with the
examples of the vendor's documentation; then hilcop is tried with the same device, sound and in every way of being unsound."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(os.environ["HILCOP_SOURCE_DIR"]) / "tests" / "fakes"))

from http_devices import Device, Fault, Shelly, ShellyGen1, Tasmota
from network_power import Bench

# A wrong password of ours never shows in what is printed.
SECRET = "s3cret-&/+"


def curl(*words: str) -> str:
    command = ["curl", "-sS", "--noproxy", "*", "--max-time", "5", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout


def bench_of(device: Device, folder: Path, *, password: str = "", timeout_ms: int = 5000) -> Bench:
    driver = {Tasmota: "tasmota", ShellyGen1: "shelly-gen1", Shelly: "shelly"}[type(device)]
    login = ""
    if password:
        (folder / "secret").write_text(password + "\n")
        login = ", password_file: secret"
    keys = f"driver: {driver}, host: 127.0.0.1, port: {device.port}, channels: {len(device.on)}, timeout_ms: {timeout_ms}{login}"
    return Bench(folder, f"{{ {keys} }}", channel="1")


Maker = Callable[..., Device]
MAKERS: list[Maker] = [Tasmota, ShellyGen1, Shelly]
each_device = pytest.mark.parametrize("make", MAKERS, ids=lambda make: str(make.__name__))


def ours(device: Device) -> int:
    """Channel 1, of two: Tasmota counts from 1, Shelly from 0."""
    return 0 if isinstance(device, Tasmota) else 1


# The clients of others.


PDUDAEMON = """
import json, sys
from pdudaemon.drivers import tasmota
for model, address, password, port in json.loads(sys.argv[1]):
    plug = getattr(tasmota, model)(address, {"username": "admin", "password": password})
    try:
        for action in ("on", "off", "on"):
            plug.handle(action, port)
        print("satisfied")
    except Exception as error:
        print(type(error).__name__)
"""


def test_the_tasmota_device_satisfies_pdudaemons_driver() -> None:
    """In its own interpreter (which takes seconds to start). The driver raises what it does not like."""
    with Tasmota(2) as two, Tasmota(2, password=SECRET) as locked, Tasmota(1, set_option_26=True) as one:
        plugs = [
            ("BrennenstuhlWSPL01Tasmota", two.address, "", 2),
            ("BrennenstuhlWSPL01Tasmota", locked.address, SECRET, 1),
            ("SonoffS20Tasmota", one.address, "", 1),
            ("BrennenstuhlWSPL01Tasmota", locked.address, "wrong", 2),
        ]
        command = ["/usr/bin/python3", "-c", PDUDAEMON, json.dumps(plugs)]
        done = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
        assert done.stdout.split() == ["satisfied", "satisfied", "satisfied", "HTTPError"]
        assert two.switched == [(1, True), (1, False), (1, True)]
        assert locked.switched == [(0, True), (0, False), (0, True)]
        assert one.switched == [(0, True), (0, False), (0, True)]


def test_the_shelly_gen1_device_satisfies_curl_with_the_documented_requests() -> None:
    with ShellyGen1(2, password=SECRET) as device:
        base = f"http://{device.address}/relay/1"
        user = ("--user", f"admin:{SECRET}")
        assert json.loads(curl(*user, f"{base}?turn=on"))["ison"] is True
        assert device.on == [False, True]
        assert json.loads(curl(*user, base))["ison"] is True
        assert json.loads(curl(*user, f"{base}?turn=off"))["ison"] is False
        assert curl("--user", "admin:wrong", base) == "401 Unauthorized"


def test_the_shelly_device_satisfies_curl_with_the_documented_requests() -> None:
    with Shelly(2, password=SECRET) as device:
        base = f"http://{device.address}/rpc"
        user = ("--digest", "--user", f"admin:{SECRET}")
        assert json.loads(curl(*user, f"{base}/Switch.Set?id=1&on=true")) == {"was_on": False}
        assert device.on == [False, True]
        frame = '{"id":1,"method":"Switch.Set","params":{"id":1,"on":false}}'
        assert json.loads(curl(*user, "-X", "POST", "-d", frame, base))["result"] == {"was_on": True}
        assert json.loads(curl(*user, f"{base}/Switch.GetStatus?id=1"))["output"] is False
        assert json.loads(curl(*user, f"{base}/Switch.GetStatus?id=7"))["code"] == -105
        assert curl("--digest", "--user", "admin:wrong", f"{base}/Switch.GetStatus?id=1") == ""
        assert json.loads(curl(f"http://{device.address}/shelly"))["gen"] == 2


# hilcop.


@pytest.mark.parametrize("password", ["", SECRET])
@each_device
def test_switches_and_verifies_by_read_back(make: Maker, password: str, tmp_path: Path) -> None:
    with make(2, password=password) as device, bench_of(device, tmp_path, password=password) as bench:
        relay = ours(device)
        with bench.held_on():
            assert device.on[relay]
            assert not device.on[1 - relay]
        assert not device.on[relay], "left powered"
        assert bench.power("off").stdout == "off, verified by read-back\n"
        assert bench.power("status").stdout == "off\n"


def test_tasmota_of_one_relay_and_of_old_versions(tmp_path: Path) -> None:
    for index, device in enumerate((Tasmota(1), Tasmota(1, set_option_26=True), Tasmota(2, password=SECRET, old=True))):
        folder = tmp_path / str(index)
        folder.mkdir()
        with device, bench_of(device, folder, password=SECRET if device.login else "") as bench:
            assert bench.power("off").stdout == "off, verified by read-back\n"


def old_tasmota(relays: int, password: str) -> Device:
    return Tasmota(relays, password=password, old=True)


@pytest.mark.parametrize("make", [*MAKERS, old_tasmota], ids=lambda make: str(make.__name__))
def test_a_wrong_password_is_refused_and_not_shown(make: Maker, tmp_path: Path) -> None:
    with make(2, password=SECRET) as device, bench_of(device, tmp_path, password="wr0ng-&") as bench:
        done = bench.power("off")
        assert done.returncode == 3
        assert "refuses the" in done.stderr
        assert "password_file" in done.stderr
        assert "wr0ng" not in done.stdout + done.stderr
        assert device.on == [False, False]


@each_device
def test_a_plug_that_accepts_and_does_nothing_is_found(make: Maker, tmp_path: Path) -> None:
    with make(2) as device, bench_of(device, tmp_path) as bench:
        with bench.held_on():
            device.fault = Fault.LIES
        assert device.on[ours(device)], "the test is none"
        done = bench.power("off")
        assert done.returncode == 3
        assert "verified" not in done.stdout
        assert "reads back" in done.stderr


@pytest.mark.parametrize("fault", [Fault.FAILS, Fault.GARBAGE, Fault.HALF_CLOSES, Fault.HUGE])
@each_device
def test_an_unsound_answer_is_never_off(make: Maker, fault: Fault, tmp_path: Path) -> None:
    with make(2) as device, bench_of(device, tmp_path) as bench:
        device.fault = fault
        done = bench.power("off")
        assert done.returncode == 3, fault
        assert "verified" not in done.stdout
        assert f"'unit' (127.0.0.1:{device.port})" in done.stderr


@each_device
def test_answers_in_chunks_of_one_byte(make: Maker, tmp_path: Path) -> None:
    with make(2, password=SECRET) as device, bench_of(device, tmp_path, password=SECRET) as bench:
        device.fault = Fault.CHUNKED
        assert bench.power("off").stdout == "off, verified by read-back\n"


@each_device
def test_a_plug_that_answers_after_half_a_minute_is_given_up_by_its_deadline(make: Maker, tmp_path: Path) -> None:
    with make(2) as device, bench_of(device, tmp_path, timeout_ms=300) as bench:
        device.fault = Fault.SLOW
        begin = time.monotonic()
        done = bench.power("off")
        assert time.monotonic() - begin < 20
        assert done.returncode == 3
        assert "did not answer in time" in done.stderr
        device.ended.set()  # or it would keep the test for the rest of its half minute


def test_a_shelly_that_was_restarted_is_logged_into_again(tmp_path: Path) -> None:
    with Shelly(2, password=SECRET) as device, bench_of(device, tmp_path, password=SECRET) as bench, bench.held_on():
        device.digest.forget()
        asked = len(device.requests)
    assert device.on == [False, False]
    assert len(device.requests) > asked


def test_a_plug_that_is_gone_says_what_to_do(tmp_path: Path) -> None:
    with Tasmota(2) as device:
        pass
    with bench_of(device, tmp_path) as bench:
        done = bench.power("off")
        assert done.returncode == 3
        assert "nobody listens there" in done.stderr


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    for name in ("plug", "stranger"):
        words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        files = ["-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", "/CN=plug", "-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run(["openssl", *words, *files], cwd=tmp_path, check=True, capture_output=True, timeout=30)
    return tmp_path


def test_https_trusts_only_the_certificate_that_lab_config_names(certificates: Path) -> None:
    with Tasmota(1) as device:
        device.use_tls(certificates / "plug.pem", certificates / "plug.key")
        assert "POWER" in curl("--cacert", str(certificates / "plug.pem"), f"https://{device.address}/cm?cmnd=Power")
        keys = f"{{ driver: tasmota, host: 127.0.0.1, port: {device.port}, scheme: https, ca_file: plug.pem }}"
        with Bench(certificates, keys) as bench:
            assert bench.power("off").stdout == "off, verified by read-back\n"
            text = (certificates / "bench.yaml").read_text()
            asked = len(device.requests)
            for other in ("", ", ca_file: stranger.pem", ", ca_file: none.pem"):
                (certificates / "bench.yaml").write_text(text.replace(", ca_file: plug.pem", other))
                done = bench.power("off")
                assert done.returncode == 2, done.stdout
                assert "its certificate is not trusted" in done.stderr
            assert len(device.requests) == asked, "something was sent to who could not be trusted"
            (certificates / "bench.yaml").write_text(text.replace(", ca_file: plug.pem", ", insecure: true"))
            assert bench.power("off").stdout == "off, verified by read-back\n"


def test_two_duts_at_one_relay_are_refused(tmp_path: Path) -> None:
    with Tasmota(2) as device, bench_of(device, tmp_path) as bench:
        text = (tmp_path / "bench.yaml").read_text()
        (tmp_path / "bench.yaml").write_text(text + text.splitlines()[-1].replace("lamp", "twin") + "\n")
        done = bench.hilcop("check", "bench.yaml")
        assert done.returncode == 2
        assert "already" in done.stderr + done.stdout
