"""Starting programs and waiting until they answer."""
import itertools
import os
import random
import socket
import subprocess
import time
from pathlib import Path


def candidates():
    """Ports that the kernel gives to nobody by itself (from 32768 on), and a part of them for each process of the tests."""
    part = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 8
    yield from itertools.cycle(random.sample(range(12000 + part * 2500, 14500 + part * 2500), 2500))


PORTS = candidates()


def free_port(address="127.0.0.1"):
    """A port that nobody uses now, for UDP and TCP alike."""
    while True:
        port = next(PORTS)
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind((address, port))
                udp.bind((address, port))
                return port
            except OSError:
                continue


def wait_until(condition, seconds=10, what="it"):
    """Polls until condition() is true and returns what it gave; fails with what was waited for."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


def connects(port, address="127.0.0.1"):
    try:
        socket.create_connection((address, port), timeout=1).close()
        return True
    except OSError:
        return False


class Process:
    """A program that serves until stopped; it dies with the tests, whatever happens to them."""

    def __init__(self, argv, log: Path, cwd=None, env=None):
        self.log = log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *map(str, argv)], stdin=subprocess.DEVNULL,
                                          stdout=out, stderr=out, cwd=cwd, env=env)

    @property
    def pid(self):
        return self.child.pid

    def wait_ready(self, condition, seconds, what):
        def ready():
            if self.child.poll() is not None:
                raise AssertionError(f"{what} ended with {self.child.returncode}:\n{self.tail()}")
            return condition()
        try:
            return wait_until(ready, seconds, what)
        except BaseException:
            self.stop()
            raise

    def tail(self, size=3000):
        return self.log.read_text(errors="replace")[-size:]

    def stop(self, seconds=5):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.child.returncode

    def kill(self):
        self.child.kill()
        self.child.wait()
