"""Who codes which unit, in which arm, with which probability."""
