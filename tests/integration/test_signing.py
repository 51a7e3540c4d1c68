"""Keys and signatures as a user handles them; no secret key ever shows."""

import json
import os
import stat

import pytest

from near_tee_cli.primitives.keys import (
    ED25519,
    SECP256K1,
    public_key_of,
    public_key_text,
    secret_key_from_seed,
    secret_key_text,
)
from tests.support.cli import PROJECT, near_tee

COUNTER = PROJECT / "examples" / "wat" / "counter.wasm"
CANARY = secret_key_from_seed("canary", scheme=ED25519)
PUBLIC = public_key_text(public_key_of(CANARY))
SECRET_FORMS = (secret_key_text(CANARY)[8:40], CANARY[1:33].hex(), secret_key_text(CANARY).partition(":")[2])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def tee(home, tmp_path):
    """The command line in an empty directory; nothing that it prints may show the key."""

    def call(*arguments, **more):
        done = near_tee(*arguments, home=home, cwd=tmp_path, **more)
        for form in SECRET_FORMS:
            assert form not in done.out + done.err
        return done

    return call


@pytest.fixture
def canary(tmp_path):
    path = tmp_path / "canary.json"
    path.write_text(
        json.dumps({"account_id": "worker.near", "public_key": PUBLIC, "private_key": secret_key_text(CANARY)})
    )
    path.chmod(0o600)
    return path


@pytest.fixture
def bundle(tee):
    assert tee("prove", COUNTER, "increment", "-o", "a.ntb").code == 0
    return "a.ntb"


def test_a_new_key(tee, tmp_path) -> None:
    done = tee("key", "new", "keys/worker.json", "--account-id", "worker.near", "--json")
    assert done.code == 0, done.err
    path = tmp_path / "keys" / "worker.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    document = json.loads(path.read_text())
    assert (document["account_id"], document["public_key"]) == ("worker.near", done.document["result"]["public_key"])
    assert document["private_key"] not in done.out
    assert tee("key", "show", path).out == document["public_key"] + "\n"
    again = tee("key", "new", path, "--json")
    assert (again.code, again.document["error"]["code"]) == (6, "exists")
    assert json.loads(path.read_text()) == document


def test_a_new_key_under_any_umask(tee, tmp_path) -> None:
    before = os.umask(0)
    try:
        assert tee("key", "new", "open/key").code == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "open" / "key").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
def test_a_key_that_others_can_read(tee, canary, mode) -> None:
    canary.chmod(mode)
    done = tee("key", "show", canary, "--json")
    assert (done.code, done.document["error"]["code"]) == (6, "exposed-key")
    assert "chmod 600" in done.document["error"]["hint"]


def test_a_key_behind_a_link(tee, canary, tmp_path) -> None:
    (tmp_path / "link").symlink_to(canary)
    assert tee("key", "show", "link", "--json").document["error"]["code"] == "exposed-key"
    os.mkfifo(tmp_path / "fifo", 0o600)
    assert tee("key", "show", "fifo", "--json").document["error"]["code"] == "not-a-file"
    assert tee("key", "show", "nowhere", "--json").document["error"]["code"] == "not-found"


def test_keys_of_other_tools(tee, canary, tmp_path) -> None:
    plain = tmp_path / "plain"
    plain.write_text(secret_key_text(CANARY) + "\n")
    plain.chmod(0o600)
    for number, source in enumerate((canary, plain)):
        done = tee("key", "import", source, f"key-{number}", "--json")
        assert done.document["result"]["public_key"] == PUBLIC
        assert tee("key", "show", f"key-{number}").out.strip() == PUBLIC
    other = tmp_path / "other"
    other.write_text(secret_key_text(secret_key_from_seed("canary", scheme=SECP256K1)))
    other.chmod(0o600)
    assert tee("key", "import", other, "key-9", "--json").document["error"]["code"] == "bad-signer"
    assert not (tmp_path / "key-9").exists()


def test_prove_sign_verify(tee, canary, bundle, tmp_path) -> None:
    assert tee("key", "new", "second").code == 0
    second = tee("key", "show", "second").out.strip()
    proved = tee("prove", COUNTER, "increment", "--key", canary, "-o", "b.ntb", "-v", "--json")
    assert proved.document["result"]["signer"] == PUBLIC
    signed = tee("sign", bundle, "--key", canary, "-o", "signed.ntb", "-v")
    assert signed.code == 0, signed.err
    assert (tmp_path / "signed.ntb").read_bytes() == (tmp_path / "b.ntb").read_bytes()
    assert tee("sign", "signed.ntb", "--key", "second", "-o", "both.ntb", "--no-replay").code == 0
    one = tee("verify", "signed.ntb", "--signer", PUBLIC, "--json")
    assert one.code == 0
    assert one.document["result"]["strengths"] == ["consistent", "re-executed", "signed"]
    both = tee("verify", "both.ntb", "--signer", PUBLIC, "--signer", second, "--threshold", "2", "--json")
    assert both.code == 0, both.err
    assert both.document["result"]["signers"] == [PUBLIC, second]
    for name in ("signed.ntb", "both.ntb", "b.ntb"):
        data = (tmp_path / name).read_bytes()
        assert CANARY[1:33] not in data
        assert all(form.encode() not in data for form in SECRET_FORMS)


@pytest.mark.parametrize(
    ("flags", "code", "exit_code"),
    [
        (("--require", "signed"), "not-signed", 5),
        (("--signer", PUBLIC), "not-signed", 5),
    ],
)
def test_an_unsigned_bundle_is_never_signed(tee, bundle, flags, code, exit_code) -> None:
    done = tee("verify", bundle, *flags, "--json")
    assert (done.code, done.document["error"]["code"]) == (exit_code, code)


def test_whose_signature_it_is_matters(tee, canary, bundle) -> None:
    assert tee("sign", bundle, "--key", canary, "-o", "s.ntb").code == 0
    other = public_key_text(public_key_of(secret_key_from_seed("other", scheme=ED25519)))
    for flags, code in (
        (("--require", "signed"), "no-trusted-key"),
        (("--signer", other), "untrusted"),
        (("--signer", other, "--signer", PUBLIC, "--threshold", "2"), "untrusted"),
    ):
        done = tee("verify", "s.ntb", *flags, "--json")
        assert (done.code, done.document["error"]["code"]) == (5, code)
    policy = f'version = 1\n[signatures]\nsigners = ["{PUBLIC}"]\n'
    assert tee("verify", "s.ntb", "--policy", "-", stdin=policy.encode()).code == 0
    assert tee("verify", "s.ntb", "--policy", "-", "--signer", other, stdin=policy.encode()).code == 5


@pytest.mark.parametrize(
    "flags",
    [("--threshold", "1"), ("--signer", PUBLIC, "--threshold", "2"), ("--signer", PUBLIC, "--signer", PUBLIC),
     ("--signer", "ed25519:11111111111111111111111111111111"), ("--signer", "nobody")],
)  # fmt: skip
def test_trust_that_makes_no_sense(tee, bundle, flags) -> None:
    assert tee("verify", bundle, *flags).code == 2


def test_what_does_not_verify_is_not_signed(tee, canary, tmp_path) -> None:
    rejected = PROJECT / "fixtures" / "reject"
    for name in ("outcome-log", "claim-network-without-digest", "cut-by-a-byte"):
        done = tee("sign", rejected / name / "bundle.ntb", "--key", canary, "-o", "s.ntb", "--json")
        verified = tee("verify", rejected / name / "bundle.ntb", "--json")
        assert done.code == verified.code in (4, 6), done.err
        assert done.document["error"]["code"] == verified.document["error"]["code"]
        assert not (tmp_path / "s.ntb").exists()
    loose = tee("sign", rejected / "outcome-log" / "bundle.ntb", "--key", canary, "-o", "s.ntb", "--no-replay")
    assert loose.code == 0
    assert tee("verify", "s.ntb", "--signer", PUBLIC).code == 4


def test_what_cannot_be_told_is_not_signed(tee, canary, tmp_path) -> None:
    assert tee("prove", COUNTER, "increment", "--detach-code", "-o", "d.ntb").code == 0
    (tmp_path / "text").write_text("no bundle")
    endless = PROJECT / "examples" / "wat" / "loop.wasm"
    assert tee("prove", endless, "count", "--args", '{"n":4000000}', "-o", "long.ntb").code == 0
    for name, flags, code, exit_code in (
        ("d.ntb", (), "missing-code", 5),
        ("d.ntb", ("--code", COUNTER, "--max-gas", "1 gas"), "too-expensive", 5),
        ("long.ntb", ("--time-limit", "0.01"), "too-expensive", 5),
        ("text", (), "not-a-bundle", 6),
    ):
        done = tee("sign", name, "--key", canary, "-o", "s.ntb", "--json", *flags)
        assert (done.code, done.document["error"]["code"]) == (exit_code, code), done.err
        verified = tee("verify", name, "--json", *flags)
        assert (verified.code, verified.document["error"]["code"]) == (exit_code, code)
        assert not (tmp_path / "s.ntb").exists()
    assert tee("sign", "d.ntb", "--key", canary, "-o", "s.ntb", "--code", COUNTER).code == 0
    assert tee("verify", "s.ntb", "--code", COUNTER, "--signer", PUBLIC).code == 0


def test_the_key_is_never_an_output(tee, canary, bundle, tmp_path) -> None:
    before = canary.read_bytes()
    os.link(canary, tmp_path / "same")
    (tmp_path / "link").symlink_to(canary)
    assert tee("state", "init", "-o", "state.json").code == 0
    call = (COUNTER, "increment")
    as_transaction = (*call, "--as-transaction")
    for out in (canary, "canary.json", "same", "link"):
        for line in (
            ("sign", bundle, "--key", canary, "-o", out, "--force"),
            ("prove", *call, "--key", canary, "-o", out, "--force"),
            ("prove", *as_transaction, "--signer-key", canary, "-o", out, "--force"),
            ("run", *as_transaction, "--key", canary, "--state-out", out, "--force"),
        ):
            done = tee(*line, "--json")
            assert (done.code, done.document["error"]["code"]) == (6, "key-file"), line
    assert canary.read_bytes() == before


def test_keys_that_contradict_themselves(tee, canary, tmp_path) -> None:
    document = json.loads(canary.read_text())
    other = secret_key_from_seed("other", scheme=ED25519)
    for more in ({"secret_key": secret_key_text(other)}, {"public_key": public_key_text(public_key_of(other))}):
        canary.write_text(json.dumps({**document, **more}))
        done = tee("key", "import", canary, "k", "--json")
        assert (done.code, done.document["error"]["code"]) == (6, "bad-key")
    assert not (tmp_path / "k").exists()


def test_an_imported_key_keeps_its_account(tee, canary, tmp_path) -> None:
    assert tee("key", "import", canary, "a").code == 0
    assert json.loads((tmp_path / "a").read_text())["account_id"] == "worker.near"
    done = tee("key", "import", canary, "b", "--account-id", "other.near", "--json")
    assert done.document["result"]["account_id"] == "other.near"
    assert json.loads((tmp_path / "b").read_text())["account_id"] == "other.near"


def test_directories_of_a_new_key(tee, tmp_path) -> None:
    assert tee("key", "new", "deep/down/key").code == 0
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("deep", "deep/down")} == {0o700}
    for name in ("made/", "made/.", "made/.."):
        done = tee("key", "new", name, "--json")
        assert (done.code, done.document["error"]["code"]) == (6, "bad-path")
    assert not (tmp_path / "made").exists()


def test_errors_with_a_key_at_hand_show_nothing(tee, canary, bundle, tmp_path) -> None:
    assert tee("sign", bundle, "--key", canary, "-o", bundle).code == 6
    assert tee("sign", "nowhere", "--key", canary, "-o", "x").code == 6
    assert tee("sign", bundle, "--key", canary, "-o", "no/where/x").code == 6
    canary.write_text(canary.read_text()[:-20])
    assert tee("sign", bundle, "--key", canary, "-o", "x").code == 6
    assert tee("prove", COUNTER, "increment", "--as-transaction", "--signer-key", canary, "-o", "x").code == 6
    assert not (tmp_path / "x").exists()
