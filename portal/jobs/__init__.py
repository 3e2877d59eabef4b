"""Work that happens later. Only engine.py knows Procrastinate."""
