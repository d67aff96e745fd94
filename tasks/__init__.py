"""The steps of an increment, and what they share."""
