"""Codes of devices that wait until a user agrees in a browser elsewhere."""

import secrets
import threading
import time
from dataclasses import dataclass

# Letters that nobody mistakes for others when typing them.
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


@dataclass
class Device:
    device_code: str
    user_code: str
    client_id: str
    scopes: tuple[str, ...]
    expires_at: float
    # Who agreed; None while nobody has.
    user_id: str | None = None


class DeviceCodes:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_code: dict[str, Device] = {}

    def begin(self, client_id: str, scopes: tuple[str, ...], *, seconds: int) -> Device:
        user_code = "".join(secrets.choice(_LETTERS) for _ in range(8))
        device = Device(secrets.token_hex(20), user_code, client_id, scopes, time.time() + seconds)
        with self._lock:
            self._by_code[device.device_code] = device
        return device

    def waiting(self, user_code: str) -> Device | None:
        """The device that shows this code, while it waits."""
        with self._lock:
            return next((one for one in self._alive() if one.user_code == user_code), None)

    def decide(self, device: Device, user_id: str | None) -> None:
        """What its user said: who it is, or (None) that the device gets nothing."""
        with self._lock:
            if user_id is None:
                self._by_code.pop(device.device_code, None)
            device.user_id = user_id

    def take(self, device_code: str, client_id: str) -> Device | None:
        """The device with this code, which is used up once somebody has agreed; None when it is
        unknown, too old, used up or declined."""
        with self._lock:
            for device in self._alive():
                if (device.device_code, device.client_id) == (device_code, client_id):
                    if device.user_id is not None:
                        del self._by_code[device_code]
                    return device
        return None

    def _alive(self) -> list[Device]:
        now = time.time()
        return [device for device in self._by_code.values() if now < device.expires_at]
