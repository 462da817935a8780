"""Families of scenarios: worlds that put one question each to whoever watches them."""
