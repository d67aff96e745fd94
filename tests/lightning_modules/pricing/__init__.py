"""Tests of the pricing learner."""
