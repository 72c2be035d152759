"""From records of platforms to posts, without the names of their authors."""
