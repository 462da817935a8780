"""The physical truth: items, shelves, a gate, people who act on them, and what they did."""
