"""Many executions, each in a child of its own: in which order, how many at once, and what to do again.

Knows nothing of command lines or files: items come in as jobs with names, results go out in the order of the items.
"""
