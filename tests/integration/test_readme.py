"""The commands of the README work as they stand there."""

import re
import shlex
import shutil

from tests.support.cli import near_tee


def test_blocks_of_the_readme(project, tmp_path):
    """Every `near-tee` and `mkdir` line, in order, beside a copy of the examples and nothing else."""
    text = (project / "README.md").read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    commands = [shlex.split(line) for line in lines if line.startswith(("near-tee ", "mkdir "))]
    assert len(commands) >= 5
    shutil.copytree(project / "examples", tmp_path / "examples")
    for program, *arguments in commands:
        if program == "mkdir":
            (tmp_path / arguments[-1]).mkdir(parents="-p" in arguments)
            continue
        done = near_tee(*arguments, home=tmp_path / "home", cwd=tmp_path, PYTHONPATH=str(project))
        # Two steps that differ are what the comparison is there for, and it says so with its exit code.
        assert done.code == (7 if arguments[0] == "diff" else 0), (arguments, done.err)


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
