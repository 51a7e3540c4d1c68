"""`python -m tests.mutate [--jobs N] [--every N] [MODULE...]`: mistakes in the verifier that nobody notices."""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile

from tests.mutate.mutations import Mutant, mutants

PROJECT = pathlib.Path(__file__).resolve().parents[2]
MODULES = (
    "checks", "verifier", "partial_state", "reexecution", "chain", "key_paths", "signatures", "expectations",
    "call_contracts",
)  # fmt: skip
UNIT_TESTS = ("tests/unit/proof", "tests/property/test_swaps.py")
SURVIVORS = PROJECT / "tests" / "mutate" / "SURVIVORS.md"
KILLED_AT_LEAST = 0.95
PYTEST = """
import sys
sys.path.insert(0, "{0}")
from tests.mutate.oracle import Instead
sys.meta_path.insert(0, Instead("{1}", "{2}"))
import pytest
sys.exit(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-m", "not long", *{3}]))
"""


def is_killed(module: str, mutant: Mutant) -> bool:
    """Whether the corpus, or else the unit tests, notice a mutant."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "mutant.py"
        path.write_text(mutant.source)
        name = f"near_tee_cli.proof.{module}"
        try:
            return _noticed([sys.executable, "-m", "tests.mutate.oracle", name, str(path)], seconds=60) or _noticed(
                [sys.executable, "-c", PYTEST.format(PROJECT, name, path, UNIT_TESTS)], seconds=180
            )
        except subprocess.TimeoutExpired:
            return True


def _noticed(words: list[str], *, seconds: float) -> bool:
    return subprocess.run(words, cwd=PROJECT, capture_output=True, timeout=seconds, check=False).returncode != 0


def main() -> int:
    """Try every mutant; 1 when one survives that is not listed, or too many do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, help="try only every N-th mutant")
    parser.add_argument("modules", nargs="*", default=MODULES)
    given = parser.parse_args()
    listed = set(re.findall(r"^\| `([a-z_]+)` \| `(.*)` \| (.*?) \|", SURVIVORS.read_text(), re.MULTILINE))
    tried = killed = 0
    unlisted = []
    for module in given.modules:
        source = (PROJECT / "near_tee_cli" / "proof" / f"{module}.py").read_text()
        lines = source.splitlines()
        chosen = list(mutants(source))[:: given.every]
        with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
            results = list(pool.map(lambda mutant, module=module: is_killed(module, mutant), chosen))
        tried, killed = tried + len(chosen), killed + sum(results)
        print(f"{module:16} {sum(results)} of {len(chosen)} killed", flush=True)
        for mutant, dead in zip(chosen, results, strict=True):
            text = lines[mutant.line - 1].strip().replace("|", "\\|")
            if not dead and (module, text, mutant.what) not in listed:
                unlisted.append((module, mutant.line, text, mutant.what))
    for module, line, text, what in unlisted:
        print(f"survives: {module}.py:{line}: {what}: {text}")
    print(
        f"{killed} of {tried} killed ({100 * killed / max(tried, 1):.1f} %), {len(unlisted)} survivors are not listed"
    )
    return int(bool(unlisted) or killed < KILLED_AT_LEAST * tried)


if __name__ == "__main__":
    raise SystemExit(main())
