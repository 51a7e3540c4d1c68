"""What the walk over a body (`body`) does for each opcode, as tables.

Mirrors nearcore: runtime/near-vm-runner/src/prepare/prepare_v3.rs; finite-wasm: src/instruction_categories.rs
"""

from near_tee_cli.vm.wasm import opcodes as op

PURE = 1
"""Nothing happens to the operands."""
TO_4 = 2
"""One operand becomes one of 4 bytes."""
TO_8 = 3
"""One operand becomes one of 8 bytes."""
COMPARE = 4
"""Two operands become one of 4 bytes."""
BINARY = 5
"""The upper of two operands goes; also `drop`."""
SET = 6
"""The operand goes to a local or global."""
CONST_4 = 7
"""A constant of 4 bytes."""
CONST_8 = 8
"""A constant of 8 bytes."""
LOAD_4 = 9
"""An address becomes a value of 4 bytes; closes the group."""
LOAD_8 = 10
"""An address becomes a value of 8 bytes; closes the group."""
STORE = 11
"""Address and value go; closes the group."""
TEE = 12
"""`local.tee`."""
GLOBAL_GET = 13
"""`global.get`."""
OTHER = 14
"""Not among the common instructions."""


def _actions() -> tuple[int, ...]:
    """What the loop of `_Walker.run` does for each opcode; whatever it does not do itself is `OTHER`."""
    actions = [OTHER] * 256
    by_effect = {
        op.KEEP: PURE,
        op.POP_1: BINARY,
        op.POP_1_PUSH_4: TO_4,
        op.POP_1_PUSH_8: TO_8,
        op.POP_2_PUSH_4: COMPARE,
    }
    for opcode in (op.NOP, op.REF_IS_NULL, *range(0x45, 0xC5)):
        if opcode not in op.TRAPPING:
            actions[opcode] = by_effect[op.EFFECTS[opcode]]
    for opcode in range(op.FIRST_LOAD, op.FIRST_STORE):
        actions[opcode] = LOAD_4 if op.EFFECTS[opcode] == op.POP_1_PUSH_4 else LOAD_8
    for opcode in range(op.FIRST_STORE, op.MEMORY_SIZE):
        actions[opcode] = STORE
    actions[op.DROP] = BINARY
    actions[op.LOCAL_SET] = actions[op.GLOBAL_SET] = SET
    actions[op.LOCAL_TEE] = TEE
    actions[op.GLOBAL_GET] = GLOBAL_GET
    actions[op.I32_CONST] = CONST_4
    actions[op.I64_CONST] = CONST_8
    return tuple(actions)


ACTIONS = _actions()
"""What to do for each opcode: one of the numbers above."""

BLOCK_SIZES = {0x40: 0, 0x7F: 4, 0x7E: 8, 0x7D: 4, 0x7C: 8, 0x70: 8, 0x63: 8}
"""Size in bytes of a block's result, by the first byte of the block type (0x63 begins the long form of funcref)."""

POPS_AND_PUSH = {
    op.KEEP: (0, 0),
    op.PUSH_4: (0, 4),
    op.PUSH_8: (0, 8),
    op.POP_1: (1, 0),
    op.POP_2: (2, 0),
    op.POP_3: (3, 0),
    op.POP_1_PUSH_4: (1, 4),
    op.POP_1_PUSH_8: (1, 8),
    op.POP_2_PUSH_4: (2, 4),
}
"""Operands that an effect takes away, and the size in bytes of the one it leaves (0: none)."""

INTEGERS = {
    op.NO_IMMEDIATE: 0,
    op.ONE_INTEGER: 1,
    op.TWO_INTEGERS: 2,
    op.MEMORY_ARGUMENT: 2,
    op.REFERENCE_TYPE: 1,
}
"""How many integers follow an opcode, by the shape of its immediates, where nothing else does."""
