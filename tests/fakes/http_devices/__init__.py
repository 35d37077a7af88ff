# SPDX-License-Identifier: Apache-2.0
"""Switches that are spoken to by HTTP, each as its vendor's documentation says, on a free port of loopback."""

from .device import Answer, Device, Fault, Request
from .esphome import EspHome
from .login import BasicLogin, DigestLogin
from .shelly import Shelly
from .shelly_gen1 import ShellyGen1
from .tasmota import Tasmota

__all__ = ["Answer", "BasicLogin", "Device", "DigestLogin", "EspHome", "Fault", "Request", "Shelly", "ShellyGen1", "Tasmota"]
