"""Which process of this machine is which: a number is given again to later ones."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

_SECONDS = 10


def identity(pid: int) -> str:
    """What tells a process from a later one with the same number; '' when there is none."""
    if not Path("/proc/self/stat").exists():
        ps = subprocess.run(  # noqa: S603
            [shutil.which("ps") or "/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        state, _, started = ps.stdout.strip().partition(" ")
        return "" if state.startswith("Z") else started.strip()
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    state, threads, started = fields[0], int(fields[17]), fields[19]
    # A first thread that has ended is a zombie too, while the others still hold the port.
    return "" if state in "ZX" and threads <= 1 else f"{boot}/{started}"
