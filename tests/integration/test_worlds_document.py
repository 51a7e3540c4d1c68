"""`docs/worlds.md`: every command ends as it says, and prints what is quoted."""

import os
import re
import shutil
import subprocess
import sys

from near_tee_cli.cli import exit_codes
from near_tee_cli.sources.exporting import Form
from near_tee_cli.sources.shapes import Shape


def test_blocks(project, tmp_path):
    shutil.copytree(project / "examples", tmp_path / "examples")
    bin_directory = tmp_path / "bin"
    bin_directory.mkdir()
    command = bin_directory / "near-tee"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m near_tee_cli "$@"\n')
    command.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{bin_directory}:{os.environ['PATH']}",
        "PYTHONPATH": str(project),
        "NEAR_TEE_HOME": str(tmp_path / "home"),
    }
    text = (project / "docs" / "worlds.md").read_text(encoding="utf-8")
    printed: list[str] = []
    quotes = 0
    for kind, block in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        if kind == "sh":
            printed = []
            for line in block.replace("\\\n", "").splitlines():
                done = subprocess.run(
                    ["/bin/sh", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
                )
                expected = re.search(r"# ends with (\d+)$", line)
                assert done.returncode == (int(expected[1]) if expected else exit_codes.OK), (line, done.stderr)
                printed += [*done.stdout.splitlines(), *done.stderr.splitlines()]
            continue
        at = 0
        for line in block.splitlines():
            if line != "...":
                assert line in printed[at:], line
                at = printed.index(line, at) + 1
                quotes += 1
    assert quotes > 10


def test_shapes_and_forms_are_all_named(project):
    text = (project / "docs" / "worlds.md").read_text(encoding="utf-8")
    for one in (*Shape, *Form):
        assert f"`{one.value}`" in text, one
