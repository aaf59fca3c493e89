"""How a process is told what to do while it runs, and tells how it is: signals, reloads, its parent, systemd."""
