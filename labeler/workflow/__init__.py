"""Steps that span several rooms."""
