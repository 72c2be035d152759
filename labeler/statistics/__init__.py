"""Pure: arrays in, numbers out. No tables, no codebook, no pandas."""
