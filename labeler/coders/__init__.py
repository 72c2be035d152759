"""Coders that are programs: what they are asked, and how their answers are read."""
