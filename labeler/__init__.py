"""Human-in-the-loop labeling: a model pre-labels, people verify, reliability decides."""

__version__ = "0.1.0"
