"""The whole chain, live: a simulated warehouse, the real daemon, a broker, and the core."""
