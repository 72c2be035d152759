"""Label Studio: the page coders see, what is brought there and fetched from there."""
