"""The commands of the README work as they stand there."""

import os
import re
import shutil
import subprocess
import sys


def test_blocks_of_the_documents(project, tmp_path):
    """Every block of shell in the README and two pages, in order, beside copies of examples and recorded evidence."""
    pages = [
        (project / name).read_text(encoding="utf-8") for name in ("README.md", "docs/batch.md", "docs/attestation.md")
    ]
    blocks = [
        block for page in pages for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if "make " not in block
    ]
    assert len(blocks) >= 5
    shutil.copytree(project / "examples", tmp_path / "examples")
    shutil.copytree(project / "fixtures" / "attestation", tmp_path / "fixtures" / "attestation")
    program = tmp_path / "bin" / "near-tee"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m near_tee_cli "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "NEAR_TEE_HOME": str(tmp_path / "home"), "PYTHONPATH": str(project),
                   "PATH": f"{program.parent}:{os.environ['PATH']}"}  # fmt: skip
    for block in blocks:
        # Two steps that differ are what a comparison is there for, and it says so with its exit code.
        script = re.sub(r"^(near-tee diff .*)$", r"\1 || [ $? -eq 7 ]", block, flags=re.MULTILINE)
        shutil.rmtree(tmp_path / "build" / "batch", ignore_errors=True)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (block, done.stderr)


def test_make_targets_of_the_readme_exist(project):
    text = (project / "README.md").read_text(encoding="utf-8")
    makefile = (project / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"make ([a-z-]+)", text))
    assert {"demo", "test", "help", "lint", "conformance"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_documents_that_are_linked_exist(project):
    for path in [project / "README.md", *sorted((project / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), (path.name, target)
