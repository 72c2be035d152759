"""How Label Studio's program is called: its command, its environment variables, its version.

Needs no library beside Python's own, so that it can be used before any is installed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from labeler.studio.server import database as databases

_SWITCHES = {
    "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
    "LABEL_STUDIO_COLLECT_ANALYTICS": "false",
    "LABEL_STUDIO_LATEST_VERSION_CHECK": "false",
    "LABEL_STUDIO_SENTRY_DSN": "",
    "LABEL_STUDIO_FRONTEND_SENTRY_DSN": "",
    "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "false",
    "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
    "LABEL_STUDIO_AZURE_MOUNT_FIX": "1",  # its only effect: SQLite keeps a write-ahead log
    "fflag_feat_utc_210_prediction_validation_15082025": "true",
    "PYTHONUNBUFFERED": "1",
}
# Label Studio also reads settings without a prefix (HOST, USERNAME, DEBUG, ...): pass only these.
_PASSED = re.compile(r"PATH|HOME|LANG|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH")
_LAUNCHER = Path(__file__).with_name("launcher.py")


def installed(environment: Path) -> bool:
    """Whether an environment holds Label Studio."""
    return (environment / "bin" / "label-studio").exists()


def launcher(environment: Path) -> list[str]:
    """The command that runs our launcher by the environment's Python; its words follow."""
    # -P: the launcher's folder is no place to import from
    return [str(environment / "bin" / "python"), "-P", str(_LAUNCHER)]


def version(environment: Path) -> str:
    """The version of the Label Studio in an environment; '' where it does not say."""
    found = environment.glob("lib/python*/site-packages/label_studio-*.dist-info")
    return next((path.name.split("-")[1].removesuffix(".dist") for path in found), "")


def surroundings(data: Path, *, database: str = "") -> dict[str, str]:
    """The environment variables of whatever runs Label Studio's code on the folder `data`."""
    passed = {name: value for name, value in os.environ.items() if _PASSED.fullmatch(name)}
    own = {"LABEL_STUDIO_BASE_DATA_DIR": str(data)} | databases.variables(database)
    return passed | _SWITCHES | own
