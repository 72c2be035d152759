"""The codebook: what coders are told, its rules, its changes, its values."""
