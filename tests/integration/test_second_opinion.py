"""A second opinion on quotes: another implementation of the same rules, where one is at hand.

`NEAR_TEE_DCAP_QVL_JS` names a directory in which `npm install @phala/dcap-qvl` was run; node executes it.
"""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

from near_tee_cli.attest.collateral import parse_collateral
from near_tee_cli.attest.dcap import Verified, verify_quote
from tests.support import attestation as recorded
from tests.support.attested import GUEST, NOW

SCRIPT = """
const fs = require('fs');
const { verify, QuoteVerifier } = require(process.argv[2] + '/node_modules/@phala/dcap-qvl');
const given = JSON.parse(fs.readFileSync(0));
const out = given.map((one) => {
  const quote = Buffer.from(one.quote, 'base64');
  try {
    const found = one.root === null ? verify(quote, one.collateral, one.time)
      : new QuoteVerifier(Buffer.from(one.root, 'base64')).verify(quote, one.collateral, one.time);
    return { status: found.status, advisories: found.advisory_ids || found.advisoryIds };
  } catch (error) {
    return { error: String(error.message || error) };
  }
});
process.stdout.write(JSON.stringify(out));
"""
CASES = (recorded.UP_TO_DATE, recorded.SGX, recorded.OUTDATED, recorded.GAS_TEST, recorded.MPC)


@pytest.fixture(scope="module")
def second():
    folder = os.environ.get("NEAR_TEE_DCAP_QVL_JS")
    if folder is None:
        pytest.skip("NEAR_TEE_DCAP_QVL_JS names no directory")
    node = shutil.which("node")
    assert node is not None

    def ask(questions):
        command = [node, "-e", SCRIPT, "x", str(pathlib.Path(folder).resolve())]
        done = subprocess.run(command, input=json.dumps(questions), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


def question(quote, collateral, time, root=None):
    from base64 import b64encode

    return {
        "quote": b64encode(quote).decode(),
        "collateral": json.loads(collateral),
        "time": time,
        "root": None if root is None else b64encode(root).decode(),
    }


def test_both_say_the_same_of_every_recorded_quote(second) -> None:
    asked, ours = [], []
    for name in CASES:
        quote, collateral = recorded.quote_of(name), recorded.collateral_of(name)
        window = parse_collateral(collateral).window
        for time in (window.start, (window.start + window.end) // 2, window.start - 10, window.end + 86_400):
            asked.append(question(quote, collateral, time))
            ours.append(verify_quote(quote, parse_collateral(collateral), time=time))
        flipped = quote[:200] + bytes([quote[200] ^ 1]) + quote[201:]
        asked.append(question(flipped, collateral, (window.start + window.end) // 2))
        ours.append(verify_quote(flipped, parse_collateral(collateral), time=(window.start + window.end) // 2))
    for one, own in zip(second(asked), ours, strict=True):
        assert ("error" not in one) == isinstance(own, Verified), (one, own)
        if isinstance(own, Verified):
            assert (one["status"], tuple(one["advisories"])) == (own.status, own.advisory_ids)


def test_and_of_simulated_evidence_under_its_own_root(second) -> None:
    quote, collateral = GUEST.quote(bytes(64)), GUEST.pki.collateral()
    found = second([question(quote, collateral, NOW, GUEST.pki.root), question(quote, collateral, NOW)])
    assert (found[0].get("status"), "error" in found[1]) == ("UpToDate", True)
