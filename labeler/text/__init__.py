"""What can be said of a text alone: quotes, sentences, strict JSON, duplicates, coded values."""
