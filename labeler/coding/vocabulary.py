"""Words that several rooms share: arms, kinds of coder, the canary's name."""

from __future__ import annotations

from typing import Literal, get_args

Arm = Literal["blind", "assisted", "adjudication", "repeat"]
ARMS: tuple[Arm, ...] = get_args(Arm)
ADJUDICATION: Arm = "adjudication"

CANARY = "canary:"  # what the unit of an answer begins with that tests the model, not a post
