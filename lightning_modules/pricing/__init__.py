"""Demand, price movement and price strategy of a shop."""
