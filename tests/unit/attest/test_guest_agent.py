"""The client of guest agents against servers that say anything: each failure is one error with its code."""

import json
import socket
from time import monotonic

import pytest

from near_tee_cli.attest.guest_agent import (
    DEFAULT_SOCKETS,
    ED25519,
    MAX_ANSWER_BYTES,
    SECP256K1,
    SECP256K1_PREHASHED,
    SIMULATED,
    GuestAgent,
)
from near_tee_cli.attest.simulator import SimulatedGuest
from near_tee_cli.attest.simulator_server import SimulatedAgent
from near_tee_cli.attest.synthetic_pki import SyntheticPki, Td
from near_tee_cli.errors import BadInputError, HostError
from tests.support import attestation_pki
from tests.support.agents import http, speaking

WANTED = bytes(range(64))
PKI = SyntheticPki(b"client", issued=1_790_000_000)
GUEST = SimulatedGuest(seed=b"client", issued=1_790_000_000)
ZEROS = (bytes(48),) * 4
VERSION = {"version": "0.5.9", "rev": "abc"}


def quote(report_data=WANTED):
    return PKI.quote(Td(bytes(48), ZEROS, report_data))


def quote_answer(**changes):
    members = {"quote": quote().hex(), "event_log": "[]", "report_data": WANTED.hex(), "vm_config": "{}"}
    members.update(changes)
    return {name: value for name, value in members.items() if value is not None}


def answered(document, **more):
    return http(document if isinstance(document, bytes) else json.dumps(document).encode(), **more)


def ask(call, *answers, timeout=5, **more):
    """What `call` gives on an agent that answers so, or the code of its error."""
    with speaking(*answers, **more) as (address, _):
        try:
            return call(GuestAgent(address, timeout=timeout))
        except HostError as error:
            return error.code


def version(agent):
    return agent.version()


def get_quote(agent):
    return agent.get_quote(WANTED)


# The exchange.


def test_request_is_what_agents_read():
    with speaking(answered(quote_answer())) as (address, requests):
        GuestAgent(address).get_quote(WANTED)
    head, _, body = requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /GetQuote HTTP/1.1"
    assert "Host: localhost" in lines
    assert "Content-Type: application/json" in lines
    assert json.loads(body) == {"report_data": WANTED.hex()}


@pytest.mark.parametrize("tcp", [False, True])
def test_version(tcp):
    assert ask(version, answered(VERSION), tcp=tcp) == ("0.5.9", "abc")


def test_address_of_a_simulator_may_have_a_path():
    with speaking(answered(VERSION), tcp=True) as (address, requests):
        GuestAgent(f"{address}/prpc/").version()
    assert requests[0].startswith(b"POST /prpc/Version HTTP/1.1\r\n")


def test_answers_in_chunks_or_up_to_the_end_are_read():
    body = json.dumps(VERSION).encode()
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    assert ask(version, chunked) == ("0.5.9", "abc")
    assert ask(version, b"HTTP/1.1 200 OK\r\n\r\n" + body) == ("0.5.9", "abc")


@pytest.mark.parametrize("kind", ["missing", "file", "deaf", "long"])
def test_nobody_there(tmp_path, kind):
    path = tmp_path / ("x" * 200 if kind == "long" else "agent.sock")
    if kind == "file":
        path.write_bytes(b"")
    if kind == "deaf":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
    with pytest.raises(HostError) as caught:
        GuestAgent(str(path), timeout=1).version()
    assert caught.value.code == "agent-unreachable"
    assert str(path) in caught.value.message


@pytest.mark.parametrize(
    "address",
    [
        "", "a\0b", "https://127.0.0.1:1", "ftp://x", "http://", "http://h:x", "http://h:99999", "http://u@h", "http://h?q",
        "http://h#f", "http://h/a b", "http://h/a\r\nX: y", "http://[", "http://h/\N{LATIN SMALL LETTER E WITH ACUTE}",
    ],
)  # fmt: skip
def test_addresses_that_are_none(address):
    with pytest.raises(BadInputError) as caught:
        GuestAgent(address)
    assert caught.value.code == "bad-agent-address"


@pytest.mark.parametrize(
    ("answer", "hold"),
    [(b"", True), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", True), (b"HTTP/1.1 200 OK\r\nX: ", True)],
)
def test_silence_ends_with_the_deadline(answer, hold):
    began = monotonic()
    assert ask(version, answer, hold=hold, timeout=0.2) == "agent-timeout"
    assert 0.15 < monotonic() - began < 10


def test_deadline_is_for_the_whole_exchange(tmp_path):
    guest = SimulatedGuest(seed=b"x", issued=1_790_000_000, misbehave=frozenset({"drip"}))
    with SimulatedAgent(guest, str(tmp_path / "agent.sock")) as agent:
        began = monotonic()
        with pytest.raises(HostError) as caught:
            GuestAgent(agent.path, timeout=0.4).version()
    assert caught.value.code == "agent-timeout"
    assert 0.35 < monotonic() - began < 10


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        ("400 Bad Request", b'{"error":"Report data is too long"}', "Report data is too long"),
        ("404 Not Found", b"<html>", "<html>"),
        ("500 Oh", b"", "500"),
        ("400 Bad Request", b'{"error":7}', '{"error":7}'),
        ("302 Found", b"{}", "302"),
        ("400 Bad Request", b'{"error":"%s"}' % (b"x" * 5000), "x" * 200),
    ],
)
def test_refusals_are_said_in_the_words_of_the_agent(status, body, words):
    with speaking(answered(body, status=status)) as (address, _), pytest.raises(HostError) as caught:
        GuestAgent(address).version()
    assert caught.value.code == "agent-refused"
    assert words in caught.value.message
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X%d: y\r\n" % at for at in range(200)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n{}",
        b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"version":"a"}',
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}",
        *(
            answered(body)
            for body in (
                b"", b"{", b"[]", b"7", b"null", b'{"version":"a","version":"b"}', b"\xff", b"{}", b'{"version":7}',
                b'{"version":null}', b'{"version":"a","rev":1}', b'{"version":1.5}', b"[" * 100_000,
            )
        ),
    ],
)  # fmt: skip
def test_malformed_answers(answer):
    assert ask(version, answer) == "agent-malformed"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n" + b" " * (MAX_ANSWER_BYTES + 1),
        b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (MAX_ANSWER_BYTES + 1),
        b"HTTP/1.1 100 Continue\r\n\r\n" * (MAX_ANSWER_BYTES // 25 + 1),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + (b"1;%s\r\n \r\n" % (b"x" * 1000)) * (MAX_ANSWER_BYTES // 1000),
    ],
    ids=["said", "unsaid", "continue", "chunks"],
)
def test_answers_without_end(answer):
    assert ask(version, answer) == "agent-too-large"


# Quotes.


def test_quote_comes_with_log_and_configuration_as_they_are():
    log, config = '[ {"a":1}]', '{"b": 2 }'
    got = ask(get_quote, answered(quote_answer(event_log=log, vm_config=config, attestation="00", more=[1])))
    assert got == (quote(), log.encode(), config.encode(), WANTED, True)


def test_quotes_of_hardware_are_not_simulated():
    real = attestation_pki.quote(report_data=WANTED)
    assert not ask(get_quote, answered(quote_answer(quote=real.hex()))).is_simulated


def test_short_report_data_are_filled_up():
    padded = b"\x07" + bytes(63)
    answer = answered(quote_answer(quote=quote(padded).hex(), report_data="07"))
    with speaking(answer) as (address, requests):
        assert GuestAgent(address).get_quote(b"\x07").report_data == padded
    assert requests[0].endswith(json.dumps({"report_data": padded.hex()}).encode())


@pytest.mark.parametrize("length", [0, 65])
def test_report_data_have_bounds(length):
    with pytest.raises(BadInputError) as caught:
        GuestAgent("/nowhere").get_quote(bytes(length))
    assert caught.value.code == "bad-report-data"


def test_older_agents_echo_nothing():
    for echo in (None, ""):
        assert ask(get_quote, answered(quote_answer(report_data=echo, vm_config=None)))[3] == WANTED


@pytest.mark.parametrize(
    "changes",
    [
        {"quote": quote(bytes(64)).hex()},
        {"report_data": bytes(64).hex()},
        {"report_data": (WANTED + b"\0").hex()},
        {"report_data": "00"},
    ],
)
def test_quotes_about_something_else(changes):
    assert ask(get_quote, answered(quote_answer(**changes))) == "agent-other-report-data"


@pytest.mark.parametrize(
    "changes",
    [
        {"quote": None},
        {"quote": 7},
        {"quote": ""},
        {"quote": "zz"},
        {"quote": quote().hex()[:-1]},
        {"quote": " " + quote().hex()},
        {"quote": quote()[:600].hex()},
        {"quote": (b"\x03\0" + quote()[2:]).hex()},
        {"quote": (quote()[:4] + bytes(4) + quote()[8:]).hex()},
        {"event_log": None},
        {"event_log": []},
        {"report_data": 7},
        {"vm_config": {}},
    ],
)
def test_malformed_quotes(changes):
    assert ask(get_quote, answered(quote_answer(**changes))) == "agent-malformed"


def test_sgx_quotes_are_no_quotes_of_a_guest():
    data = quote()
    sgx = b"\x03\0" + data[2:4] + bytes(4) + data[8:]
    assert ask(get_quote, answered(quote_answer(quote=sgx.hex()))) == "agent-malformed"


def test_event_logs_have_a_bound():
    assert ask(get_quote, answered(quote_answer(event_log=" " * ((1 << 20) + 1)))) == "agent-too-large"
    assert ask(get_quote, answered(quote_answer(event_log=" " * (1 << 20))))[3] == WANTED


# Information.


def info_answer(**changes):
    members = dict(GUEST.answer("Info", {})[1])
    members.update(changes)
    return {name: value for name, value in members.items() if value is not None}


def test_info():
    info = ask(GuestAgent.info, answered(info_answer()))
    assert (info.app_id, info.instance_id, info.compose) == (GUEST.app_id, GUEST.instance_id, GUEST.compose)
    assert (info.compose_hash, info.os_image_hash) == (GUEST.compose_hash, GUEST.image_hash)
    assert (info.app_name, info.cloud_product, info.is_simulated) == ("near-tee-simulated", SIMULATED, True)


def test_info_of_older_agents():
    names = ("compose_hash", "os_image_hash", "device_id", "vm_config", "cloud_vendor", "cloud_product", "app_name")
    info = ask(GuestAgent.info, answered(info_answer(**dict.fromkeys(names), instance_id="")))
    assert (info.instance_id, info.compose_hash, info.is_simulated) == (b"", b"", False)


@pytest.mark.parametrize(
    "changes",
    [
        {"app_id": None},
        {"app_id": "00"},
        {"app_id": ""},
        {"instance_id": "00"},
        {"tcb_info": None},
        {"tcb_info": ""},
        {"tcb_info": "{"},
        {"tcb_info": "[]"},
        {"tcb_info": "{}"},
        {"tcb_info": '{"app_compose":7}'},
        {"compose_hash": "x"},
        {"app_name": 7},
    ],
)
def test_malformed_info(changes):
    assert ask(GuestAgent.info, answered(info_answer(**changes))) == "agent-malformed"


# Keys and signatures.

KEY = {"key": "07" * 32, "signature_chain": ["01" * 65, "02" * 65]}


def get_key(agent, algorithm=ED25519):
    return agent.get_key("path", purpose="purpose", algorithm=algorithm)


def test_key():
    with speaking(answered(VERSION), answered(KEY)) as (address, requests):
        key = get_key(GuestAgent(address))
    assert (key.secret, key.chain, key.algorithm) == (bytes([7]) * 32, (bytes([1]) * 65, bytes([2]) * 65), ED25519)
    assert json.loads(requests[1].partition(b"\r\n\r\n")[2]) == {
        "path": "path",
        "purpose": "purpose",
        "algorithm": "ed25519",
    }


def test_secret_is_never_shown():
    key = ask(get_key, answered(VERSION), answered(KEY))
    assert "07" not in repr(key) + str(key)
    assert "\\x07" not in repr(key)


def test_agents_that_know_one_algorithm_only_are_not_asked_for_another():
    refused = answered({"error": "no such method"}, status="404 Not Found")
    with speaking(refused, answered(KEY)) as (address, requests):
        with pytest.raises(HostError) as caught:
            get_key(GuestAgent(address))
        assert caught.value.code == "agent-too-old"
        assert len(requests) == 1
        assert get_key(GuestAgent(address), SECP256K1).secret == bytes([7]) * 32
    assert ask(get_key, b"") == "agent-malformed"


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "07" * 31},
        {"key": 7},
        {"signature_chain": []},
        {"signature_chain": ["00"]},
        {"signature_chain": "00"},
        {"signature_chain": [1, 2]},
        {"signature_chain": ["0", "1"]},
    ],
)
def test_malformed_keys(changes):
    assert ask(get_key, answered(VERSION), answered({**KEY, **changes})) == "agent-malformed"


def sign_answer(algorithm, data=b"data", **changes):
    return answered({**GUEST.answer("Sign", {"algorithm": algorithm, "data": data.hex()})[1], **changes})


def sign(algorithm, data=b"data"):
    return lambda agent: agent.sign(data, algorithm=algorithm)


@pytest.mark.parametrize("algorithm", [ED25519, SECP256K1, SECP256K1_PREHASHED])
def test_signatures_are_checked(algorithm):
    data, other = b"d" * 32, b"e" * 32
    got = ask(sign(algorithm, data), sign_answer(algorithm, data))
    assert len(got.signature) == 64
    assert [len(one) for one in got.chain] == [65, 65]
    assert ask(sign(algorithm, data), sign_answer(algorithm, other)) == "agent-malformed"
    for changes in ({"signature": "00" * 64}, {"signature": ""}, {"public_key": ""}, {"signature_chain": []}):
        assert ask(sign(algorithm, data), sign_answer(algorithm, data, **changes)) == "agent-malformed"


@pytest.mark.parametrize(("algorithm", "data"), [("rsa", b""), (SECP256K1_PREHASHED, b"x"), ("", b"")])
def test_algorithms_that_agents_have_not(algorithm, data):
    with pytest.raises(BadInputError) as caught:
        GuestAgent("/nowhere").sign(data, algorithm=algorithm)
    assert caught.value.code == "bad-algorithm"


def test_keys_of_other_algorithms_are_not_asked_for():
    for algorithm in ("rsa", "", SECP256K1_PREHASHED):
        with pytest.raises(BadInputError) as caught:
            get_key(GuestAgent("/nowhere"), algorithm)
        assert caught.value.code == "bad-algorithm"


def test_long_data_are_not_sent():
    with pytest.raises(BadInputError) as caught:
        GuestAgent("/nowhere").sign(bytes((1 << 20) + 1))
    assert caught.value.code == "too-large"


def test_default_sockets_are_those_of_dstack():
    assert DEFAULT_SOCKETS[0] == "/var/run/dstack.sock"
    assert len(set(DEFAULT_SOCKETS)) == 4
