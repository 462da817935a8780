"""Device families: one folder each, found by the entry-point group shelfgate.drivers."""
