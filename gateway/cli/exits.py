"""Exit codes of every command; those above 63 are of sysexits.h, and systemd knows them."""

OK = 0
PROBLEM = 1
USAGE = 2
BUG = 70
DISK = 74
CONFIG = 78
