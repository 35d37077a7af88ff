# SPDX-License-Identifier: Apache-2.0
"""A worker that misbehaves as its first argument says: what the supervisor must live with."""

import json
import os
import signal
import socket
import sys
import time

mode = sys.argv[1]
settings = json.loads(os.environ["HILCOP_WORKER"])
control = socket.socket(fileno=settings["control_fd"])
lines = control.makefile("r", encoding="utf-8")


def say(text: str) -> None:
    control.sendall((text + "\n").encode())


if mode == "dies-at-once":
    print("cannot start: no such thing")
    sys.exit(7)
if mode == "fails":
    say('{"op":"failed","error":{"kind":"Busy","object":"dut a","cause":"held by x","remedy":"wait"}}')
    sys.exit(3)
if mode == "garbage":
    say("\x00\x01 this is no JSON {{{")
    time.sleep(60)
say('{"op":"ready"}')
for line in lines:
    request = json.loads(line)
    if request["op"] == "end":
        sys.exit(0)
    if mode == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == "closes-its-pipe":
        control.shutdown(socket.SHUT_RDWR)
        time.sleep(60)
    if mode == "ignores-its-limit":
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        child = os.fork()
        if child == 0:
            time.sleep(60)
        print("child", child, flush=True)
        time.sleep(60)
    if mode == "answers-for-another":
        say('{"op":"done","id":"X99-OTHER"}')
        time.sleep(60)
    if mode == "floods":
        while True:
            control.sendall(b"x" * 65536)
