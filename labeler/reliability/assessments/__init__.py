"""What is asked of a batch beside reliability; one module an assessment."""
