"""What only one process may have at a time: a port, a folder. Kept until that process has ended,
however it ends, by what the kernel takes back by itself."""

import errno
import fcntl
import os
import socket
import struct
import sys
import time
from pathlib import Path
from typing import IO

from .errors import ModuleError

# For the web processes of a server that was killed, to see that and let go of the port.
PORT_WAIT_SECONDS = 3.0


class Taken(ModuleError):
    """Somebody else has it, or it cannot be taken. The message is one line and says what to do."""

    code = "taken"
    title = "This cannot start"


def resolved(host: str, port: int) -> str:
    """The address that a host's name stands for; the IPv4 one when there are both."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        raise Taken(
            f"HOST {host} is not known on this machine; use one of its addresses, such as 127.0.0.1"
        ) from None
    return min((family, str(place[0])) for family, _, _, _, place in found)[1]


def claim_port(address: str, port: int) -> socket.socket | None:
    """Make sure that nobody listens at this address and port, and that no second server will.

    A server's web processes share their port on purpose (SO_REUSEPORT), so that a second server
    would share it, too, without a word. What is given back is the claim: close it to end it.
    Other programs may still come between. Raises Taken.
    """
    claim = _claim_name(address, port)
    until = time.monotonic() + PORT_WAIT_SECONDS
    while problem := _problem(address, port):
        if problem.errno != errno.EADDRINUSE or time.monotonic() > until:
            if claim:
                claim.close()
            raise Taken(_in_words(problem, address, port))
        time.sleep(0.05)
    return claim


def claim_folder(folder: Path, name: str, words: str) -> IO[str]:
    """Lock a folder by the file `name` in it, where `words` say who has it.

    Raises Taken with the words of whoever has it already.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = (folder / name).open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise Taken(file.read()) from None
    file.truncate(0)
    file.write(words)
    file.flush()
    return file


def _claim_name(address: str, port: int) -> socket.socket | None:
    """Decides between servers that start at the same moment, before either of them listens.

    A name of Linux's own: it lies in no folder, and is known where the port is, in the same
    network namespace. Other systems have none; there, two such servers may share the port.
    """
    if sys.platform != "linux":
        return None
    name = f"\0waddlebot-twitch {address} {port}"
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(name)
        claim.listen()
    except OSError:
        claim.close()
        raise Taken(
            f"Port {port} is taken by another server of this module{_whose(name)};"
            " stop it, or choose another port with PORT=..."
        ) from None
    return claim


def _whose(name: str) -> str:
    with socket.socket(socket.AF_UNIX) as asking:
        try:
            asking.connect(name)
            peer = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        except OSError:
            return ""
    return f" (process {struct.unpack('iII', peer)[0]})"


def _problem(address: str, port: int) -> OSError | None:
    """Why a program that shares nothing could not listen there."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            # What a server's old connections leave for a minute is no hindrance.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        return error
    return None


def _in_words(problem: OSError, address: str, port: int) -> str:
    if problem.errno == errno.EADDRINUSE:
        return f"Port {port} is taken by another program; choose another with PORT=..."
    if problem.errno == errno.EACCES:
        return f"Port {port} is only for root; choose one from 1024 upwards with PORT=..."
    if problem.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        return f"HOST {address} is not an address of this machine"
    return f"Port {port} of {address} cannot be used: {os.strerror(problem.errno or 0)}"
