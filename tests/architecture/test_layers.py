"""The package keeps to its layers, fences and sizes; and each check is shown to find what it looks for."""

import pathlib
import re
import sys

import pytest

from tests.architecture import rules

PROJECT = pathlib.Path(__file__).resolve().parents[2]
STANDARD = frozenset(sys.stdlib_module_names)

CHECKS = {
    "layers": rules.layer_violations,
    "cycles": rules.cycle_violations,
    "fences": lambda tree: rules.fence_violations(tree, STANDARD),
    "disk": rules.disk_violations,
    "statements": rules.statement_violations,
    "state": rules.state_violations,
    "sizes": rules.size_violations,
}


@pytest.fixture(scope="module")
def tree():
    return rules.Tree(PROJECT / rules.ROOT)


def test_every_source_file_is_seen(tree):
    files = list((PROJECT / rules.ROOT).rglob("*.py"))
    assert len(tree.modules) == len(files) > 20


@pytest.mark.parametrize("check", CHECKS)
def test_package_keeps_to(tree, check):
    assert CHECKS[check](tree) == []


@pytest.mark.parametrize("reached", ["proof.prover", "workspace", "cli"])
def test_verifier_reaches_neither_the_prover_nor_the_disk(tree, reached):
    if "proof.verifier" not in tree.modules:
        pytest.fail("proof/verifier.py is missing")
    names = rules.reachable(tree.edges(), "proof.verifier")
    assert [name for name in names if name == reached or name.startswith(reached + ".")] == []


def test_architecture_document_lists_every_module(tree):
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z0-9_/]+\.py)` \|", text, re.MULTILINE)
    tables = {name for name in listed if not name.endswith("__init__.py")}
    there = {
        str(path.relative_to(PROJECT / rules.ROOT))
        for path in (PROJECT / rules.ROOT).rglob("*.py")
        if path.name != "__init__.py"
    }
    assert len(listed) == len(set(listed))
    assert tables == there


# One small package per check, each of which breaks one rule.
BROKEN = {
    "layers": {"primitives/a.py": "import near_tee_cli.vm.b", "vm/b.py": ""},
    "cycles": {"vm/a.py": "from near_tee_cli.vm import b", "vm/b.py": "from near_tee_cli.vm.a import x"},
    "fences": {"vm/a.py": "import rich.console"},
    "disk": {"runtime/a.py": "import os\nos.environ['HOME']"},
    "statements": {"runtime/a.py": "try:\n    pass\nexcept Exception:\n    pass"},
    "state": {"runtime/a.py": "cache = {}"},
    "sizes": {"runtime/a.py": "def f():\n" + "    x = 1\n" * 81},
}
MORE_BROKEN = [
    ("layers", {"state/a.py": "import near_tee_cli.vm.b", "vm/b.py": ""}),
    ("layers", {"unheard_of/__init__.py": ""}),
    ("layers", {"errors.py": "import near_tee_cli.vm.b", "vm/b.py": ""}),
    ("fences", {"vm/a.py": "import numpy"}),
    ("fences", {"vm/a.py": "from .b import c", "vm/b.py": ""}),
    ("fences", {"vm/a.py": "def f():\n    import json"}),
    ("fences", {"vm/a.py": "from json import *"}),
    ("fences", {"vm/a.py": "from typing import TYPE_CHECKING"}),
    ("fences", {"runtime/a.py": "import time"}),
    ("disk", {"state/a.py": "open('x')"}),
    ("statements", {"vm/a.py": "assert True"}),
    ("statements", {"vm/a.py": "try:\n    pass\nexcept (ValueError, BaseException):\n    pass"}),
    ("statements", {"vm/a.py": "try:\n    pass\nexcept:\n    pass"}),
    ("statements", {"vm/a.py": "# TODO: later"}),
    ("statements", {"vm/a.py": "def f():\n    global x\n    x = 1"}),
    ("statements", {"vm/a.py": "eval('1')"}),
    ("sizes", {"vm/a.py": "x = 1\n" * 501}),
]


@pytest.mark.parametrize(("check", "files"), [*BROKEN.items(), *MORE_BROKEN])
def test_check_can_fail(tmp_path, check, files):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert CHECKS[check](rules.Tree(tmp_path)) != []


def test_checks_pass_what_is_allowed(tmp_path):
    files = {
        "errors.py": "",
        "primitives/hashes.py": "def f():\n    import Crypto.Hash\n",
        "vm/engine_abi.py": "import ctypes",
        "vm/gas.py": "import near_tee_cli.errors\nfrom near_tee_cli.primitives import hashes",
        "cli/__init__.py": "def main():\n    import typer",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    tree = rules.Tree(tmp_path)
    assert [check(tree) for check in CHECKS.values()] == [[]] * len(CHECKS)
