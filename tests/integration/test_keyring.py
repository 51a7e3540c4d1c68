"""Keys in the platform's keyring: the same commands, `keyring:NAME` in the place of a file."""

import json

import pytest

from tests.support.cli import PROJECT, near_tee

COUNTER = PROJECT / "examples" / "wat" / "counter.wasm"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def tee(home, tmp_path):
    def call(*arguments, kind="FileKeyring", **more):
        environment = {
            "PYTHON_KEYRING_BACKEND": f"tests.support.keyrings.{kind}",
            "TEST_KEYRING": str(tmp_path / "keyring.json"),
            "PYTHONPATH": str(PROJECT),
        }
        done = near_tee(*arguments, home=home, cwd=tmp_path, **environment, **more)
        if (tmp_path / "keyring.json").exists():
            for document in json.loads((tmp_path / "keyring.json").read_text()).values():
                assert json.loads(document)["private_key"][10:40] not in done.out + done.err
        return done

    return call


def test_a_key_of_the_keyring_signs(tee, tmp_path) -> None:
    made = tee("key", "new", "keyring:worker", "--json")
    assert made.code == 0, made.err
    public = made.document["result"]["public_key"]
    assert tee("key", "show", "keyring:worker", "--quiet").out.strip() == public
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keyring.json"]
    assert tee("prove", COUNTER, "increment", "-o", "a.ntb", "--key", "keyring:worker").code == 0
    assert tee("verify", "a.ntb", "--signer", public).code == 0
    (tmp_path / "m.json").write_text(json.dumps([{"name": "n", "contract": str(COUNTER), "method": "increment"}]))
    assert tee("prove", "--batch", "m.json", "-o", "out", "--key", "keyring:worker").code == 0
    assert tee("verify", "out/n.ntb", "--signer", public).code == 0


def test_nothing_is_replaced(tee, tmp_path) -> None:
    assert tee("key", "new", "keyring:a").code == 0
    before = (tmp_path / "keyring.json").read_bytes()
    done = tee("key", "new", "keyring:a", "--json")
    assert (done.code, done.document["error"]["code"]) == (6, "exists")
    assert (tmp_path / "keyring.json").read_bytes() == before
    assert tee("key", "new", "file.json").code == 0
    assert tee("key", "import", "file.json", "keyring:b").code == 0
    assert tee("key", "show", "keyring:b", "--quiet").out == tee("key", "show", "file.json", "--quiet").out


@pytest.mark.parametrize(
    ("kind", "place", "exit_code", "code"),
    [
        ("FileKeyring", "keyring:nobody", 6, "not-found"),
        ("FileKeyring", "keyring:", 6, "bad-key"),
        ("FileKeyring", "keyring:" + "a" * 200, 6, "bad-key"),
        ("FileKeyring", "keyring:a\tb", 6, "bad-key"),
        ("PlainKeyring", "keyring:a", 1, "no-keyring"),
        ("LockedKeyring", "keyring:a", 1, "no-keyring"),
    ],
)
def test_what_is_refused(tee, tmp_path, kind, place, exit_code, code) -> None:
    done = tee("key", "show", place, "--json", kind=kind)
    assert (done.code, done.document["error"]["code"]) == (exit_code, code)
    done = tee("prove", COUNTER, "increment", "-o", "a.ntb", "--key", place, "--json", kind=kind)
    assert (done.code, done.document["error"]["code"]) == (exit_code, code)
    assert not (tmp_path / "a.ntb").exists()
