"""Where alerts come from: alert sources and their integration keys."""
