"""Keyrings for tests: one that keeps what it is given in a file, and others that are none."""

import json
import os
import pathlib

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked


class FileKeyring(KeyringBackend):
    """Behaves like the keyring of a platform; the file is named by the environment."""

    priority = 5

    def get_password(self, service, username):
        """What was kept."""
        return self._all().get(f"{service}/{username}")

    def set_password(self, service, username, password):
        """Keep it."""
        self._path().write_text(json.dumps({**self._all(), f"{service}/{username}": password}))

    def delete_password(self, service, username):
        """Forget nothing."""
        raise NotImplementedError

    def _path(self):
        return pathlib.Path(os.environ["TEST_KEYRING"])

    def _all(self):
        return json.loads(self._path().read_text()) if self._path().exists() else {}


class PlainKeyring(FileKeyring):
    """One that the library does not recommend."""

    priority = 0.5


class LockedKeyring(FileKeyring):
    """One whose owner said no."""

    def get_password(self, service, username):
        """Refused."""
        raise KeyringLocked(f"no password for {service} {username}")
