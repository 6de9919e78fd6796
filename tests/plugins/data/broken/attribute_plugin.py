"""Has not got the attribute that its entry point names."""
