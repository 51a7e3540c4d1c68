"""Event logs: replayed as real guests logged them, and one refusal for every rule."""

import hashlib
import json

import pytest

from near_tee_cli.attest.event_log import (
    MAX_EVENTS,
    MAX_LOG_BYTES,
    RUNTIME_EVENT,
    event_digest,
    key_provider_of,
    mismatches,
    parse_event_log,
    replay,
)
from near_tee_cli.attest.quote import parse_quote, td_report_of
from near_tee_cli.errors import BadInputError, EvidenceError
from tests.support import attestation as recorded

LOGGED = [name for name, case in recorded.cases().items() if "event_log" in case]
PROVIDER = b'{"name":"kms","id":"0102"}'


def entry(name: str, payload: bytes = b"", **other) -> dict:
    found = {"imr": 3, "event_type": RUNTIME_EVENT, "digest": "", "event": name, "event_payload": payload.hex()}
    return {**found, **other}


def usual() -> list[dict]:
    return [
        entry("system-preparing"),
        entry("app-id", bytes(20)),
        entry("compose-hash", bytes(32)),
        entry("instance-id"),
        entry("key-provider", PROVIDER),
        entry("system-ready"),
        entry("app-event", b"x"),
    ]


def replayed(entries: list[dict]):
    return replay(parse_event_log(json.dumps(entries).encode()))


def refused(entries: list[dict]) -> str:
    with pytest.raises((BadInputError, EvidenceError)) as caught:
        replayed(entries)
    return caught.value.code


@pytest.mark.parametrize("name", LOGGED)
def test_real_logs_lead_to_the_registers(name) -> None:
    case = recorded.cases()[name]
    found = replay(parse_event_log(recorded.log_of(name)))
    registers = td_report_of(parse_quote(recorded.quote_of(name))).registers
    assert [at not in mismatches(found, registers) for at in range(4)] == case["event_log_replay_matches"] == [True] * 4
    assert len(found.events) == case["event_log_events"]
    assert [event.name for event in found.events if event.register == 3] == case["runtime_events"]
    assert [*found.system, *(event.name for event in found.application)] == case["runtime_events"]


def test_what_a_real_log_says() -> None:
    found = replay(parse_event_log(recorded.log_of(recorded.MPC)))
    assert found.system["compose-hash"].hex() == recorded.cases()[recorded.MPC]["mr_config_id"][2:66]
    assert found.system["app-id"] == found.system["compose-hash"][:20]
    assert key_provider_of(found).name == "local-sgx"
    assert len(key_provider_of(found).id) == 32
    assert key_provider_of(replay(parse_event_log(recorded.log_of(recorded.LITE)))).name == "kms"


def test_registers_extend_from_zero_in_order() -> None:
    entries = [{**entry(""), "imr": at, "event_type": 1, "digest": bytes([at]).hex() * 48} for at in (0, 1, 0, 2)]
    found = replayed(entries)
    once = hashlib.sha384(bytes(48) + bytes(48)).digest()
    assert found.registers[0] == hashlib.sha384(once + bytes(48)).digest()
    assert found.registers[1] == hashlib.sha384(bytes(48) + bytes([1]) * 48).digest()
    assert found.registers[3] == bytes(48)
    assert (found.logged, found.system, found.application) == ({0, 1, 2}, {}, ())
    assert mismatches(found, (bytes(48), *found.registers[1:])) == (0,)
    assert mismatches(found, (*found.registers[:3], bytes([1]) * 48)) == (3,)


def test_digests_of_both_versions() -> None:
    text = b'{"name":"n\xc3\xa9","payload":"00ff","type":134217729}'
    assert event_digest("né", b"\0\xff", version=2) == hashlib.sha384(text).digest()
    joined = b"\x01\0\0\x08:n:\0\xff"
    assert event_digest("n", b"\0\xff") == hashlib.sha384(joined).digest()
    newer = [{**one, "version": 2, "preimage": "00"} for one in usual()]
    assert replayed(newer).registers[3] != replayed(usual()).registers[3]
    newer[2]["digest"] = event_digest("compose-hash", bytes(32), version=2).hex()
    assert replayed(newer).system["compose-hash"] == bytes(32)
    assert refused([{**one, "version": 3} for one in usual()]) == "bad-event-log"


def test_a_payload_forged_under_its_old_digest() -> None:
    entries = json.loads(recorded.log_of(recorded.MPC))
    at = next(at for at, one in enumerate(entries) if one["event"] == "compose-hash")
    entries[at]["event_payload"] = "ff" * 32
    assert refused(entries) == "event-digest-mismatch"
    entries[at]["digest"] = ""
    registers = td_report_of(parse_quote(recorded.quote_of(recorded.MPC))).registers
    assert mismatches(replayed(entries), registers) == (3,)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda log: log[2].update(event_type=1), "event-type-mismatch"),
        (lambda log: log[6].update(event="a:b"), "event-ambiguous"),
        (lambda log: log[6].update(event=""), "event-ambiguous"),
        (lambda log: log.insert(3, entry("compose-hash", bytes(32))), "event-repeated"),
        (lambda log: log.insert(3, entry("anything")) or log.insert(3, entry("anything")), "event-repeated"),
        (lambda log: log.append(entry("compose-hash", bytes(32))), "event-late"),
        (lambda log: log.append(entry("system-ready")), "event-late"),
        (lambda log: log.pop(1), "event-missing"),
        (lambda log: log.pop(2), "event-missing"),
        (lambda log: log.pop(4), "event-missing"),
        (lambda log: log.pop(5), "event-missing"),
        (lambda log: log.append(log.pop(2)), "event-missing"),
        (lambda log: log[1].update(event_payload="00" * 32), "event-malformed"),
        (lambda log: log[2].update(event_payload="00" * 31), "event-malformed"),
        (lambda log: log[3].update(event_payload="00"), "event-malformed"),
        (lambda log: log.insert(1, entry("os-image-hash", b"x")), "event-malformed"),
        (lambda log: log[0].update(imr=4, digest="00" * 48), "bad-event-log"),
        (lambda log: log[0].update(imr=-1), "bad-event-log"),
        (lambda log: log[0].update(imr=True), "bad-event-log"),
        (lambda log: log[0].update(event_type=2**32), "bad-event-log"),
        (lambda log: log[0].update(digest="00" * 47), "bad-event-log"),
        (lambda log: log[0].update(digest="zz"), "bad-event-log"),
        (lambda log: log[0].update(event_payload="0 0"), "bad-event-log"),
        (lambda log: log[0].update(event_payload="00 00"), "bad-event-log"),
        (lambda log: log[0].update(imr=0), "bad-event-log"),
        (lambda log: log[0].update(more=1), "bad-event-log"),
        (lambda log: log[0].pop("digest"), "bad-event-log"),
        (lambda log: log[0].update(event=1), "bad-event-log"),
    ],
)
def test_one_refusal_for_every_rule(change, code) -> None:
    entries = usual()
    assert [event.name for event in replayed(entries).application] == ["app-event"]
    change(entries)
    assert refused(entries) == code


def test_key_providers_that_cannot_be_read() -> None:
    for payload in (b"", b"[]", b'{"name":"kms"}', b'{"name":"kms","id":"x"}', b'{"name":1,"id":""}'):
        entries = usual()
        entries[4] = entry("key-provider", payload)
        with pytest.raises(EvidenceError) as caught:
            key_provider_of(replayed(entries))
        assert caught.value.code == "event-malformed"
    with pytest.raises(EvidenceError) as caught:
        key_provider_of(replay(()))
    assert caught.value.code == "event-missing"


def test_work_is_bounded_before_anything_is_hashed(monkeypatch) -> None:
    many = b"[" + b",".join([b"0"] * (MAX_EVENTS + 1)) + b"]"
    for data in (many, b" " * (MAX_LOG_BYTES + 1)):
        with pytest.raises(BadInputError) as caught:
            parse_event_log(data)
        assert caught.value.code == "too-large"
    assert (MAX_EVENTS, MAX_LOG_BYTES) == (4096, 1048576)
    full = json.dumps(usual()[:6] + [entry("app-event")] * (MAX_EVENTS - 6)).encode()
    assert len(replay(parse_event_log(full)).events) == MAX_EVENTS
    one = parse_event_log(json.dumps(usual()).encode())[:1]
    with pytest.raises(BadInputError) as caught:
        replay(one * (MAX_EVENTS + 1))
    assert caught.value.code == "too-large"


@pytest.mark.parametrize("data", [b"", b"{}", b"[", b"[1]", b'[{"imr":3,"imr":3}]', b"[null]", b"\xff"])
def test_what_is_no_log(data) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_event_log(data)
    assert caught.value.code == "bad-event-log"


def test_every_bit_of_a_log_that_counts() -> None:
    """A changed log is refused, leads elsewhere, or says the same about everything that is proved."""
    data = recorded.log_of(recorded.MPC)
    registers = td_report_of(parse_quote(recorded.quote_of(recorded.MPC))).registers
    entries = json.loads(data)
    said = proved(replay(parse_event_log(data)))
    accepted = 0
    for at in range(len(entries)):
        for field in ("event_payload", "event", "digest", "imr", "event_type"):
            mutant = json.loads(data)
            value = mutant[at][field]
            if isinstance(value, int):
                mutant[at][field] = value ^ 1
            elif value:
                mutant[at][field] = value[:-1] + chr(ord(value[-1]) ^ 1)
            else:
                mutant[at][field] = "00"
            try:
                found = replay(parse_event_log(json.dumps(mutant).encode()))
            except (BadInputError, EvidenceError):
                continue
            if mismatches(found, registers):
                continue
            accepted += 1
            assert proved(found) == said
            assert entries[at]["imr"] != 3
    assert accepted > 0


def proved(found) -> tuple:
    runtime = [event for event in found.events if event.register == 3]
    return found.registers, found.system, found.application, runtime, [event.digest for event in found.events]
