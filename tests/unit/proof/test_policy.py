"""Policies: what each line means, and every way in which a file can be wrong."""

import re

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import base58
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.keys import ED25519, public_key_of, public_key_text, secret_key_from_seed
from near_tee_cli.proof.expectations import Expectations, is_empty
from near_tee_cli.proof.limits import DEFAULT_MAX_GAS
from near_tee_cli.proof.policy import MAX_POLICY_BYTES, parse_policy
from near_tee_cli.proof.report import Strength

KEYS = [public_key_of(secret_key_from_seed(seed, scheme=ED25519)) for seed in ("a", "b")]
TEXTS = [public_key_text(key) for key in KEYS]
ROOT = b"\5" * 32
WHOLE = f"""
version = 1
require = ["re-executed"]

[claim]
network = "mainnet"
audience = ["", "verifier.near"]
worker = "worker.near"
contract = ["a.near", "b.near"]
code_hash = "{ROOT.hex()}"
method = "set"
caller = "c.near"
pre_root = "{base58.encode(ROOT)}"
post_root = ["{base58.encode(ROOT)}", "{bytes(32).hex()}"]
protocol_version = [85, 86]
min_height = 5
max_height = 6
max_age_blocks = 100

[signatures]
signers = ["{TEXTS[0]}", "{TEXTS[1]}"]
threshold = 2

[limits]
max_gas = 1000
time_limit = 2.5
"""


def test_everything() -> None:
    policy = parse_policy(WHOLE.encode())
    assert policy.digest == sha256(WHOLE.encode())
    assert policy.require == {Strength.RE_EXECUTED}
    assert policy.expectations == Expectations(
        network=frozenset({"mainnet"}),
        audience=frozenset({"", "verifier.near"}),
        worker=frozenset({"worker.near"}),
        contract=frozenset({"a.near", "b.near"}),
        code_hash=frozenset({ROOT}),
        method=frozenset({"set"}),
        caller=frozenset({"c.near"}),
        pre_root=frozenset({ROOT}),
        post_root=frozenset({ROOT, bytes(32)}),
        protocol_version=frozenset({85, 86}),
        min_height=5,
        max_height=6,
        max_age=100,
    )
    assert (policy.signers, policy.threshold) == (tuple(KEYS), 2)
    assert (policy.max_gas, policy.time_limit) == (1000, 2.5)


def test_little() -> None:
    policy = parse_policy(b'version = 1\n[claim]\nmethod = "set"')
    assert (policy.require, policy.signers, policy.threshold) == (frozenset(), (), 0)
    assert (policy.max_gas, policy.time_limit) == (None, None)
    assert is_empty(parse_policy(b'version = 1\nrequire = ["signed"]').expectations)
    one = parse_policy(f'version = 1\n[signatures]\nsigners = "{TEXTS[0]}"'.encode())
    assert (one.threshold, one.require) == (1, frozenset())


@pytest.mark.parametrize(
    "text",
    [
        "version = 1",
        "version = 1\n[claim]",
        "version = 1\n[limits]\nmax_gas = 5",
    ],
)
def test_a_policy_that_demands_nothing(text) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_policy(text.encode())
    assert caught.value.code == "empty-policy"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "version"),
        ("version = 2", "version"),
        ("version = true", "version"),
        ("version = 1.0", "version"),
        ("version = 1\nrequire = []", "require"),
        ("version = 1\nrequire = []\n[claim]\nmethod = 'a'", "require"),
        ('version = "1"', "version"),
        ("version = 1\nreqire = []", "reqire"),
        ('version = 1\nrequire = ["strong"]', "require"),
        ("version = 1\nrequire = [1]", "require"),
        ("version = 1\nclaim = 5", "claim"),
        ("version = 1\n[claim]\nmethods = 'a'", "claim.methods"),
        ("version = 1\n[claim]\nmethod = []", "claim.method"),
        ("version = 1\n[claim]\nmethod = 5", "claim.method"),
        ("version = 1\n[claim]\ncontract = 'UPPER'", "claim.contract"),
        ("version = 1\n[claim]\ncontract = ''", "claim.contract"),
        ("version = 1\n[claim]\nprotocol_version = '86'", "claim.protocol_version"),
        ("version = 1\n[claim]\nprotocol_version = true", "claim.protocol_version"),
        ("version = 1\n[claim]\nmin_height = -1", "claim.min_height"),
        ("version = 1\n[claim]\nmin_height = 1.0", "claim.min_height"),
        ("version = 1\n[claim]\nmin_height = 18446744073709551616", "claim.min_height"),
        ("version = 1\n[claim]\nmin_height = 5\nmax_height = 4", "claim.max_height"),
        ("version = 1\n[claim]\npre_root = 'abc'", "claim.pre_root"),
        ("version = 1\n[claim]\npre_root = 'l0O'", "claim.pre_root"),
        ("version = 1\n[claim]\npre_root = '" + "zz" * 32 + "'", "claim.pre_root"),
        ("version = 1\n[signatures]\nsigners = []", "signatures.signers"),
        ("version = 1\n[signatures]\nthreshold = 1", "signatures.threshold"),
        (f"version = 1\n[signatures]\nsigners = '{TEXTS[0]}'\nthreshold = 0", "signatures.threshold"),
        (f"version = 1\n[signatures]\nsigners = '{TEXTS[0]}'\nthreshold = 2", "signatures.threshold"),
        (f"version = 1\n[signatures]\nsigners = ['{TEXTS[0]}', '{TEXTS[0]}']", "signatures.signers"),
        ("version = 1\n[signatures]\nsigners = 'ed25519:abc'", "signatures.signers"),
        ("version = 1\n[limits]\ntime_limit = 0", "limits.time_limit"),
        ("version = 1\n[limits]\ntime_limit = nan", "limits.time_limit"),
        ("version = 1\n[limits]\ntime_limit = inf", "limits.time_limit"),
        ("version = 1\n[limits]\nmax_gas = 0.5", "limits.max_gas"),
    ],
)
def test_mistakes_have_a_place(text, where) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_policy(text.encode())
    assert (caught.value.code, caught.value.where) == ("bad-policy", where)


@pytest.mark.parametrize(
    "data", [b"\xff", b"= 5", b"version = 1\nversion = 1", b"a = " + b"[" * 5000, b"version = 9" * 9]
)
def test_no_toml(data) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_policy(data)
    assert caught.value.code == "bad-policy"


def test_too_much() -> None:
    with pytest.raises(BadInputError) as caught:
        parse_policy(b"#" * (MAX_POLICY_BYTES + 1))
    assert caught.value.code == "too-large"
    many = f"version = 1\n[claim]\nmethod = [{','.join(['1'] * 5000)}]"
    with pytest.raises(BadInputError, match="values"):
        parse_policy(many.encode())


def test_the_example_in_the_documents(project) -> None:
    text = (project / "docs" / "verification.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)
    policy = parse_policy(example.encode())
    assert None not in policy.expectations
    assert policy.signers
    assert policy.time_limit == 30
    assert policy.max_gas == DEFAULT_MAX_GAS


def test_keys_without_end() -> None:
    with pytest.raises(BadInputError) as caught:
        parse_policy(b"version = 1\n" + b".".join([b"a"] * 200_000) + b" = 1")
    assert (caught.value.code, "parts" in caught.value.message) == ("bad-policy", True)
