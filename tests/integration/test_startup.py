"""What a command imports: start-up time is kept by not loading what is not needed. `make bench` has the times."""

import subprocess
import sys

import pytest

from tests.support.cli import PROJECT, near_tee

# Modules that a line may load, beyond the interpreter's own; each of these costs milliseconds.
HEAVY = (
    "typer", "click", "rich", "borsh_construct", "construct", "cryptography", "nacl", "Crypto", "coincurve",
    "py_arkworks_bls12381", "wasmtime", "dataclasses", "inspect", "pathlib", "asyncio", "decimal", "tempfile",
    "importlib.resources", "shutil", "subprocess", "socket", "random", "datetime", "unittest", "logging",
)  # fmt: skip
STATUS = "examples/contracts/status-message/status_message.wasm"

SCRIPT = """
import sys
sys.argv[0] = "near-tee"
import os
os._exit = sys.exit
from near_tee_cli.cli import main
try:
    main()
except SystemExit as end:
    code = end.code
else:
    code = 0
sys.stderr.write("\\n@" + " ".join(sorted(sys.modules)))
sys.exit(code)
"""


def modules_of(*arguments, home, code=0):
    environment = {"NEAR_TEE_HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", SITE + SCRIPT, *arguments],
        cwd=PROJECT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return set(done.stderr.rpartition("@")[2].split())


# Without `site` no .pth file of the environment loads anything; its directory is put on the path by hand.
SITE = f"import sys; sys.path += {[path for path in sys.path if path.endswith('site-packages')]!r}\n"


def heavy(modules):
    return {name for name in HEAVY if name in modules}


def test_version_loads_next_to_nothing(tmp_path):
    modules = modules_of("--version", home=tmp_path)
    assert heavy(modules) == set()
    assert {name for name in modules if name.startswith("near_tee_cli")} == {"near_tee_cli", "near_tee_cli.cli"}
    assert not {"json", "re", "enum", "typing", "ctypes"} & modules


def test_overview_loads_no_parser(tmp_path):
    modules = modules_of("--help", home=tmp_path)
    assert heavy(modules) == set()
    assert not {"json", "ctypes"} & modules


def test_warm_run_loads_what_it_uses(tmp_path):
    for _ in range(2):  # cold, then warm
        modules = modules_of("run", STATUS, "new", "--json", home=tmp_path)
    assert heavy(modules) == set()
    assert not {name for name in modules if name.startswith(("near_tee_cli.proof", "near_tee_cli.cli.commands."))} - {
        "near_tee_cli.cli.commands.run"
    }


@pytest.mark.parametrize("words", [("run",), ("prove",), ("verify",), ("state", "root")])
def test_help_of_a_command_loads_no_engine(tmp_path, words):
    modules = modules_of(*words, "--help", home=tmp_path)
    assert "typer" in modules
    assert "rich" not in modules
    assert not {name for name in modules if name.startswith(("near_tee_cli.vm", "near_tee_cli.runtime"))}


def test_only_the_named_command_is_imported(tmp_path):
    near_tee("run", STATUS, "new", home=tmp_path)
    modules = modules_of("state", "root", "examples/token-snapshot.json", home=tmp_path)
    commands = {name for name in modules if name.startswith("near_tee_cli.cli.commands.")}
    assert commands == {"near_tee_cli.cli.commands.state_root"}
    assert not {name for name in modules if name.startswith("near_tee_cli.vm.engine")}
