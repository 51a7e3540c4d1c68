"""What lies on disk: cases, snapshots, steps, the cache of compiled code, and how files are written.

Everything below this layer works on bytes and values that it is handed.
"""
