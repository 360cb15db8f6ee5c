"""Prepares text from other systems for pages: invisible characters and terminal output."""
