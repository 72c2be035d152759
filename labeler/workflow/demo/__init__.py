"""The demo: made-up posts, a made-up model and made-up coders, the whole way once."""
