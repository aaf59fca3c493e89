"""Faults, done to real processes: kills, cut connections, full and failing disks, jumping clocks, power cuts."""
