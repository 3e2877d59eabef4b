"""How can an operator see what is going on? Logs, metrics, health."""
