"""Behavior: what a user does next, and what they buy within a day and a week."""
