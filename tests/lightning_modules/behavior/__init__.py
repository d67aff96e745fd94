"""Tests of the behavior learner."""
