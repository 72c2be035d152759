"""From codes that passed the gate to results, and the bundle that carries them."""
