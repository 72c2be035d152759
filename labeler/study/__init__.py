"""An open study: its store, its batches, its log of runs."""
