"""What must particular people be told once, until they have seen it? Shown on top of every page."""
