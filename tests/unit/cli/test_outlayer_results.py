"""The signing process: what the executing process hands over is held against itself before anything is signed."""

import json
import os
import struct
import subprocess
import sys

import pytest

from near_tee_cli.cli.outlayer_results import results_in, serve
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.worker.wasi_bundle import decode_wasi_bundle, encode_wasi_bundle
from near_tee_cli.worker.wasi_statement import NO_PLACE, claim_digest
from tests.support.cli import PROJECT
from tests.support.wasi_bundles import ASKED, answer_of, run_here, signed_by, small_bundle

SMALL, ANSWER = small_bundle(), answer_of(run_here())
SUMMARY = {"exit": 0, "error": None, "cached": False, "request_id": 3, "data_id": "x", "response_format": "Text"}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("NEAR_TEE_HOME", str(tmp_path / "home"))


def told(tmp_path, capfd, bundle, executed, **changes):
    """What the signing process says of one finished request, and what it was asked to sign."""
    head = cj.dumps({"name": "one", "job_id": sha256(b"job").hex(), "summary": {**SUMMARY, **changes}})
    data = bundle if isinstance(bundle, bytes) else encode_wasi_bundle(bundle)
    reading, writing = os.pipe()
    parts = (head, data, executed)
    os.write(writing, struct.pack("<III", *map(len, parts)) + b"".join(parts))
    os.close(writing)
    asked = []

    def sign(one, made):
        asked.append(made.claim)
        return signed_by(one, 0)

    out = str(tmp_path / "out")
    counts = serve(reading, results_in(out), out, sign=sign, signer="me")
    os.close(reading)
    return json.loads(capfd.readouterr().out), asked, counts


def with_claim(**changes):
    claim = SMALL.claim._replace(**changes)
    return SMALL._replace(claim=claim, claim_digest=claim_digest(claim))


def test_what_is_established_is_signed(tmp_path, capfd) -> None:
    result, asked, counts = told(tmp_path, capfd, SMALL, ANSWER)
    assert asked == [SMALL.claim]
    assert counts == {"proved": 1, "already": 0, "failed": 0}
    with open(result["path"], "rb") as file:
        assert decode_wasi_bundle(file.read()) == signed_by(SMALL, 0)
    (call,) = result["answers"]
    assert json.loads(call["args"])["response"]["output"] == {"Text": "hello"}


@pytest.mark.parametrize(
    ("bundle", "executed", "code"),
    [
        (with_claim(outcome=SMALL.claim.outcome._replace(instructions=1)), ANSWER, "wasi-diverged"),
        (with_claim(outcome=SMALL.claim.outcome._replace(stdout=sha256(b"x"), stdout_length=1))._replace(stdout=b"x"),
         ANSWER, "wasi-diverged"),
        (SMALL, answer_of(run_here(ASKED._replace(stdin=b"other"))), "wasi-diverged"),
        (SMALL, b"", "child-crashed"),
        (SMALL, b"\0nonsense", "child-crashed"),
        (SMALL._replace(stdout=b"hallo"), ANSWER, "other-output"),
        (SMALL._replace(program=None), ANSWER, "missing-code"),
        (with_claim(elapsed_ms=1)._replace(claim_digest=SMALL.claim_digest), ANSWER, "claim-digest-mismatch"),
        (with_claim(place=NO_PLACE), ANSWER, "bad-request"),
        (b"nonsense", ANSWER, "malformed-wasi-bundle"),
    ],
)  # fmt: skip
def test_nothing_else_is_signed(tmp_path, capfd, bundle, executed, code) -> None:
    result, asked, counts = told(tmp_path, capfd, bundle, executed)
    assert (result["error"]["code"], result["answers"], asked) == (code, [], [])
    assert counts["failed"] == 1
    assert not [name for name in os.listdir(tmp_path / "out") if name.endswith(".ntw")]


def test_the_engine_is_in_the_child_alone() -> None:
    """Neither the verifier nor either process of a worker loads it."""
    code = (
        "import sys\n"
        "import near_tee_cli.cli.outlayer_executing, near_tee_cli.cli.outlayer_results\n"
        "from near_tee_cli.cli.wasi_verifying import task\n"
        "from near_tee_cli.cli.isolated import executor\n"
        "from near_tee_cli.proof.verifier import DEFAULT_REQUIRED, Demands\n"
        "data = open('tests/fuzz/seeds/echo.ntw', 'rb').read()\n"
        "demands, run = Demands(DEFAULT_REQUIRED), executor(None, seconds=60.0)\n"
        "one = task('x', data, demands, executor=run, entry=lambda report: {'v': report})\n"
        "child = one.start()\n"
        "print(one.key(child.wait())['v'].verdict.value, 'wasmtime' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["established", "False"]
