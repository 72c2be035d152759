"""Agreement between coders of a batch, and the gate that rests on it."""
