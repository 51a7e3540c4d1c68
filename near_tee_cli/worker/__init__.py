"""Workers: programs that others asked for are executed here, and what came of them is said, signed and answered.

Stands beside `batch`: knows claims, envelopes and children, and no command lines or files.
"""
