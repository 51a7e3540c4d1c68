"""Evidence as a user handles it: quoted, checked, accepted by a policy, and refused for every other reason."""

import json

import pytest

from near_tee_cli.attest.dsse import named_keys, parse_envelope
from near_tee_cli.attest.report_data import report_data_of
from near_tee_cli.attest.simulator_server import SimulatedAgent
from near_tee_cli.primitives.canonical_json import base64_text
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.proof.bundle import EVIDENCE, encode_bundle
from near_tee_cli.proof.evidence_part import parse_evidence
from near_tee_cli.worker.outlayer_task import binding_of_record
from tests.reject import attested as reject
from tests.support import attestation as recorded
from tests.support.attested import GUEST, ISSUED, NOW, attested
from tests.support.cli import PROJECT, near_tee

MPC = recorded.FOLDER / "near-mpc"
KEYS = [(MPC / name).read_text().strip() for name in ("near_p2p_public_key.pub", "near_account_public_key.pub")]
REAL = (
    "attest", "verify", MPC / "quote.json", "--collateral", MPC / "collateral.json", "--event-log",
    MPC / "tcb_info.json", "--compose", MPC / "app_compose.json", "--profile", "mpc-v1", "--public-key", KEYS[0],
    "--public-key", KEYS[1],
)  # fmt: skip
POLICY = PROJECT / "examples" / "near-mpc-policy.toml"
AT = "1786622400"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def tee(home, tmp_path):
    return lambda *arguments, **more: near_tee(*arguments, home=home, cwd=tmp_path, **more)


@pytest.fixture
def agent(tmp_path):
    with SimulatedAgent(GUEST, str(tmp_path / "agent.sock")):
        yield tmp_path / "agent.sock"


def test_real_evidence_at_its_time(tee) -> None:
    done = tee(*REAL, "--policy", POLICY, "--time", AT, "--json")
    result = done.document["result"]
    assert (done.code, result["verdict"]) == (0, "established"), done.err
    assert {check["result"] for check in result["checks"]} == {"passed"}
    assert [check["number"] for check in result["checks"]] == list(range(22, 31))
    assert result["time"] == int(AT)
    assert result["policy_digest"].startswith("sha256:")
    assert (result["evidence"]["tcb"]["status"], result["evidence"]["tcb"]["root"]) == ("UpToDate", "intel")
    assert result["evidence"]["labels"] == ["dstack development image"]
    assert result["evidence"]["window"]["from"] <= int(AT) < result["evidence"]["window"]["until"]


@pytest.mark.parametrize(
    ("flags", "code", "word"),
    [
        (("--time", AT), 5, "no-policy"),
        (("--policy", POLICY), 5, "evidence-expired"),
        (("--policy", POLICY, "--time", "now"), 5, "evidence-expired"),
        (("--policy", POLICY, "--time", "1700000000"), 5, "evidence-not-yet-valid"),
        (("--policy", POLICY, "--time", AT, "--at", "5", "--challenge", "00"), 4, "report-data-mismatch"),
    ],
)
def test_real_evidence_at_other_times_and_without_a_policy(tee, flags, code, word) -> None:
    if "--challenge" in flags:
        done = tee(
            "attest",
            "verify",
            MPC / "quote.json",
            "--profile",
            "near-tee-v1",
            "--public-key",
            KEYS[0],
            *flags,
            "--json",
        )
    else:
        done = tee(*REAL, *flags, "--json")
    assert (done.code, done.document["error"]["code"]) == (code, word)


def test_production_measurements_refuse_the_development_image(tee, tmp_path) -> None:
    tables = recorded.production_tables()
    lines = ["version = 1"]
    for one in tables["measurements"]:
        lines += ["[[measurements]]", *(f'{name} = "{value}"' for name, value in one.items())]
    rest = POLICY.read_text().partition("[app]")[2]
    (tmp_path / "p.toml").write_text("\n".join(lines) + "\n[app]" + rest)
    done = tee(*REAL, "--policy", "p.toml", "--time", AT, "--json")
    assert (done.code, done.document["error"]["code"]) == (4, "measurements-not-allowed")


def test_one_of_each_form(tee, tmp_path) -> None:
    quote = recorded.quote_of(recorded.MPC)
    (tmp_path / "raw").write_bytes(quote)
    (tmp_path / "hex").write_text(quote.hex())
    answers = [
        tee("attest", "verify", form, "--json").document["result"]["evidence"]
        for form in ("raw", "hex", MPC / "quote.json")
    ]
    assert answers[0] == answers[1] == answers[2]
    assert tee("attest", "verify", "-", "--quiet", stdin=quote).code == 5
    (tmp_path / "no").write_bytes(b"no quote")
    assert (tee("attest", "verify", "no").code, tee("attest", "verify", "absent").code) == (6, 6)
    sgx = tee("attest", "verify", recorded.FOLDER / recorded.cases()[recorded.SGX]["quote"], "--json")
    assert (sgx.code, sgx.document["error"]["code"]) == (4, "not-tdx")


def test_a_quote_from_an_agent(tee, agent, tmp_path) -> None:
    (tmp_path / "collateral.json").write_bytes(GUEST.pki.collateral())
    (tmp_path / "root.der").write_bytes(GUEST.pki.root)
    asked = ("--profile", "near-tee-v1", "--public-key", KEYS[0], "--challenge", "aabb", "--anchor", "7:" + "1" * 32)
    done = tee("attest", "quote", "--agent", agent, *asked, "--collateral", "collateral.json", "-o", "e.json", "--json")
    assert (done.code, done.document["result"]["simulated"]) == (0, True), done.err
    assert "NOT INTEL" in done.err + json.dumps(done.document)
    assert tee("attest", "quote", "--agent", agent, *asked, "-o", "e.json").code == 6
    made = tee("policy", "from-quote", "e.json", "-o", "p.toml")
    assert made.code == 0, made.err
    assert "NOT REVIEWED" in (tmp_path / "p.toml").read_text()
    checked = tee("policy", "check", "p.toml", "--json").document["result"]
    assert (checked["required"], checked["measurements"]) == (["attested"], ["unnamed"])
    assert any("any machine is accepted" in words for words in checked["open"])
    common = ("attest", "verify", "e.json", "--policy", "p.toml", "--time", str(NOW), "--json")
    assert tee(*common).document["error"]["code"] == "other-root"
    dev = ("--allow-dev-evidence", "--dev-root", "root.der")
    accepted = tee(*common, *dev)
    assert accepted.code == 0, accepted.err
    assert "NOT INTEL" in accepted.err
    assert tee(*common, *dev, *asked).code == 0
    other = (*asked[:3], KEYS[1], *asked[4:])
    assert tee(*common, *dev, *other).document["error"]["code"] == "report-data-mismatch"


def test_a_bundle_with_evidence(tee, tmp_path) -> None:
    (tmp_path / "a.ntb").write_bytes(encode_bundle(attested()))
    (tmp_path / "p.toml").write_bytes(reject.policy(of=GUEST))
    common = ("verify", "a.ntb", "--json", "--time", str(NOW))
    dev = ("--policy", "p.toml", "--allow-dev-evidence")
    done = tee(*common, *dev, "--require", "re-executed")
    assert done.code == 0, done.err
    result = done.document["result"]
    assert result["strengths"] == ["attested", "consistent", "re-executed"]
    assert (result["time"], result["evidence"]["mode"], result["evidence"]["collateral_from"]) == (
        NOW,
        "simulated",
        "bundle",
    )
    assert "NOT INTEL" in done.err + json.dumps(done.document["warnings"])
    text = tee("verify", "a.ntb", "--time", str(NOW), *dev, "--no-replay").out
    assert "evidence: ed25519:" in text
    assert "in simulated TDX" in text
    assert tee(*common, "--policy", "p.toml").document["error"]["code"] == "evidence-simulated"
    assert tee("verify", "a.ntb", "--policy", "p.toml", "--json").code == 5
    assert tee("verify", "a.ntb", "--quiet").out == "established  a.ntb\n"
    (tmp_path / "c.json").write_bytes(GUEST.pki.collateral())
    renewed = tee(*common, *dev, "--collateral", "c.json", "--no-replay")
    assert renewed.document["result"]["evidence"]["collateral_from"] == "verifier"


@pytest.mark.parametrize(
    "flags",
    [
        ("--time", "5"),
        ("--allow-dev-evidence",),
        ("--collateral", "c.json"),
        ("--challenge", "00"),
        ("--require", "attested", "--dev-root", "r.der"),
        ("--require", "attested", "--time", "soon"),
        ("--require", "attested", "--challenge", "xyz"),
    ],
)
def test_lines_that_make_no_sense(tee, tmp_path, flags) -> None:
    (tmp_path / "a.ntb").write_bytes(encode_bundle(attested()))
    for name in ("c.json", "r.der"):
        (tmp_path / name).write_bytes(b"{}")
    assert tee("verify", "a.ntb", *flags).code == 2


def test_no_variable_makes_simulated_evidence_accepted(tee, tmp_path) -> None:
    (tmp_path / "a.ntb").write_bytes(encode_bundle(attested()))
    (tmp_path / "p.toml").write_bytes(reject.policy(of=GUEST))
    names = ("NEAR_TEE_ALLOW_DEV_EVIDENCE", "ALLOW_DEV_EVIDENCE", "DSTACK_SIMULATOR_ENDPOINT", "NEAR_TEE_DEV_ROOT")
    done = tee("verify", "a.ntb", "--policy", "p.toml", "--time", str(NOW), "--json", **dict.fromkeys(names, "1"))
    assert (done.code, done.document["error"]["code"]) == (5, "evidence-simulated")


def test_sign_says_nothing_of_an_environment(tee, tmp_path) -> None:
    """A key of a file signs claims, and never that it lives anywhere."""
    (tmp_path / "a.ntb").write_bytes(encode_bundle(attested()))
    assert tee("key", "new", "k.json").code == 0
    assert tee("sign", "a.ntb", "--key", "k.json", "-o", "b.ntb").code == 0
    shown = tee("verify", "b.ntb", "--json").document["result"]
    assert len(shown["signers"]) == 2
    part = next(item.data for item in attested().attachments if item.kind == EVIDENCE)
    assert parse_evidence(part).evidence.binding.key is not None
    assert ISSUED < NOW


def test_one_claim_proved_and_signed_by_a_bound_key(tee, agent, tmp_path) -> None:
    (tmp_path / "c.json").write_bytes(GUEST.pki.collateral())
    (tmp_path / "p.toml").write_bytes(reject.policy(of=GUEST))
    counter = PROJECT / "examples" / "wat" / "counter.wasm"
    common = ("prove", counter, "increment", "--agent", agent, "--collateral", "c.json")
    for more in ((), ("--attest-key", "kms"), ("--quote-per-claim", "--detach-code", "--challenge", "aa")):
        done = tee(*common, "--attest", *more, "-o", "a.ntb", "--force", "--json")
        assert done.code == 0, done.err
        flags = ("--challenge", "aa", "--code", counter) if "--challenge" in more else ()
        verified = tee(
            "verify", "a.ntb", "--policy", "p.toml", "--time", str(NOW), "--require", "re-executed", "--json",
            "--allow-dev-evidence", *flags,
        )  # fmt: skip
        assert verified.code == 0, verified.err
        assert verified.document["result"]["signers"] == [done.document["result"]["signer"]]
    failed = tee(
        "prove", PROJECT / "examples" / "wat" / "panic.wasm", "nothing", "--attest", "--agent", agent, "-o", "f.ntb"
    )
    assert failed.code == 0, failed.err
    for flags, code in (
        (("--key", "k.json", "--attest", "-o", "b.ntb"), 2),
        (("--attest-key", "kms", "-o", "b.ntb"), 2),
        (("--attest", "--anchor", "5", "-o", "b.ntb"), 2),
    ):
        assert tee(*common, *flags).code == code
    assert tee("prove", "absent.wasm", "m", "--attest", "--agent", agent, "-o", "b.ntb").code == 6
    assert tee("prove", counter, "increment", "--attest", "--agent", "absent.sock", "-o", "b.ntb").code == 1
    assert not (tmp_path / "b.ntb").exists()


def test_a_result_told_to_others(tee, tmp_path) -> None:
    (tmp_path / "a.ntb").write_bytes(encode_bundle(attested()))
    (tmp_path / "bad.ntb").write_bytes(reject.with_evidence(reject.part(event_log=b"[]")))
    (tmp_path / "p.toml").write_bytes(reject.policy(of=GUEST))
    assert tee("key", "new", "v.json").code == 0
    told = ("--emit-result", "r.json", "--result-key", "v.json")
    done = tee("verify", "a.ntb", "--policy", "p.toml", "--time", str(NOW), "--allow-dev-evidence", *told)
    assert done.code == 0, done.err
    envelope = parse_envelope((tmp_path / "r.json").read_bytes())
    statement = json.loads(envelope.payload)
    assert statement["predicateType"] == "https://in-toto.io/attestation/svr/v0.2"
    assert [one["name"] for one in statement["subject"]] == ["a.ntb"]
    assert statement["predicate"]["properties"] == ["NEAR_TEE_ATTESTED", "NEAR_TEE_CONSISTENT", "NEAR_TEE_RE_EXECUTED"]
    assert len(statement["predicate"]["verifier"]["policies"]) == 1
    assert len(named_keys(envelope)) == 1
    assert named_keys(envelope)[0][1]
    assert tee("verify", "a.ntb", *told).code == 6
    (tmp_path / "r.json").unlink()
    mixed = tee("verify", "a.ntb", "bad.ntb", *told)
    assert mixed.code == 4
    assert "no result is written" in mixed.err
    assert not (tmp_path / "r.json").exists()
    assert tee("verify", "a.ntb", "--emit-result", "r.json").code == 2


def test_a_record_of_a_task(tee, tmp_path) -> None:
    program, record = b"\0asm", {"task_id": 1, "task_type": "execute", "output_hash": sha256(b'"out"').hex()}
    record |= {"wasm_hash": sha256(program).hex(), "request_id": 9}
    task = binding_of_record(json.dumps(record).encode())
    quote = GUEST.quote(report_data_of(task))
    record["tdx_quote"] = base64_text(quote)
    for name, data in (("r.json", json.dumps(record).encode()), ("p.wasm", program), ("out.json", b'"out"')):
        (tmp_path / name).write_bytes(data)
    done = tee("attest", "task", "r.json", "--program", "p.wasm", "--returned", "out.json", "--json")
    result = done.document["result"]
    assert (done.code, result["checked"], result["unbound"]) == (0, ["wasm_hash", "output_hash"], ["request_id"])
    assert done.document["result"]["task_hash"] == quote[568:600].hex()
    wrong = tee("attest", "task", "r.json", "--program", "out.json", "--json")
    assert (wrong.code, wrong.document["error"]["code"]) == (4, "other-program")
    (tmp_path / "r.json").write_text(json.dumps({**record, "task_id": 2}))
    wrong = tee("attest", "task", "r.json", "--json")
    assert (wrong.code, wrong.document["error"]["code"]) == (4, "report-data-mismatch")
    assert tee("attest", "task", "p.wasm").code == 6
    (tmp_path / "quote").write_bytes(quote)
    bound = tee("attest", "verify", "quote", "--profile", "outlayer-task-v1", "--task", "r.json", "--json")
    assert bound.document["error"]["code"] == "report-data-mismatch"


def test_the_call_that_registers_a_key(tee, agent, tmp_path) -> None:
    asked = ("--profile", "near-tee-v1", "--public-key", KEYS[0])
    assert tee("attest", "quote", "--agent", agent, *asked, "-o", "e.json").code == 0
    done = tee("attest", "register", "e.json", "--public-key", KEYS[0], "--json")
    assert (done.code, done.document["result"]["method"]) == (0, "register_worker_key")
    args = json.loads(done.document["result"]["args"])
    assert args["public_key"] == KEYS[0]
    part = parse_evidence((tmp_path / "e.json").read_bytes())
    assert bytes.fromhex(args["tdx_quote_hex"]) == part.evidence.quote
    other = tee("attest", "register", "e.json", "--public-key", KEYS[1], "--json")
    assert (other.code, other.document["error"]["code"]) == (4, "key-not-bound")
    assert tee("attest", "register", "e.json").code == 2
    assert tee("attest", "register", "e.json", "--public-key", "x").code == 2
