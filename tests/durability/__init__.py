"""What is written survives: faults at every call, power cuts, kills, full disks."""
