"""The commands, one module each: `LINE` declares what it takes, `execute` does it and hands back a report."""
