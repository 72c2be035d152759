"""The tables and the database that holds them."""
