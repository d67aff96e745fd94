"""Sources, each by what it hands over."""
