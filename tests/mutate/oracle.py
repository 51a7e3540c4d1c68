"""One mutant against the corpus: `python -m tests.mutate.oracle MODULE FILE`; ends with 0 when nothing was noticed."""

import importlib.abc
import importlib.util
import json
import os
import pathlib
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]


class Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports a module from another file."""

    def __init__(self, name: str, path: str) -> None:
        self.name, self.path = name, path

    def find_spec(self, fullname, _path, _target=None):
        """The mutant for its module, nothing for all others."""
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def exec_module(self, module) -> None:
        """Execute the mutant."""
        exec(compile(pathlib.Path(self.path).read_text(), self.path, "exec"), module.__dict__)


def noticed() -> str | None:
    """The first thing that is not as it should be."""
    from near_tee_cli.cli.commands.verify import LINE, _demands
    from near_tee_cli.cli.expecting import expected_of
    from near_tee_cli.cli.parser import parse
    from near_tee_cli.proof.chain import Chain
    from near_tee_cli.proof.chain_file import is_chain_file, unpack
    from near_tee_cli.proof.reexecution import execute_again
    from near_tee_cli.proof.report import Verdict
    from near_tee_cli.proof.verifier import begin, verified
    from tests.support.machines import machine

    def answers(bundles, flags):
        given = parse(LINE, ["x", *flags])
        demands = _demands(given, expected_of(given))
        chain = Chain() if given["chain"] else None
        reports = []
        for data in bundles:
            begun = begin(data, demands, chain=chain)
            executed = (
                begun.execute(lambda *args, **more: execute_again(*args, machine=machine(), **more))
                if (begun.wants_execution)
                else None
            )
            reports.append(begun.report(executed))
        return reports

    code = str(PROJECT / "examples" / "wat" / "counter.wasm")
    flags = {
        "detached.ntb": ["--code", code],
        "signed.ntb": ["--signer", "ed25519:9DtCCdgtfxbgmFYJMCgE7Fc6zvEGj9yZAdTYuoNMgMPE"],
        "yield.ntc": ["--chain"],
    }
    good = PROJECT / "fixtures" / "bundles" / "v1"
    for path in sorted(good.glob("*.nt*")):
        data = path.read_bytes()
        bundles = unpack(data) if is_chain_file(data) else [data]
        for report, one in zip(answers(bundles, flags.get(path.name, [])), bundles, strict=True):
            if report.verdict is not Verdict.ESTABLISHED:
                return f"{path.name} is refused: {report.message}"
            verified(report, one)
    for folder in sorted((PROJECT / "fixtures" / "reject").iterdir()):
        expected = json.loads((folder / "expected.json").read_text())
        paths = sorted(folder.glob("*.ntb"), key=lambda path: (len(path.name), path.name))
        if not (folder / "bundle.ntb").exists():
            continue
        found = set()
        os.chdir(folder)
        for report in answers([path.read_bytes() for path in paths], expected["flags"]):
            if report.verdict is Verdict.ESTABLISHED and len(paths) == 1:
                return f"{folder.name} is accepted"
            first = next((one for one in report.checks if one.code is not None), None)
            found |= {(one.number, one.code) for one in report.checks if one.code is not None}
            if len(paths) == 1 and first is not None and first.code != report.code and report.code is not None:
                found.add((0, report.code))
        if (expected["check"], expected["code"]) not in found:
            return f"{folder.name}: {sorted(found)}"
    return None


def main() -> int:
    """0 when nothing was noticed, 1 when something was."""
    if len(sys.argv) == 3:
        sys.meta_path.insert(0, Instead(sys.argv[1], sys.argv[2]))
    sys.path.insert(0, str(PROJECT))
    from near_tee_cli.vm.engine_thread import on_contract_thread

    found = on_contract_thread(noticed)
    if found is not None:
        print(found)
    return 0 if found is None else 1


if __name__ == "__main__":
    raise SystemExit(main())
