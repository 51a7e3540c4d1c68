"""The architecture as tables and the checks that read them, over the syntax trees of a package (standard `ast`).

Every check takes a `Tree` and returns the violations it found as sentences; an empty list is a pass. The tables say
what is allowed, so that a new package, module or library that nobody thought about fails instead of passing.
"""

import ast
import pathlib
from dataclasses import dataclass

ROOT = "near_tee_cli"

# From the top down; packages in one row do not import one another, and a package imports only from lower rows.
LAYERS = (
    ("cli",),
    ("workspace", "sources"),
    ("dispute", "batch", "worker"),
    ("isolate",),
    ("proof",),
    ("runtime", "attest"),
    ("vm", "state"),
    ("params",),
    ("primitives",),
)
# Modules of the root: importable by everything, and importing nothing of ours.
GROUND = ("errors", "trace", "__init__")

CRYPTOGRAPHY = ("primitives.curves", "primitives.hashes", "primitives.keys")
# Library -> the modules (or packages) that may import it. A library that is not named here is not allowed at all.
FENCES = {
    "wasmtime": ("vm.engine", "worker.wasi"),
    "ctypes": ("vm", "isolate.confinement"),
    "borsh_construct": ("primitives.borsh",),
    "construct": ("primitives.borsh",),
    "nacl": CRYPTOGRAPHY,
    "coincurve": CRYPTOGRAPHY,
    "cryptography": (*CRYPTOGRAPHY, "attest.synthetic_pki"),
    "Crypto": CRYPTOGRAPHY,
    "py_arkworks_bls12381": CRYPTOGRAPHY,
    "dcap_qvl": ("attest.dcap",),
    "typer": ("cli",),
    "click": ("cli",),
    "rich": ("cli",),
    "lmdb": ("workspace.state_directory",),
    "dask": ("batch.cluster",),
    "distributed": ("batch.cluster",),
    "keyring": ("cli.keyring_store",),
    "fsspec": ("workspace.blobs",),
}
DISK = ("workspace", "sources", "cli")
# Parts of the standard library that reach out of the process, and who may.
STANDARD_FENCES = {
    "socket": ("sources", "attest", "worker"),
    "ssl": ("sources", "attest", "worker"),
    "urllib": ("sources", "attest", "worker"),
    "http": ("sources", "attest", "worker"),
    "subprocess": ("isolate", "batch", "worker"),
    "multiprocessing": ("isolate", "batch", "worker"),
    "pathlib": DISK,
    "tempfile": DISK,
    "shutil": DISK,
    "time": (*DISK, "isolate", "batch", "worker", "attest.guest_agent"),
    "random": (),
    "secrets": ("workspace", "cli"),
    "resource": ("cli.key_file", "isolate"),
    "pickle": (),
    "marshal": (),
    "asyncio": ("batch", "worker"),
}
# `open`, `os.open` and the environment: packaged parameters, the shared library of the engine, the paths that
# a child is confined to, and the disk layers.
OPENS_FILES = (*DISK, "params.store", "vm.engine", "isolate.confinement")
# Broad handlers, each with its reason.
BROAD_HANDLERS = {
    "cli.boundary": "the one place that turns a defect into an error line instead of a traceback",
    "attest.dcap": "a panic of the library's Rust code arrives outside `Exception`",
    "vm.engine": "nothing may leave a callback of the C library as an exception",
    "vm.host.link": "nothing may leave a callback of the C library as an exception",
}
# Functions may import where the library is costly and seldom needed.
FUNCTION_IMPORTS = (
    "attest.dcap",
    "cli",
    "batch.cluster",
    "proof.verifier",
    "worker.wasi_child",
    "workspace.blobs",
    "workspace.state_directory",
    *CRYPTOGRAPHY,
)

MODULE_LINES = 500
FUNCTION_LINES = 80


@dataclass(frozen=True)
class Module:
    """One source file: `name` without the root package ("vm.host.table"), its text and tree."""

    name: str
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        return self.name.split(".")[0]


@dataclass(frozen=True)
class Import:
    """`importer` imports `target` (a dotted name as written); `nested` when inside a function."""

    importer: str
    target: str
    line: int
    nested: bool


class Tree:
    """All modules of a package directory and the imports between them."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.modules: dict[str, Module] = {}
        for path in sorted(directory.rglob("*.py")):
            parts = path.relative_to(directory).with_suffix("").parts
            if parts[-1] == "__init__" and len(parts) > 1:
                parts = parts[:-1]
            text = path.read_text(encoding="utf-8")
            name = ".".join(parts)
            self.modules[name] = Module(name, text, ast.parse(text))
        self.imports = [found for module in self.modules.values() for found in _imports(module)]

    def edges(self) -> dict[str, set[str]]:
        """Module -> modules of ours that it imports, by their names without the root."""
        result: dict[str, set[str]] = {name: set() for name in self.modules}
        for found in self.imports:
            target = self.ours(found.target)
            if target is not None:
                result[found.importer].add(target)
        return result

    def ours(self, dotted: str) -> str | None:
        """The module of ours that `dotted` names, or None for a foreign one; unknown names of ours raise."""
        if dotted != ROOT and not dotted.startswith(ROOT + "."):
            return None
        name = dotted[len(ROOT) + 1 :] or "__init__"
        while name not in self.modules:  # `from near_tee_cli.vm.gas import Gas` names an attribute at the end
            if "." not in name:
                return "__init__"
            name = name.rpartition(".")[0]
        return name


def _imports(module: Module) -> list[Import]:
    found: list[Import] = []

    def walk(node: ast.AST, *, nested: bool) -> None:
        for child in ast.iter_child_nodes(node):
            inside = nested or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            if isinstance(child, ast.Import):
                found.extend(Import(module.name, alias.name, child.lineno, nested) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                dots = "." * child.level
                base = dots + (child.module or "")
                found.extend(
                    Import(module.name, f"{base}.{alias.name}" if base else alias.name, child.lineno, nested)
                    for alias in child.names
                )
            walk(child, nested=inside)

    walk(module.tree, nested=False)
    return found


def within(name: str, allowed: tuple[str, ...]) -> bool:
    """Whether module `name` is one of `allowed` or below one of them; `vm.engine` covers `vm.engine_abi` too."""
    return any(name == one or name.startswith((one + ".", one + "_")) for one in allowed)


def rank(package: str) -> int | None:
    for row, packages in enumerate(LAYERS):
        if package in packages:
            return row
    return None


def layer_violations(tree: Tree) -> list[str]:
    """Imports that go up or sideways, and packages that no row names."""
    result = []
    for name in tree.modules:
        if "." not in name and name not in (*GROUND, "__main__") and rank(name) is None:
            result.append(f"{name} stands in no layer")
    for importer, targets in tree.edges().items():
        own = importer.split(".")[0]
        for target in sorted(targets):
            other = target.split(".")[0]
            if other == own or (other in GROUND and own not in GROUND) or (own == "__main__" and other == "cli"):
                continue
            own_rank, other_rank = rank(own), rank(other)
            if own_rank is None or other_rank is None or other_rank <= own_rank:
                result.append(f"{importer} must not import {target}")
    return result


def cycle_violations(tree: Tree) -> list[str]:
    """Modules that reach themselves."""
    edges = tree.edges()
    result = []
    for start in edges:
        if start in reachable(edges, start):
            result.append(f"{start} is part of an import cycle")
    return result


def reachable(edges: dict[str, set[str]], start: str) -> set[str]:
    """Every module that importing `start` brings in, `start` itself only when it lies on a cycle."""
    seen: set[str] = set()
    todo = list(edges[start])
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(edges[name])
    return seen


def fence_violations(tree: Tree, standard_library: frozenset[str]) -> list[str]:
    """Libraries imported outside their fence, or not known here at all."""
    result = []
    for found in tree.imports:
        top = found.target.split(".")[0]
        where = f"{found.importer}:{found.line}"
        if found.target.startswith("."):
            result.append(f"{where} imports relatively")
        elif top in FENCES or top in STANDARD_FENCES:
            if not within(found.importer, FENCES.get(top) or STANDARD_FENCES.get(top, ())):
                result.append(f"{where} must not import {top}")
        elif top not in standard_library and top != ROOT:
            result.append(f"{where} imports {top}, which no fence names")
        if found.target.endswith(".*"):
            result.append(f"{where} imports *")
        if found.nested and not within(found.importer, FUNCTION_IMPORTS):
            result.append(f"{where} imports inside a function")
        if found.target == "typing.TYPE_CHECKING":
            result.append(f"{where} hides an import under TYPE_CHECKING")
    return result


def disk_violations(tree: Tree) -> list[str]:
    """`open(...)` and the environment outside the layers that own them."""
    result = []
    for module in tree.modules.values():
        if within(module.name, OPENS_FILES):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
                result.append(f"{module.name}:{node.lineno} opens a file")
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "os"
                and node.attr in ("open", "environ", "getenv", "environb")
            ):
                result.append(f"{module.name}:{node.lineno} uses os.{node.attr}")
    return result


def statement_violations(tree: Tree) -> list[str]:
    """Statements that the package does without: assert, broad handlers, global, eval, open ends."""
    result = []
    for module in tree.modules.values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Assert):
                result.append(f"{module.name}:{node.lineno} asserts")
            elif isinstance(node, ast.Global):
                result.append(f"{module.name}:{node.lineno} rebinds a module global")
            elif (
                isinstance(node, ast.ExceptHandler)
                and _is_broad(node)
                and not within(module.name, tuple(BROAD_HANDLERS))
            ):
                result.append(f"{module.name}:{node.lineno} handles everything")
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"):
                result.append(f"{module.name}:{node.lineno} calls {node.func.id}")
        for number, line in enumerate(module.text.splitlines(), 1):
            if any(word in line for word in ("TODO", "FIXME", "XXX")):
                result.append(f"{module.name}:{number} leaves something to do")
    return result


def _is_broad(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException")) for kind in kinds
    )


def state_violations(tree: Tree) -> list[str]:
    """Module-level lists, dicts and sets under a name that does not say it is a constant."""
    result = []
    for module in tree.modules.values():
        for node in module.tree.body:
            if isinstance(node, ast.Assign):
                targets, value = node.targets, node.value
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                targets, value = [node.target], node.value
            else:
                continue
            mutable = isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)
            for target in targets:
                if mutable and isinstance(target, ast.Name) and not target.id.isupper() and target.id != "__all__":
                    result.append(f"{module.name}:{node.lineno} keeps mutable state in {target.id}")
    return result


def size_violations(tree: Tree) -> list[str]:
    """Modules and functions that outgrew a page."""
    result = []
    for module in tree.modules.values():
        lines = module.text.count("\n")
        if lines > MODULE_LINES:
            result.append(f"{module.name} has {lines} lines")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES:
                    result.append(f"{module.name}.{node.name} has {length} lines")
    return result
