"""Tests of the recommendation learner."""
