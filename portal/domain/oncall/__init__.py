"""Who is on call, and when? Schedules, their layers, shifts and overrides."""
