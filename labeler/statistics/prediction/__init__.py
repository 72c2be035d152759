"""How well a model predicts: calibration, learning curves, deferral to people."""
