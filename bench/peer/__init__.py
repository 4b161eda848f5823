"""The peers: networks, one module for each kind of work, timing."""
