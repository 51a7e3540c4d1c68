"""The simulated guest: what fits together on it, and everything that it can be told to do wrong, by who notices."""

import hashlib
import json
import os
import stat
import threading
from http.client import HTTPConnection
from socket import AF_UNIX, socket

import pytest

from near_tee_cli.attest.compose import ComposeRules, judge_compose
from near_tee_cli.attest.event_log import key_provider_of, mismatches, parse_event_log, replay
from near_tee_cli.attest.evidence import Conclusion, Evidence, verify_evidence
from near_tee_cli.attest.guest_agent import ED25519, SECP256K1, SECP256K1_PREHASHED, GuestAgent, is_simulated
from near_tee_cli.attest.key_chain import compressed, issued_digest, purpose_digest, recover_key_chain, signs
from near_tee_cli.attest.platform_policy import parse_platform_policy
from near_tee_cli.attest.quote import parse_quote
from near_tee_cli.attest.report_data import RawKey, report_data_of
from near_tee_cli.attest.simulator import DEFAULT_COMPOSE, MISBEHAVIOURS, SimulatedGuest
from near_tee_cli.attest.simulator_server import SimulatedAgent
from near_tee_cli.attest.synthetic_pki import Platform
from near_tee_cli.errors import BadInputError, EvidenceError, HostError, UsageError, WriteError
from near_tee_cli.primitives.curves import ed25519, secp256k1
from near_tee_cli.primitives.hashes import keccak256

ISSUED = 1_790_000_000
KEY = bytes([0]) + ed25519.secret_key_of(bytes(32))[32:]
BINDING = RawKey(KEY)


def guest(*misbehave, **more):
    return SimulatedGuest(seed=b"a seed", issued=ISSUED, misbehave=frozenset(misbehave), **more)


HONEST = guest()


@pytest.fixture
def agent(tmp_path):
    with SimulatedAgent(HONEST, str(tmp_path / "agent.sock")) as served:
        yield GuestAgent(served.path, timeout=5)


def policy(**sections):
    measured = {f"rtmr{at}": register.hex() for at, register in enumerate(HONEST.registers[:3])}
    tables = {
        "measurements": [{"label": "simulated", "mrtd": HONEST.mr_td.hex(), **measured}],
        "app": {"compose_hashes": [HONEST.compose_hash.hex()], "key_providers": [{"name": "kms"}]},
        "binding": {"profiles": ["raw-ed25519"]},
        **sections,
    }
    return parse_platform_policy(tables)


def evidence(served):
    """What our client packs from an agent."""
    info, quote = served.info(), served.get_quote(report_data_of(BINDING))
    return Evidence(quote.quote, event_log=quote.event_log, compose=info.compose, binding=BINDING)


def judged(simulated, found, *, root=HONEST.pki.root, allow_dev=True, rules=None):
    return verify_evidence(
        found._replace(collateral=simulated.pki.collateral()),
        policy=rules or policy(),
        time=ISSUED + 60,
        key=KEY,
        dev_root=root,
        allow_dev=allow_dev,
    )


def test_evidence_is_accepted_by_whoever_asks_for_it_and_by_nobody_else(agent):
    found = evidence(agent)
    report = judged(HONEST, found)
    assert (report.conclusion, report.code) == (Conclusion.ACCEPTED, None)
    assert is_simulated(report.quote.td)
    report = judged(HONEST, found, allow_dev=False)
    assert (report.conclusion, report.code) == (Conclusion.INCONCLUSIVE, "evidence-simulated")
    report = judged(HONEST, found, root=None)
    assert (report.conclusion, report.code) == (Conclusion.CONTRADICTED, "other-root")


# Misbehaviour -> who notices: our client by its code, or the verification of evidence; or nobody, since it is no fault.
CLIENT, EVIDENCE = "client", "evidence"
NOTICED = {
    "timeout": (CLIENT, "agent-timeout"),
    "drip": (CLIENT, "agent-timeout"),
    "hang-up": (CLIENT, "agent-malformed"),
    "error": (CLIENT, "agent-refused"),
    "not-json": (CLIENT, "agent-malformed"),
    "wrong-types": (CLIENT, "agent-malformed"),
    "huge-body": (CLIENT, "agent-too-large"),
    "huge-event-log": (CLIENT, "agent-too-large"),
    "other-echo": (CLIENT, "agent-other-report-data"),
    "other-report-data": (CLIENT, "agent-other-report-data"),
    "no-version": None,
    "other-key-chain": None,
    "forged-signature": None,
    "stripped-digests": None,
    "v2-events": None,
    "app-event": (EVIDENCE, "post-event-not-allowed"),
    "late-event": (EVIDENCE, "event-late"),
    "repeated-event": (EVIDENCE, "event-repeated"),
    "ambiguous-event": (EVIDENCE, "event-ambiguous"),
    "wrong-measurements": (EVIDENCE, "event-log-mismatch"),
    "other-image": (EVIDENCE, "measurements-not-allowed"),
    "dropped-event": (EVIDENCE, "event-log-mismatch"),
    "reordered-events": (EVIDENCE, "event-log-mismatch"),
    "forged-compose": (EVIDENCE, "event-digest-mismatch"),
    "other-compose": (EVIDENCE, "compose-hash-mismatch"),
    "forged-quote": (EVIDENCE, "quote-forged"),
    "other-root": (EVIDENCE, "other-root"),
    "debug": (EVIDENCE, "td-debug"),
    "sept-ve": (EVIDENCE, "td-sept-ve"),
    "revoked": (EVIDENCE, "certificate-revoked"),
    "expired": (EVIDENCE, "evidence-expired"),
}


def test_every_misbehaviour_has_its_row():
    assert NOTICED.keys() == MISBEHAVIOURS.keys()


@pytest.mark.parametrize("kind", MISBEHAVIOURS)
def test_misbehaviour_is_noticed(tmp_path, kind):
    told = guest(kind)
    with SimulatedAgent(told, str(tmp_path / "agent.sock")) as served:
        client = GuestAgent(served.path, timeout=0.3 if kind in ("timeout", "drip") else 10)
        who, code = NOTICED[kind] or (None, None)
        if who == CLIENT:
            with pytest.raises(HostError) as caught:
                evidence(client)
            assert caught.value.code == code
            return
        report = judged(told, evidence(client))
    conclusion = {None: Conclusion.ACCEPTED, "evidence-expired": Conclusion.INCONCLUSIVE}
    assert (report.code, report.conclusion) == (code, conclusion.get(code, Conclusion.CONTRADICTED))


def test_two_misbehaviours_at_once(tmp_path):
    told = guest("stripped-digests", "v2-events", "no-version")
    with SimulatedAgent(told, str(tmp_path / "agent.sock")) as served:
        client = GuestAgent(served.path)
        assert judged(told, evidence(client)).conclusion is Conclusion.ACCEPTED
        with pytest.raises(HostError) as caught:
            client.get_key("p", purpose="q")
    assert caught.value.code == "agent-too-old"


def test_unknown_misbehaviour():
    with pytest.raises(UsageError) as caught:
        guest("nicely")
    assert "timeout" in caught.value.hint


def test_uncommon_logs_are_as_real_guests_have_them():
    common, stripped, second = (
        json.loads(guest(*kinds).event_log)[-1] for kinds in ((), ("stripped-digests",), ("v2-events",))
    )
    assert set(common) == {"imr", "event_type", "digest", "event", "event_payload"}
    assert stripped == {**common, "digest": ""}
    assert (second["version"], second["digest"] == common["digest"]) == (2, False)
    text = '{"name":"system-ready","payload":"","type":134217729}'
    assert bytes.fromhex(second["preimage"]).decode() == text
    assert second["digest"] == hashlib.sha384(text.encode()).hexdigest()


@pytest.mark.parametrize("status", ["OutOfDate", "SWHardeningNeeded", "Revoked"])
def test_standing_of_the_machine(status):
    told = guest(platform=Platform(status=status))
    quote = told.quote(report_data_of(BINDING))
    report = judged(told, Evidence(quote, event_log=told.event_log.encode(), compose=told.compose, binding=BINDING))
    assert report.conclusion is Conclusion.CONTRADICTED
    assert report.code == ("tcb-revoked" if status == "Revoked" else "tcb-status")


# What fits together.


def test_log_leads_to_the_registers_and_names_the_application(agent):
    info, quote = agent.info(), agent.get_quote(b"x")
    replayed = replay(parse_event_log(quote.event_log))
    td = parse_quote(quote.quote).td
    assert mismatches(replayed, td.registers) == ()
    assert replayed.logged == {0, 1, 2, 3}
    assert list(replayed.system) == [
        "system-preparing", "app-id", "compose-hash", "instance-id", "boot-mr-done", "os-image-hash", "key-provider",
        "storage-fs", "system-ready",
    ]  # fmt: skip
    system = replayed.system
    assert (system["app-id"], system["instance-id"]) == (info.app_id, info.instance_id)
    assert (system["compose-hash"], system["os-image-hash"]) == (info.compose_hash, info.os_image_hash)
    assert td.mr_config_id == b"\x01" + info.compose_hash + bytes(15)
    assert key_provider_of(replayed) == ("kms", HONEST.kms_root)
    assert replayed.application == ()


def test_compose_file_is_the_one_given():
    compose = b'{"name": "mine",\n "runner":"docker-compose"}'
    told = guest(compose=compose)
    assert told.compose == compose
    assert told.compose_hash != HONEST.compose_hash
    assert told.registers[3] != HONEST.registers[3]
    assert told.registers[:3] == HONEST.registers[:3]
    assert told.answer("Info", {})[1]["app_name"] == "mine"
    for broken in (b"", b"[]", b"\xff"):
        with pytest.raises(BadInputError):
            guest(compose=broken)


def test_default_compose_file_pins_what_runs():
    assert judge_compose(DEFAULT_COMPOSE, ComposeRules()) == ()


def test_everything_says_that_it_is_simulated(agent):
    info = agent.info()
    assert info.is_simulated
    assert "NOT INTEL" in agent.version().rev
    assert json.loads(info.vm_config)["simulated"] is True
    quote = agent.get_quote(b"x")
    assert quote.is_simulated
    assert json.loads(quote.vm_config)["simulated"] is True


def test_everything_repeats_with_the_seed():
    ones, twos, others = guest(), guest(), SimulatedGuest(seed=b"another", issued=ISSUED)
    assert ones.quote(bytes(64)) == twos.quote(bytes(64)) != others.quote(bytes(64))
    keys = [one.answer("GetKey", {})[1]["key"] for one in (ones, twos, others)]
    assert keys[0] == keys[1] != keys[2]
    assert guest(compose=b"{}").answer("GetKey", {})[1]["key"] != keys[0]
    assert ones.pki.collateral() == twos.pki.collateral()


# Keys.


@pytest.mark.parametrize("algorithm", [ED25519, SECP256K1])
def test_keys_come_with_a_chain(agent, algorithm):
    key = agent.get_key("a/path", purpose="test", algorithm=algorithm)
    public = (
        ed25519.secret_key_of(key.secret)[32:]
        if algorithm == ED25519
        else compressed(secp256k1.public_key_of(key.secret))
    )
    chain = recover_key_chain(key.chain, purpose="test", public_key=public, app_id=HONEST.app_id)
    assert chain.root == HONEST.kms_root
    again = agent.get_key("a/path", purpose="other", algorithm=algorithm)
    assert again.secret == key.secret != agent.get_key("b", purpose="test", algorithm=algorithm).secret
    for changed in ({"purpose": "other"}, {"public_key": bytes(32)}, {"app_id": bytes(20)}):
        told = {"purpose": "test", "public_key": public, "app_id": HONEST.app_id, **changed}
        assert recover_key_chain(key.chain, **told).root != HONEST.kms_root


def test_derivation_is_hkdf_with_the_salt_of_dstack():
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    expected = HKDF(SHA256(), 32, b"RATLS", b"a/path").derive(HONEST._app_secret)
    assert HONEST.answer("GetKey", {"path": "a/path"})[1]["key"] == expected.hex()


@pytest.mark.parametrize("algorithm", [ED25519, SECP256K1, SECP256K1_PREHASHED])
def test_signatures_come_with_a_chain(agent, algorithm):
    signed = agent.sign(bytes(32), algorithm=algorithm)
    chain = recover_key_chain(signed.chain, purpose="signing", public_key=signed.public_key, app_id=HONEST.app_id)
    assert chain.root == HONEST.kms_root


def test_another_key_management_service_is_another_root():
    told = guest("other-key-chain")
    answer = told.answer("GetKey", {"path": "p", "algorithm": ED25519})[1]
    public = ed25519.secret_key_of(bytes.fromhex(answer["key"]))[32:]
    signatures = [bytes.fromhex(one) for one in answer["signature_chain"]]
    root = recover_key_chain(signatures, purpose="", public_key=public, app_id=told.app_id).root
    assert root == told.kms_root != HONEST.kms_root


def test_forged_signatures_are_noticed(tmp_path):
    with SimulatedAgent(guest("forged-signature"), str(tmp_path / "a")) as served:
        for algorithm in (ED25519, SECP256K1, SECP256K1_PREHASHED):
            with pytest.raises(HostError) as caught:
                GuestAgent(served.path).sign(bytes(32), algorithm=algorithm)
            assert caught.value.code == "agent-malformed"


def test_what_chains_sign():
    assert purpose_digest("signing", b"\x01\xab") == keccak256(b"signing:01ab")
    assert issued_digest(b"i" * 20, b"k" * 33) == keccak256(b"dstack-kms-issued:" + b"i" * 20 + b"k" * 33)


def test_key_of_an_application_as_the_simulator_of_dstack_has_it():
    # Public values of github.com/Dstack-TEE/dstack, sdk/simulator (appkeys.json, attestation.bin).
    app_id = bytes.fromhex("5bb4ff9a3837357f19dc176407a5709c62eb6c56")
    app_key = bytes.fromhex("02818494263695e8839122dbd88e281d7380622999df4e60a14befa0f2d096fc7c")
    signature = bytes.fromhex(
        "9e618603e72d01fedb82deff6daf2d62a572becf0059eec3f89c1ab40e1f2e59"
        "4d2a283f843f34e8f39e4cc49a612496ce67223a12ac923f8efe330346dfc6c5"
    )
    root = bytes.fromhex("0321529e458424ab1f710a3a57ec4dad2fb195ddca572f7469242ba6c7563085b6")
    assert signs(signature, issued_digest(app_id, app_key), root)
    assert not signs(signature, issued_digest(bytes(20), app_key), root)


def test_compressed_points():
    # Multiples 1 and 6 of the generator: one with an even, one with an odd second coordinate.
    for number, expected in (
        (1, "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
        (6, "03fff97bd5755eeea420453a14355235d382f6472f8568a18b2f057a1460297556"),
    ):
        assert compressed(secp256k1.public_key_of(number.to_bytes(32, "big"))).hex() == expected


@pytest.mark.parametrize(
    "signatures",
    [[], [bytes(65)], [bytes(65)] * 2, [bytes(64)] * 2, [b"\x01" * 64 + b"\x04"] * 2, [b"\xff" * 64 + b"\0"] * 2],
)
def test_chains_that_lead_nowhere(signatures):
    with pytest.raises(EvidenceError) as caught:
        recover_key_chain(signatures, purpose="p", public_key=bytes(32), app_id=bytes(20))
    assert caught.value.code == "key-chain-malformed"


# The server.


def post(path, method, body, *, verb="POST"):
    connection = HTTPConnection("localhost")
    connection.sock = socket(AF_UNIX)
    connection.sock.connect(path)
    try:
        connection.request(verb, f"/{method}", body)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("Version", b"", 200),
        ("Version", b"{}", 200),
        ("prpc/Version?json", b"{}", 200),
        ("Nothing", b"{}", 404),
        ("Version", b"{", 400),
        ("Version", b"[]", 400),
        ("GetQuote", b'{"report_data":"zz"}', 400),
        ("GetQuote", b'{"report_data":7}', 400),
        ("GetQuote", b'{"report_data":"%s"}' % (b"00" * 65), 400),
        ("GetQuote", b"{}", 200),
        ("GetKey", b'{"algorithm":"rsa"}', 400),
        ("GetKey", b'{"algorithm":"k256"}', 200),
        ("Sign", b'{"algorithm":"rsa","data":"00"}', 400),
        ("Sign", b'{"algorithm":"secp256k1_prehashed","data":"00"}', 400),
    ],
)
def test_requests(tmp_path, method, body, status):
    with SimulatedAgent(HONEST, str(tmp_path / "a")) as served:
        code, members = post(served.path, method, body)
    assert code == status
    assert ("error" in members) == (status != 200)


def test_requests_made_by_hand(tmp_path):
    with SimulatedAgent(HONEST, str(tmp_path / "a")) as served:
        assert post(served.path, "Version", None, verb="GET")[0] == 200


@pytest.mark.parametrize("length", ["4194305", "9999999999", "9" * 5000, "-1", "x"])
def test_requests_that_are_too_large(tmp_path, length):
    with SimulatedAgent(HONEST, str(tmp_path / "a")) as served, socket(AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(served.path)
        connection.sendall(f"POST /Version HTTP/1.1\r\nContent-Length: {length}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_report_data_have_at_most_64_bytes():
    assert HONEST.answer("GetQuote", {"report_data": "00" * 65}) == (400, {"error": "Report data is too long"})


def test_many_at_once(tmp_path):
    found = []
    with SimulatedAgent(HONEST, str(tmp_path / "a")) as served:
        threads = [
            threading.Thread(target=lambda at=at: found.append(GuestAgent(served.path).get_quote(bytes([at + 1]))))
            for at in range(16)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(one.report_data[0] for one in found) == list(range(1, 17))


def test_socket_is_the_owners_alone_and_goes_at_the_end(tmp_path):
    path = tmp_path / "a"
    with SimulatedAgent(HONEST, str(path)):
        status = path.lstat()
        assert stat.S_ISSOCK(status.st_mode)
        assert stat.S_IMODE(status.st_mode) == 0o600
    assert not os.path.lexists(path)


def test_silent_agents_end_as_well(tmp_path):
    with socket(AF_UNIX) as connection:
        with SimulatedAgent(guest("timeout"), str(tmp_path / "a")) as served:
            connection.connect(served.path)
            connection.sendall(b"GET /Version HTTP/1.1\r\n\r\n")
            connection.settimeout(0.1)
            with pytest.raises(TimeoutError):
                connection.recv(1)
        connection.settimeout(5)
        assert connection.recv(1) == b""
    assert not os.path.lexists(served.path)


@pytest.mark.parametrize("kind", ["file", "directory", "link", "socket"])
def test_nothing_is_replaced(tmp_path, kind):
    path = tmp_path / "a"
    if kind == "file":
        path.write_bytes(b"mine")
    elif kind == "directory":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(tmp_path / "nowhere")
    else:
        with socket(AF_UNIX) as bound:
            bound.bind(str(path))
    before = path.lstat()
    with pytest.raises(WriteError) as caught, SimulatedAgent(HONEST, str(path)):
        pass
    assert caught.value.code == "exists"
    assert path.lstat() == before


@pytest.mark.parametrize("name", ["missing/agent", "x" * 200])
def test_places_where_no_socket_can_be(tmp_path, name):
    with pytest.raises(WriteError) as caught, SimulatedAgent(HONEST, str(tmp_path / name)):
        pass
    assert caught.value.code == "write-failed"


def test_what_took_the_place_of_the_socket_stays(tmp_path):
    path = tmp_path / "a"
    with SimulatedAgent(HONEST, str(path)):
        path.unlink()
        path.write_bytes(b"mine")
    assert path.read_bytes() == b"mine"


# Another client.


def test_neighbouring_client_is_served(tmp_path):
    sdk = pytest.importorskip("dstack_sdk", reason="dstack-sdk is not installed")
    with SimulatedAgent(HONEST, str(tmp_path / "a")) as served, (client := sdk.DstackClient(served.path)):
        assert client.info().app_id == HONEST.app_id.hex()
        assert client.version().version == "0.5.9"
        quote = client.get_quote(b"hello")
        assert quote.decode_quote() == HONEST.quote(b"hello".ljust(64, b"\0"))
        assert quote.replay_rtmrs() == {at: one.hex() for at, one in enumerate(HONEST.registers)}
        ours = GuestAgent(served.path)
        for algorithm in (ED25519, SECP256K1):
            key = client.get_key("path", "purpose", algorithm)
            own = ours.get_key("path", purpose="purpose", algorithm=algorithm)
            assert (key.decode_key(), tuple(key.decode_signature_chain())) == (own.secret, own.chain)
            signed = client.sign(algorithm, b"data")
            assert signed.decode_signature() == ours.sign(b"data", algorithm=algorithm).signature
