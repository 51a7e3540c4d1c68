"""NEAR's nouns and the arithmetic under them: hashes, keys, account ids, records and their bytes.

Nothing here knows a rule of execution, a protocol version or a file.
"""
