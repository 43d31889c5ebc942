"""gooseBit (https://pypi.org/project/goosebit/): the nearest server of this size, polled by hawkBit's DDI."""

import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

# As its README says: the migrations that come with the package, by the tool that it brings along.
PROJECT = """
[tool.aerich]
tortoise_orm = "goosebit.db.config.TORTOISE_CONF"
location = "{migrations}"
src_folder = "./."
"""
# What a device says of itself when it is asked to register.
ATTRIBUTES = {"hw_boardname": "default", "hw_revision": "default", "sw_version": "1.0.0"}


class Missing(Exception):
    """It cannot be installed or started here; the text says why."""


class GooseBit:
    version = "0.2.12"

    def __init__(self, parent, folder):
        """`parent` keeps its virtual environment; `folder` is for its database."""
        self.environment, self.folder = pathlib.Path(parent) / "goosebit", pathlib.Path(folder)
        self.python = self.environment / "bin/python"

    def install(self):
        wanted = f"goosebit=={self.version}"
        steps = [[sys.executable, "-m", "venv", self.environment],
                 [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wanted]]
        for step in steps:
            done = subprocess.run([str(part) for part in step], capture_output=True, text=True, timeout=900)
            if done.returncode != 0:
                raise Missing(f"{wanted} cannot be installed: {(done.stderr or done.stdout).strip()[-500:]}")

    def __enter__(self):
        if not (self.environment / "bin/aerich").exists():
            self.install()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        settings = os.environ | {
            "GOOSEBIT_DB_URI": f"sqlite://{self.folder}/db.sqlite3",
            "GOOSEBIT_ARTIFACTS_DIR": str(self.folder / "artifacts"),
            # It logs every request otherwise, which is no part of the comparison.
            "GOOSEBIT_LOGGING": json.dumps({"version": 1, "root": {"level": "WARNING"}}),
        }
        migrations = next(self.environment.glob("lib/python3*/site-packages/goosebit/db/migrations"))
        (self.folder / "pyproject.toml").write_text(PROJECT.format(migrations=migrations))
        made = subprocess.run([self.python, "-m", "aerich", "upgrade"], cwd=self.folder, env=settings,
                              capture_output=True, text=True, timeout=300)
        if made.returncode != 0:
            raise Missing(f"its database cannot be made: {(made.stderr or made.stdout).strip()[-500:]}")
        self.log = open(self.folder / "log", "w")
        self.daemon = subprocess.Popen(
            [self.python, "-m", "uvicorn", "goosebit:app", "--host", "127.0.0.1", "--port", str(port),
             "--no-access-log", "--log-level", "warning"],
            cwd=self.folder, env=settings, stdout=self.log, stderr=self.log)
        end = time.monotonic() + 120
        while not self.answers():
            if self.daemon.poll() is not None or time.monotonic() > end:
                self.__exit__()
                raise Missing(f"it does not start: {(self.folder / 'log').read_text().strip()[-500:]}")
            time.sleep(0.2)
        return self

    def __exit__(self, *_):
        self.daemon.terminate()
        try:
            self.daemon.wait(20)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
        self.log.close()

    def path(self, device):
        return f"/DEFAULT/controller/v1/{device}"

    def answers(self):
        try:
            self.call("GET", "/favicon.ico")
            return True
        except OSError:
            return False

    def call(self, method, path, content=None):
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            body = None if content is None else json.dumps(content)
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def register(self, pattern, count):
        """Devices as they are after their first two requests, so that a poll is one like any later one."""
        for number in range(count):
            path = self.path(pattern.replace("%d", str(number)))
            statuses = self.call("GET", path), self.call("PUT", path + "/configData", {"data": ATTRIBUTES})
            if statuses != (200, 200):
                raise Missing(f"it takes no device: {statuses}")
