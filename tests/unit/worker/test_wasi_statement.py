"""Claims about executions: their bytes, their statement, and executing again."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.attest.dsse import encode_envelope, parse_envelope, signed_envelope, signers_among
from near_tee_cli.errors import BadInputError, EvidenceError, UnsupportedError
from near_tee_cli.primitives.base58 import encode as base58
from near_tee_cli.primitives.keys import public_key_of, secret_key_from_seed, sign
from near_tee_cli.worker.wasi import execute
from near_tee_cli.worker.wasi_run import TRAPS, Limits, Recorded, Run
from near_tee_cli.worker.wasi_statement import (
    NO_PLACE,
    Asked,
    Outcome,
    Place,
    Task,
    WasiClaim,
    check_again,
    claim_digest,
    claim_of,
    compact_message,
    decode_claim,
    encode_claim,
    environment_digest,
    outcome_digest,
    require_about,
    statement_of,
    statement_payload,
    task_digest,
)
from tests.support.wasi_programs import CLOCK_AND_RANDOM, ECHO, ENVIRONMENT, FAIL, SPIN

ENV = (("A", "1"), ("B", ""))
ASKED = Asked(ECHO, b"hello", ENV, Limits(10**6, 1, 5), Recorded(7, bytes(32)))
PLACE = Place("mainnet", "outlayer.near", 3, bytes(range(32)))


def here(asked):
    return execute(
        asked.program, stdin=asked.stdin, environment=asked.environment, limits=asked.limits, recorded=asked.recorded
    )


def again(claim, asked=ASKED, run=here):
    return check_again(claim, program=asked.program, stdin=asked.stdin, environment=asked.environment, execute=run)


@pytest.fixture(scope="module")
def claim():
    return claim_of(ASKED, here(ASKED), place=PLACE, elapsed_ms=12)


@pytest.mark.parametrize("program", [ECHO, ENVIRONMENT, CLOCK_AND_RANDOM, FAIL, SPIN])
def test_every_ending_is_seen_again(program) -> None:
    asked = ASKED._replace(program=program)
    run = here(asked)
    found = claim_of(asked, run)
    assert (found.place, found.elapsed_ms) == (NO_PLACE, 0)
    assert again(found, asked) == run


def test_the_time_is_outside_what_is_compared(claim) -> None:
    slower = claim._replace(elapsed_ms=10**6)
    assert again(slower).stdout == b"hello"
    assert outcome_digest(slower.outcome) == outcome_digest(claim.outcome)
    assert claim_digest(slower) != claim_digest(claim)


CHANGED = {
    "exit": 1, "stdout": bytes(32), "stdout_length": 6, "stderr": bytes(32), "stderr_length": 1, "instructions": 5,
    "memory_pages": 2,
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGED)
def test_a_lie_about_the_outcome_is_named(claim, name) -> None:
    lie = claim._replace(outcome=claim.outcome._replace(**{name: CHANGED[name]}))
    with pytest.raises(EvidenceError) as refusal:
        again(lie)
    assert refusal.value.code == "wasi-diverged"
    assert f"again, {name} is " in refusal.value.message


def test_a_claimed_trap_that_was_none(claim) -> None:
    lie = claim._replace(outcome=claim.outcome._replace(exit=None, trap="unreachable"))
    with pytest.raises(EvidenceError) as refusal:
        again(lie)
    assert refusal.value.code == "wasi-diverged"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"program": ENVIRONMENT}, "other-program"),
        ({"stdin": b"hello!"}, "other-input"),
        ({"environment": ENV[::-1]}, "other-environment"),
        ({"environment": ENV[:1]}, "other-environment"),
    ],
)
def test_other_contents_are_named(claim, change, code) -> None:
    with pytest.raises(EvidenceError) as refusal:
        again(claim, ASKED._replace(**change), run=lambda _: pytest.fail("executed"))
    assert refusal.value.code == code


def test_other_limits_and_recorded_values_lead_elsewhere() -> None:
    asked = ASKED._replace(program=CLOCK_AND_RANDOM)
    found = claim_of(asked, here(asked))
    for task in (
        found.task._replace(recorded=Recorded(8, bytes(32))),
        found.task._replace(recorded=Recorded(7, b"\1" * 32)),
    ):
        with pytest.raises(EvidenceError):
            again(found._replace(task=task), asked)
    spin = ASKED._replace(program=SPIN)
    spun = claim_of(spin, here(spin))
    with pytest.raises(EvidenceError):
        again(spun._replace(task=spun.task._replace(limits=Limits(10**6 + 1, 1, 5))), spin)


def test_another_metering_decides_nothing(claim) -> None:
    other = claim._replace(task=claim.task._replace(metering="wasmtime-1-fuel"))
    with pytest.raises(UnsupportedError) as refusal:
        again(other._replace(outcome=claim.outcome._replace(instructions=5)))
    assert refusal.value.code == "unsupported-metering"


def borsh(text):
    return len(text.encode()).to_bytes(4, "little") + text.encode()


def test_the_bytes_written_out(claim) -> None:
    sha = lambda data: hashlib.sha256(data).digest()  # noqa: E731
    variables = (2).to_bytes(4, "little") + borsh("A") + borsh("1") + borsh("B") + borsh("")
    environment = sha(b"near-tee/wasi-environment/v1\0" + variables)
    task = (
        sha(ECHO) + sha(b"hello") + environment + (10**6).to_bytes(8, "little") + (1).to_bytes(4, "little")
        + (5).to_bytes(4, "little") + (7).to_bytes(8, "little") + bytes(32) + borsh(claim.task.metering)
    )  # fmt: skip
    outcome = (
        b"\1\0\0\0\0" + b"\0" + sha(b"hello") + (5).to_bytes(4, "little") + sha(b"") + bytes(4)
        + claim.outcome.instructions.to_bytes(8, "little") + (1).to_bytes(4, "little")
    )  # fmt: skip
    place = (
        borsh("mainnet") + borsh("outlayer.near") + b"\1" + (3).to_bytes(8, "little") + b"\1" + bytes(range(32))
    )  # fmt: skip
    assert encode_claim(claim) == place + task + outcome + (12).to_bytes(8, "little")
    assert environment_digest(ENV) == environment
    assert task_digest(claim.task) == sha(b"near-tee/wasi-task/v1\0" + task)
    assert outcome_digest(claim.outcome) == sha(b"near-tee/wasi-outcome/v1\0" + outcome)
    assert claim_digest(claim) == sha(b"near-tee/wasi-claim/v1\0" + encode_claim(claim))
    assert compact_message(claim) == b"near-tee/signed-wasi-claim/v1\0" + claim_digest(claim)


def test_the_statement_repeats_every_field(claim) -> None:
    document = json.loads(statement_payload(claim))
    assert document["predicateType"] == "urn:near-tee:wasi-execution:v1"
    assert [one["name"] for one in document["subject"]] == ["outcome", "output", "program"]
    assert document["subject"][1]["digest"]["sha256"] == hashlib.sha256(b"hello").hexdigest()
    predicate = document["predicate"]
    assert predicate["request_id"] == "3"
    assert predicate["claim_digest"] == base58(claim_digest(claim))
    assert predicate["task"]["limits"] == {"instructions": "1000000", "memory_mb": 1, "seconds": 5}
    assert predicate["outcome"]["exit"] == 0
    assert set(predicate["task"]) == set(Task._fields)
    assert set(predicate["outcome"]) == set(Outcome._fields)
    assert set(Place._fields) < set(predicate)


def leaves(record, path=()):
    for name, value in record._asdict().items():
        if hasattr(value, "_asdict"):
            yield from leaves(value, (*path, name))
        else:
            yield (*path, name), value


def replaced(record, path, value):
    name, *rest = path
    return record._replace(**{name: replaced(getattr(record, name), rest, value) if rest else value})


def test_no_field_is_outside_statement_and_digest(claim) -> None:
    seen = set()
    for path, value in leaves(claim):
        if isinstance(value, bytes):
            other = b"\x55" * 32
        elif isinstance(value, str) or path[-1] == "trap":
            other = f"{value}x"
        else:
            other = (value or 0) + 1
        changed = replaced(claim, path, other)
        with pytest.raises(EvidenceError) as refusal:
            require_about(statement_payload(claim), changed)
        assert refusal.value.code == "other-claim"
        seen.add(claim_digest(changed))
    assert len(seen) == len(list(leaves(claim)))
    require_about(statement_payload(claim), claim)
    with pytest.raises(BadInputError):
        require_about(b"{", claim)


def test_it_goes_into_an_envelope(claim) -> None:
    secret = secret_key_from_seed("worker", scheme=0)
    key = public_key_of(secret)
    envelope = signed_envelope(statement_payload(claim), public_key=key, sign=lambda message: sign(secret, message)[1:])
    read = parse_envelope(encode_envelope(envelope))
    assert signers_among(read, [key]) == (key,)
    require_about(read.payload, claim)


def test_what_is_no_claim(claim) -> None:
    whole = encode_claim(claim)
    for data in (b"", whole[:-1], whole + b"\0"):
        with pytest.raises(BadInputError):
            decode_claim(data)
    for changes in (
        {"outcome": claim.outcome._replace(exit=None)},
        {"outcome": claim.outcome._replace(trap="unreachable")},
        {"outcome": claim.outcome._replace(exit=None, trap="bored")},
        {"outcome": claim.outcome._replace(instructions=10**6 + 1)},
        {"task": claim.task._replace(limits=Limits(10**6, 0, 1))},
        {"task": claim.task._replace(recorded=Recorded(2**63, bytes(32)))},
        {"task": claim.task._replace(metering="m" * 65)},
        {"place": PLACE._replace(network="n" * 65)},
        {"place": PLACE._replace(contract="NO")},
    ):
        with pytest.raises(BadInputError):
            decode_claim(encode_claim(claim._replace(**changes)))


HASHES = st.binary(min_size=32, max_size=32)
CLAIMS = st.builds(
    WasiClaim,
    st.builds(Place, st.sampled_from(["", "mainnet"]), st.sampled_from(["", "a.near"]),
              st.none() | st.integers(0, 2**64 - 1), st.none() | HASHES),
    st.builds(Task, HASHES, HASHES, HASHES,
              st.builds(Limits, st.integers(2**32, 2**62), st.integers(1, 4096), st.integers(1, 86400)),
              st.builds(Recorded, st.integers(0, 2**63 - 1), HASHES), st.text(max_size=16)),
    st.tuples(
        st.integers(0, 2**32 - 1) | st.sampled_from(TRAPS), HASHES, st.integers(0, 2**32 - 1), HASHES,
        st.integers(0, 2**32 - 1), st.integers(0, 2**32), st.integers(0, 65536),
    ).map(lambda it: Outcome(*((it[0], None) if isinstance(it[0], int) else (None, it[0])), *it[1:])),
    st.integers(0, 2**64 - 1),
)  # fmt: skip


@given(CLAIMS, st.data())
def test_there_and_back(claim, data) -> None:
    encoded = encode_claim(claim)
    assert decode_claim(encoded) == claim
    at = data.draw(st.integers(0, len(encoded) - 1))
    flipped = bytearray(encoded)
    flipped[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        other = decode_claim(bytes(flipped))
    except BadInputError:
        return
    assert encode_claim(other) == bytes(flipped)
    assert statement_of(other) != statement_of(claim)


def test_texts_have_64_bytes(claim) -> None:
    fits = claim._replace(place=PLACE._replace(network="n" * 64), task=claim.task._replace(metering="é" * 32))
    assert decode_claim(encode_claim(fits)) == fits


def test_a_claim_about_what_cannot_be_handed_over(claim) -> None:
    environment = (("A", "1"), ("A", "2"))
    other = claim._replace(task=claim.task._replace(environment=environment_digest(environment)))
    with pytest.raises(BadInputError) as refusal:
        again(other, ASKED._replace(environment=environment), run=lambda _: pytest.fail("executed"))
    assert refusal.value.code == "bad-environment"


def test_a_run_that_no_claim_can_say() -> None:
    with pytest.raises(BadInputError):
        claim_of(ASKED, Run(None, None, b"", b"", 1, 1, "m"))
