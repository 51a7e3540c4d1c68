"""Secret keys from files; none ever shows."""

import json
import pickle
import subprocess
import sys

import pytest

from near_tee_cli.cli.key_file import published_key, read_credentials, read_secret_key
from near_tee_cli.errors import BadInputError, HostError
from near_tee_cli.primitives import keys

SECRET = keys.secret_key_from_seed("secret", scheme=keys.ED25519)
TEXT = keys.secret_key_text(SECRET)
PUBLIC = keys.public_key_text(keys.public_key_of(SECRET))
OTHER = keys.secret_key_from_seed("other", scheme=keys.ED25519)


@pytest.mark.parametrize(
    "content",
    [TEXT, TEXT + "\n", json.dumps({"account_id": "a.near", "public_key": PUBLIC, "private_key": TEXT}),
     json.dumps({"secret_key": TEXT}), json.dumps({"secret_key": TEXT, "private_key": TEXT, "public_key": PUBLIC[8:]})],
)  # fmt: skip
def test_shapes(tmp_path, content):
    path = tmp_path / "key"
    path.write_text(content)
    path.chmod(0o600)
    key = read_secret_key(str(path))
    assert key.public_key() == keys.public_key_of(SECRET)
    assert keys.verify(key.public_key(), b"m" * 32, key.sign(b"m" * 32))


@pytest.mark.parametrize(
    "content",
    [
        TEXT[:-1],
        "ed25519:" + "1" * 64,
        "{}",
        '{"private_key":5}',
        json.dumps({"private_key": TEXT[:40]}),
        json.dumps({"private_key": TEXT, "secret_key": keys.secret_key_text(OTHER)}),
        json.dumps({"private_key": TEXT, "secret_key": TEXT[:40]}),
        json.dumps({"private_key": TEXT, "public_key": keys.public_key_text(keys.public_key_of(OTHER))}),
        json.dumps({"private_key": TEXT, "public_key": TEXT}),
        json.dumps({"private_key": TEXT, "public_key": None}),
        json.dumps({"private_key": TEXT, "account_id": TEXT}),
        json.dumps({"private_key": TEXT, "account_id": 5}),
        "\xff",
        "",
        "rsa:" + TEXT[8:],
    ],
)
def test_refused_without_showing_it(tmp_path, content):
    path = tmp_path / "key"
    path.write_bytes(content.encode("latin-1"))
    path.chmod(0o600)
    with pytest.raises(BadInputError) as raised:
        read_secret_key(str(path))
    assert raised.value.code == "bad-key"
    shown = f"{raised.value.message} {raised.value.hint} {raised.value.__cause__}"
    assert TEXT[8:28] not in shown


def test_the_account_that_is_noted(tmp_path):
    path = tmp_path / "key"
    for document, account_id in (
        ({"private_key": TEXT, "account_id": "a.near"}, "a.near"),
        ({"private_key": TEXT, "account_id": None}, None),
        ({"private_key": TEXT}, None),
    ):
        path.write_text(json.dumps(document))
        path.chmod(0o600)
        assert read_credentials(str(path)).account_id == account_id


READ = """
import ctypes, resource, sys
from near_tee_cli.cli.key_file import new_secret_key, read_secret_key
dumpable = lambda: ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
before = dumpable()
read_secret_key(sys.argv[1]) if sys.argv[1:] else new_secret_key()
print(before, dumpable(), resource.getrlimit(resource.RLIMIT_CORE))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no such switch")
@pytest.mark.parametrize("arguments", [["key"], []])
def test_nobody_looks_into_the_memory_of_a_process_with_a_key(tmp_path, project, arguments):
    path = tmp_path / "key"
    path.write_text(TEXT)
    path.chmod(0o600)
    command = [sys.executable, "-c", READ, *(str(path) for _ in arguments)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout == "1 0 (0, 0)\n"


def test_key_does_not_show_itself():
    key = published_key("near-tee")
    assert "SecretKey" in repr(key)
    assert keys.secret_key_text(keys.secret_key_from_seed("near-tee", scheme=keys.ED25519))[10:] not in repr(key)
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_without_the_library_for_keyrings(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(HostError) as caught:
        read_secret_key("keyring:a")
    assert (caught.value.code, "pip install" in caught.value.hint) == ("no-keyring", True)
