"""The benchmarks' made-up study, of any size, for tests that need more than a handful of rows."""

from __future__ import annotations

import importlib.util
import sys

from places import ROOT

_SPEC = importlib.util.spec_from_file_location("made_study", ROOT / "benchmarks" / "made_study.py")
assert _SPEC is not None
assert _SPEC.loader is not None
made_study = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = made_study  # a NamedTuple looks its module up
_SPEC.loader.exec_module(made_study)
