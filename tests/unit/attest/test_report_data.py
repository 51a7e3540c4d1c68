"""Report data: every profile as it is made elsewhere, and what it binds."""

import hashlib

import pytest

from near_tee_cli.attest.quote import parse_quote
from near_tee_cli.attest.report_data import (
    MAX_CHALLENGE_BYTES,
    PROFILES,
    AppData,
    MpcKeys,
    NearTeeBinding,
    OutlayerTask,
    RawKey,
    Scope,
    bound_keys,
    outlayer_task_hash,
    profile_of,
    report_data_of,
    require_bound,
)
from near_tee_cli.errors import BadInputError, EvidenceError
from near_tee_cli.primitives.keys import ED25519, SECP256K1, public_key_of, public_key_text, secret_key_from_seed
from tests.support import attestation as recorded

KEY, OTHER = (public_key_of(secret_key_from_seed(seed, scheme=ED25519)) for seed in ("a", "b"))
OURS = NearTeeBinding(KEY, b"challenge", 7, bytes([1]) * 32, Scope.KEY, bytes(32))
TASK = OutlayerTask(
    task_type="execute",
    task_id=-2,
    repo="r",
    commit=None,
    build_target="wasm32-wasip1",
    wasm_hash="w",
    input_hash="i",
    output_hash="o",
    block_height=258,
    caller="alice.near",
    project_id=None,
    secrets_ref="s",
    timestamp=3,
    attached_usd="5",
)
BINDINGS = (OURS, RawKey(KEY), TASK, MpcKeys(KEY, OTHER), AppData("app-data", b"content"))


def refused(call, *arguments, **named) -> str:
    with pytest.raises((BadInputError, EvidenceError)) as caught:
        call(*arguments, **named)
    return caught.value.code


def test_profiles_have_names() -> None:
    assert tuple(profile_of(binding) for binding in BINDINGS) == PROFILES


@pytest.mark.parametrize("binding", BINDINGS, ids=profile_of)
def test_what_is_bound_is_compared_whole(binding) -> None:
    data = report_data_of(binding)
    assert len(data) == 64
    assert require_bound(data, binding, key=None) == profile_of(binding)
    for at in range(64):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        assert refused(require_bound, changed, binding, key=None) == "report-data-mismatch"
    assert refused(require_bound, data[:63], binding, key=None) == "report-data-mismatch"
    for other in BINDINGS:
        assert (report_data_of(other) == data) == (other is binding)


@pytest.mark.parametrize("binding", BINDINGS, ids=profile_of)
def test_only_keys_that_are_bound(binding) -> None:
    data = report_data_of(binding)
    keys = bound_keys(binding)
    assert keys == {0: (KEY,), 1: (KEY,), 2: (), 3: (KEY, OTHER), 4: ()}[BINDINGS.index(binding)]
    for key in (KEY, OTHER):
        if key in keys:
            require_bound(data, binding, key=key)
        else:
            assert refused(require_bound, data, binding, key=key) == "key-not-bound"


def test_near_tee_v1_byte_by_byte() -> None:
    borsh = (
        (9).to_bytes(4, "little") + b"challenge" + (7).to_bytes(8, "little") + bytes([1]) * 32 + b"\0" + bytes(32)
    )  # fmt: skip
    assert report_data_of(OURS) == KEY[1:] + hashlib.sha256(b"near-tee/report-data/v1\0" + borsh).digest()
    claim = OURS._replace(scope=Scope.CLAIM, scope_digest=bytes([2]) * 32)
    borsh = borsh[:-33] + b"\1" + bytes([2]) * 32
    assert report_data_of(claim)[32:] == hashlib.sha256(b"near-tee/report-data/v1\0" + borsh).digest()


@pytest.mark.parametrize(
    "change",
    [
        {"challenge": b""},
        {"anchor_height": 8},
        {"anchor_hash": bytes(32)},
        {"scope": Scope.CLAIM},
        {"scope": Scope.CLAIM, "scope_digest": bytes([3]) * 32},
    ],
)
def test_near_tee_v1_covers_every_field(change) -> None:
    changed = report_data_of(OURS._replace(**change))
    assert changed[:32] == KEY[1:]
    assert changed != report_data_of(OURS)


@pytest.mark.parametrize(
    "binding",
    [
        OURS._replace(challenge=bytes(MAX_CHALLENGE_BYTES + 1)),
        OURS._replace(anchor_height=-1),
        OURS._replace(anchor_height=2**64),
        OURS._replace(anchor_hash=bytes(31)),
        OURS._replace(scope_digest=bytes(33)),
        OURS._replace(scope_digest=bytes([1]) * 32),
        OURS._replace(key=KEY[1:]),
        RawKey(public_key_of(secret_key_from_seed("a", scheme=SECP256K1))),
        RawKey(b"\1" + KEY[1:]),
        MpcKeys(KEY, b""),
        TASK._replace(task_id=2**63),
        TASK._replace(timestamp=-(2**63) - 1),
        TASK._replace(block_height=2**64),
        AppData("a:b", b""),
        AppData("", b""),
    ],
)
def test_what_cannot_be_bound(binding) -> None:
    assert refused(report_data_of, binding) == "bad-binding"


def test_the_longest_and_largest() -> None:
    assert MAX_CHALLENGE_BYTES == 1024
    assert len(report_data_of(OURS._replace(challenge=bytes(MAX_CHALLENGE_BYTES)))) == 64
    assert len(report_data_of(OURS._replace(anchor_height=2**64 - 1))) == 64
    assert len(report_data_of(OURS._replace(anchor_height=0))) == 64
    for number in (2**63 - 1, -(2**63)):
        assert len(report_data_of(TASK._replace(task_id=number, timestamp=number))) == 64


def test_raw_key_is_the_key_and_zeros() -> None:
    assert report_data_of(RawKey(KEY)) == KEY[1:] + bytes(32)


def test_outlayer_task_field_by_field() -> None:
    parts = (
        b"execute", (-2).to_bytes(8, "little", signed=True), b"r", b"wasm32-wasip1", b"w", b"i", b"o",
        (258).to_bytes(8, "little"), b"alice.near", b"s", (3).to_bytes(8, "little"), b"5",
    )  # fmt: skip
    assert outlayer_task_hash(TASK) == hashlib.sha256(b"".join(parts)).digest()
    assert report_data_of(TASK) == outlayer_task_hash(TASK) + bytes(32)
    least = TASK._replace(**dict.fromkeys(set(TASK._fields) - {"task_type", "task_id", "output_hash"}))
    assert outlayer_task_hash(least) == hashlib.sha256(b"".join((parts[0], parts[1], b"o"))).digest()
    whole = TASK._replace(commit="c", project_id="p")
    parts = (*parts[:3], b"c", *parts[3:9], b"p", *parts[9:])
    assert outlayer_task_hash(whole) == hashlib.sha256(b"".join(parts)).digest()


def test_outlayer_tasks_can_collide() -> None:
    assert outlayer_task_hash(TASK._replace(repo="ab", commit="c")) == outlayer_task_hash(
        TASK._replace(repo="a", commit="bc")
    )


def test_mpc_keys_of_a_real_quote() -> None:
    data = parse_quote(recorded.quote_of(recorded.MPC)).report_data
    keys = recorded.mpc_keys()
    assert require_bound(data, keys, key=keys.account_key) == "mpc-v1"
    swapped = MpcKeys(keys.account_key, keys.tls_key)
    assert refused(require_bound, data, swapped, key=None) == "report-data-mismatch"
    assert refused(require_bound, data, keys, key=KEY) == "key-not-bound"


def test_app_data_binds_a_key_only_as_a_whole() -> None:
    assert report_data_of(BINDINGS[4]) == hashlib.sha512(b"app-data:content").digest()
    text = public_key_text(KEY).encode()
    assert bound_keys(AppData("app-data", KEY[1:])) == bound_keys(AppData("app-data", text)) == (KEY,)
    for content in (b"", KEY, text + b" ", text.removeprefix(b"ed25519:"), text + KEY, b"\xff", b"ed25519:1"):
        assert bound_keys(AppData("app-data", content)) == ()
    other = public_key_text(public_key_of(secret_key_from_seed("a", scheme=SECP256K1)))
    assert bound_keys(AppData("app-data", other.encode())) == ()
