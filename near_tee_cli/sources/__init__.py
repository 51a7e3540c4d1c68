"""States in other tools' files: recognised by their content, read strictly, and written for other tools.

Nothing here reaches the network; the bytes come from whoever calls.
"""
