"""A module taken apart into its sections, each with the place in the bytes that it came from."""

from near_tee_cli.vm.wasm.reader import Body, Export, FuncType, Global, Segment

Range = tuple[int, int]

FUNCTION_KIND = 0
"""An export of a function. (Tables have 1.)"""

MEMORY_KIND = 2
GLOBAL_KIND = 3
"""The kinds of exports of memories and of globals."""


class Module:
    """What the sections of a module hold.

    Ranges (start, end) cover the items of a section, without the count before them; `None`: no such section.
    """

    __slots__ = (
        "bodies",
        "code",
        "data",
        "data_count",
        "elements",
        "elements_range",
        "exports",
        "functions",
        "functions_range",
        "globals",
        "globals_range",
        "has_imports",
        "imports",
        "start",
        "table_sizes",
        "tables",
        "types",
        "types_range",
    )

    def __init__(self, code: bytes) -> None:
        self.code = code
        self.types: list[FuncType] = []
        self.types_range: Range = (0, 0)
        self.has_imports = False
        """Whether there is an import section, be it empty."""
        self.imports: list[tuple[bytes, int]] = []
        """Imported functions: name and index of the type."""
        self.functions: list[int] = []
        """The index of the type of each function that the module defines."""
        self.functions_range: Range = (0, 0)
        self.table_sizes: list[int] = []
        self.tables: Range | None = None
        """The whole content of the table section, with its count."""
        self.globals: list[Global] | None = None
        self.globals_range: Range = (0, 0)
        self.exports: list[Export] = []
        self.start: int | None = None
        self.elements: list[Segment] = []
        self.elements_range: Range = (0, 0)
        self.data_count: Range | None = None
        """The whole content of the data count section."""
        self.bodies: list[Body] = []
        self.data: Range | None = None
        """The whole content of the data section, with its count."""
