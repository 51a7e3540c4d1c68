"""One execution of something that nobody vouches for, in a child process that may die of it.

The child has bounds on time, memory and output, no network, no keys, and sees no files but those it needs. Its
parent has loaded no engine, so that forking it is cheap and safe, and believes nothing before it has parsed it.
"""
