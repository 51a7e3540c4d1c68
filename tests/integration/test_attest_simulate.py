"""`near-tee attest simulate` as a process: ready, asked, interrupted, gone."""

import json
import os
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager

import dcap_qvl
import pytest

from near_tee_cli.attest.collateral import parse_collateral
from near_tee_cli.attest.dcap import Verified, verify_quote
from near_tee_cli.attest.guest_agent import GuestAgent
from near_tee_cli.attest.quote import parse_quote
from near_tee_cli.errors import HostError
from tests.support.cli import PROJECT, near_tee

ISSUED = 1_790_000_000


@contextmanager
def simulating(folder, *arguments, end=signal.SIGINT):
    """The command, ready: its first line on stdout, and afterwards `done` with code, the rest of stdout, and stderr."""
    path = folder / "agent.sock"
    command = [sys.executable, "-m", "near_tee_cli", "attest", "simulate", "--socket", str(path), *map(str, arguments)]
    environment = {**os.environ, "NEAR_TEE_HOME": str(folder / "home")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=PROJECT, env=environment, text=True
    ) as process:
        done: dict = {"line": process.stdout.readline(), "path": path}
        try:
            yield done
        finally:
            process.send_signal(end)
            rest, errors = process.communicate(timeout=10)
            done.update(code=process.returncode, rest=rest, errors=errors)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_it_is_ended(tmp_path, end):
    with simulating(tmp_path, end=end) as done:
        path = done["path"]
        assert stat.S_IMODE(path.lstat().st_mode) == 0o600
        agent = GuestAgent(str(path))
        assert agent.info().is_simulated
        assert parse_quote(agent.get_quote(b"hello").quote).report_data.startswith(b"hello")
    assert done["line"] == f"ready  {path}  NOT INTEL, simulated\n"
    assert (done["code"], done["rest"]) == (0, "")
    assert done["errors"].startswith("NOT INTEL: ")
    assert not os.path.lexists(path)


def test_root_and_collateral_in_files_verify_its_quotes(tmp_path):
    root, collateral = tmp_path / "root.der", tmp_path / "collateral.json"
    arguments = ("--write-root", root, "--write-collateral", collateral, "--issued", ISSUED)
    with simulating(tmp_path, *arguments) as done:
        quote = GuestAgent(str(done["path"])).get_quote(b"hello").quote
    found = parse_collateral(collateral.read_bytes())
    answer = verify_quote(quote, found, time=ISSUED + 1, root=root.read_bytes())
    assert isinstance(answer, Verified)
    assert (answer.status, answer.root_is_intel) == ("UpToDate", False)
    given = dcap_qvl.QuoteCollateralV3.from_json(collateral.read_text())
    with pytest.raises(ValueError, match="Verification failed"):
        dcap_qvl.verify(quote, given, ISSUED + 1)


def test_document_says_what_is_measured(project, tmp_path):
    root = tmp_path / "root.der"
    compose = tmp_path / "app-compose.json"
    compose.write_text('{"name": "mine"}\n')
    arguments = ("--json", "--seed", "s", "--issued", ISSUED, "--compose", compose, "--write-root", root)
    with simulating(tmp_path, *arguments, "--misbehave", "v2-events", "--misbehave", "app-event") as done:
        agent = GuestAgent(str(done["path"]))
        info, td = agent.info(), parse_quote(agent.get_quote(b"x").quote).td
    document = json.loads(done["line"])
    result = document["result"]
    assert (document["schema"], document["exit"], done["rest"]) == ("near-tee/attest-simulate/v1", 0, "")
    assert "NOT INTEL" in document["warnings"][0]
    assert result["simulated"] is True
    assert (result["socket"], result["root"], result["collateral"]) == (str(done["path"]), str(root), None)
    assert (result["issued"], result["misbehave"]) == (ISSUED, ["app-event", "v2-events"])
    assert info.compose == compose.read_bytes()
    assert (result["app_id"], result["compose_hash"]) == (info.app_id.hex(), info.compose_hash.hex())
    assert (result["mrtd"], result["registers"]) == (td.mr_td.hex(), [one.hex() for one in td.registers])
    text = (
        (project / "docs" / "json.md").read_text(encoding="utf-8").partition("## `attest`\n")[2].partition("\n## ")[0]
    )
    assert [name for name in result if f"`{name}`" not in text] == []


def test_seed_and_date_repeat_everything_and_otherwise_nothing_does(tmp_path):
    quotes = []
    for seeded in (True, True, False, False):
        with simulating(tmp_path, "--issued", ISSUED, *(("--seed", "s") if seeded else ())) as done:
            quotes.append(GuestAgent(str(done["path"])).get_quote(b"x").quote)
    assert quotes[0] == quotes[1]
    assert len(set(quotes)) == 3


def test_misbehaves_and_says_so(tmp_path):
    with simulating(tmp_path, "--misbehave", "error", "--tcb-status", "OutOfDate", "--quiet") as done:
        with pytest.raises(HostError) as caught:
            GuestAgent(str(done["path"])).version()
        assert caught.value.code == "agent-refused"
    assert done["line"].endswith("NOT INTEL, simulated  misbehaves: error\n")
    assert done["errors"] == ""


def test_what_is_there_is_left_alone(tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("mine")
    for arguments in (("--socket", taken), ("--socket", tmp_path / "s", "--write-root", taken)):
        ran = near_tee("attest", "simulate", *arguments, home=tmp_path / "home")
        assert (ran.code, ran.out) == (6, "")
        assert "error[exists]" in ran.err
        assert taken.read_text() == "mine"
        assert not os.path.lexists(tmp_path / "s")
    with simulating(tmp_path, "--write-root", taken, "--force"):
        pass
    assert taken.read_bytes().startswith(b"\x30")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "--socket"),
        (("--socket", "s", "--misbehave", "nicely"), 2, "forged-compose"),
        (("--socket", "s", "--tcb-status", "Fine"), 2, "OutOfDate"),
        (("--socket", "s", "--issued", "now"), 2, "--issued"),
        (("--socket", "s", "--issued", "1"), 6, "bad-time"),
        (("--socket", "s", "--compose", "nowhere"), 6, "not-found"),
        (("--socket", "missing/s"), 6, "write-failed"),
    ],
)
def test_lines_that_make_no_sense(tmp_path, arguments, code, words):
    ran = near_tee("attest", "simulate", *arguments, home=tmp_path / "home", cwd=tmp_path, PYTHONPATH=str(PROJECT))
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err
    assert not (tmp_path / "s").exists()


def test_list_of_misbehaviours(tmp_path):
    ran = near_tee("attest", "simulate", "--misbehave", "list", "--json", home=tmp_path)
    assert ran.document["result"]["misbehaviours"]["no-version"].startswith("has no method Version")
    lines = near_tee("attest", "simulate", "--misbehave", "list", home=tmp_path).out.splitlines()
    assert len(lines) == len(ran.document["result"]["misbehaviours"])
