"""Faults that must do no harm."""
