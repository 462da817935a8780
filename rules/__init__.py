"""Decisions: one pure file each, found by the entry-point group shelfgate.rules."""
