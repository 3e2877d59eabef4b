"""How fast is it? Figures for people, printed by `make bench`; never a test that can fail."""
