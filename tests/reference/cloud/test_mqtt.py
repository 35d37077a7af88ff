# SPDX-License-Identifier: Apache-2.0
"""The broker: a unit reaches its own topics with its own token, and nothing else; erasing it leaves nothing of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from conftest import Cloud, done, until

ERASE = "https://cloud.ht1.example/v1/erase"
NOT_AUTHORISED = "Not authorized"


@contextmanager
def listening(cloud: Cloud, serial: str, token: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    command = cloud.mosquitto("mosquitto_sub", serial, token, "-q", "1", "-v", "-d", "-W", "90", *words)
    process = subprocess.Popen(
        ["stdbuf", "-oL", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def line_with(process: subprocess.Popen[str], *marks: str) -> str:
    """The next line that has one of the marks; mosquitto_sub itself ends after its limit."""
    assert process.stdout is not None
    for line in process.stdout:
        if any(mark in line for mark in marks):
            return line
    raise AssertionError(f"none of {marks} was said")


def test_telemetry_reaches_the_record_and_what_is_kept(cloud: Cloud) -> None:
    token = cloud.token("HT1-000010")
    reading = '{"temperature": 20.5, "heating": false, "uptime_s": 60, "version": "1.1.0"}'
    assert cloud.publish("HT1-000010", token, "ht1/HT1-000010/telemetry", reading).returncode == 0
    assert until(lambda: cloud.received("mqtt", topic="ht1/HT1-000010/telemetry", body=reading))
    kept = cloud.folder / "units" / "HT1-000010" / "telemetry.jsonl"
    assert until(kept.exists)
    assert json.loads(kept.read_text())["reading"] == reading


def test_the_broker_has_the_certificate_of_its_name(cloud: Cloud) -> None:
    def verified(name: str) -> str:
        place = ["-connect", f"127.0.0.1:{cloud.mqtt_port}", "-CAfile", cloud.authority.folder / "ca.crt"]
        return done("openssl", "s_client", *place, "-verify_hostname", name, "-verify_return_error", check=False).stdout

    assert "Verify return code: 0 (ok)" in verified("mqtt.ht1.example")
    assert "Verify return code: 62" in verified("cloud.ht1.example")


def test_another_token_and_none_are_refused(cloud: Cloud) -> None:
    token = cloud.token("HT1-000011")
    other = cloud.token("HT1-000012")
    assert cloud.publish("HT1-000011", token, "ht1/HT1-000011/state", "{}").returncode == 0
    for serial, wrong in (("HT1-000011", other), ("HT1-000011", ""), ("HT1-000011", token + "x"), ("HT1-999999", token), ("cloud", token)):
        ran = cloud.publish(serial, wrong, "ht1/HT1-000011/state", "{}")
        assert ran.returncode != 0
        assert NOT_AUTHORISED in ran.stderr
    place = ["-h", "127.0.0.1", "-p", str(cloud.mqtt_port), "--cafile", str(cloud.authority.folder / "ca.crt"), "--insecure"]
    assert done("mosquitto_pub", *place, "-t", "ht1/HT1-000011/state", "-m", "{}", check=False).returncode != 0


def test_without_tls_nobody_is_heard(cloud: Cloud) -> None:
    token = cloud.token("HT1-000013")
    ran = done(
        *("mosquitto_pub", "-h", "127.0.0.1", "-p", str(cloud.mqtt_port), "-u", "HT1-000013", "-P", token),
        *("-t", "ht1/HT1-000013/state", "-m", "in the clear"),
        check=False,
    )
    assert ran.returncode != 0
    assert cloud.publish("HT1-000013", token, "ht1/HT1-000013/state", "over TLS").returncode == 0
    assert until(lambda: cloud.received("mqtt", body="over TLS"))
    assert not cloud.received("mqtt", body="in the clear")


def test_a_unit_cannot_write_what_is_anothers(cloud: Cloud) -> None:
    mine, theirs = cloud.token("HT1-000014"), cloud.token("HT1-000015")
    topics = ("ht1/HT1-000015/telemetry", "ht1/HT1-000015/state", "ht1/HT1-000014/other", "elsewhere", "$CONTROL/dynamic-security/v1")
    for topic in topics:
        ran = cloud.publish("HT1-000014", mine, topic, "forged")
        assert NOT_AUTHORISED in ran.stderr, f"{topic}: {ran}"
    assert cloud.publish("HT1-000015", theirs, "ht1/HT1-000015/telemetry", "genuine").returncode == 0
    assert until(lambda: cloud.received("mqtt", body="genuine"))
    assert not cloud.received("mqtt", body="forged")


def test_a_unit_cannot_read_what_is_anothers(cloud: Cloud) -> None:
    mine, theirs = cloud.token("HT1-000016"), cloud.token("HT1-000017")
    for pattern in ("#", "ht1/#", "ht1/+/state", "ht1/HT1-000017/state", "$CONTROL/#", "$SYS/#"):
        with listening(cloud, "HT1-000016", mine, "-t", pattern) as ear:
            # 135: not authorised, as mosquitto_sub shows the reason of each pattern that it asked for.
            assert "135" in line_with(ear, "Subscribed (mid", "not authorised", "denied"), pattern
    with listening(cloud, "HT1-000016", mine, "-t", "ht1/HT1-000016/#") as ear:
        line_with(ear, "Subscribed (mid")
        assert cloud.publish("HT1-000017", theirs, "ht1/HT1-000017/state", "theirs").returncode == 0
        assert cloud.publish("HT1-000016", mine, "ht1/HT1-000016/state", "mine").returncode == 0
        assert line_with(ear, "theirs", "mine").rstrip().endswith("mine")


def test_a_new_token_ends_the_old_one_and_its_connection(cloud: Cloud) -> None:
    old = cloud.token("HT1-000018")
    with listening(cloud, "HT1-000018", old, "-t", "ht1/HT1-000018/#") as ear:
        line_with(ear, "Subscribed (mid")
        new = cloud.token("HT1-000018")
        assert ear.wait(60) == 0, "it was not thrown out: it would have waited for its 90 s"
    assert NOT_AUTHORISED in cloud.publish("HT1-000018", old, "ht1/HT1-000018/state", "{}").stderr
    assert cloud.publish("HT1-000018", new, "ht1/HT1-000018/state", "{}").returncode == 0


def test_erasing_removes_all_that_is_kept(cloud: Cloud) -> None:
    token = cloud.token("HT1-000019")
    assert cloud.publish("HT1-000019", token, "ht1/HT1-000019/state", "canary-state", "-r").returncode == 0
    assert cloud.publish("HT1-000019", token, "ht1/HT1-000019/telemetry", "canary-telemetry").returncode == 0
    folder = cloud.folder / "units" / "HT1-000019"
    assert until(lambda: "canary-telemetry" in (folder / "telemetry.jsonl").read_text() if (folder / "telemetry.jsonl").exists() else False)

    status, body = cloud.ask(ERASE, "-H", f"Authorization: Bearer {token}", "-X", "POST")
    assert (status, json.loads(body)) == (200, {"erased": "HT1-000019"})
    assert not folder.exists()
    assert not cloud.received("mqtt", topic="ht1/HT1-000019/state", body=""), "what the cloud itself sends was not received"
    assert "HT1-000019" not in (cloud.folder / "broker" / "dynamic-security.json").read_text()
    assert NOT_AUTHORISED in cloud.publish("HT1-000019", token, "ht1/HT1-000019/state", "{}").stderr
    assert cloud.ask(ERASE, "-H", f"Authorization: Bearer {token}", "-X", "POST")[0] == 401

    # Its next owner finds nothing: what was retained is gone.
    again = cloud.token("HT1-000019")
    with listening(cloud, "HT1-000019", again, "-t", "ht1/HT1-000019/#") as ear:
        line_with(ear, "Subscribed (mid")
        assert cloud.publish("HT1-000019", again, "ht1/HT1-000019/state", "fresh").returncode == 0
        assert line_with(ear, "canary", "fresh").rstrip().endswith("fresh")


def test_a_message_that_is_too_long_ends_only_who_sent_it(cloud: Cloud) -> None:
    token = cloud.token("HT1-000020")
    cloud.publish("HT1-000020", token, "ht1/HT1-000020/telemetry", "x" * 70000)  # thrown out; mosquitto_pub calls that an end like any
    assert cloud.publish("HT1-000020", token, "ht1/HT1-000020/telemetry", "short").returncode == 0
    assert until(lambda: cloud.received("mqtt", topic="ht1/HT1-000020/telemetry"))
    assert [line["body"] for line in cloud.received("mqtt", topic="ht1/HT1-000020/telemetry")] == ["short"]
