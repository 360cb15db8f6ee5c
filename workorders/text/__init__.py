"""Text from elsewhere, made fit to be shown: legible characters, terminal output."""
