"""Secret keys from files; none ever shows."""

import json
import pickle
import sys

import pytest

from near_tee_cli.cli.key_file import published_key, read_secret_key
from near_tee_cli.errors import BadInputError, HostError
from near_tee_cli.primitives import keys

SECRET = keys.secret_key_from_seed("secret", scheme=keys.ED25519)
TEXT = keys.secret_key_text(SECRET)


@pytest.mark.parametrize(
    "content",
    [TEXT, TEXT + "\n", json.dumps({"account_id": "a.near", "public_key": "x", "private_key": TEXT}),
     json.dumps({"secret_key": TEXT})],
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
