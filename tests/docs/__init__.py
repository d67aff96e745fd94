"""Of the pages."""
