"""Which wire formats do we understand? One module each, bytes in, IncomingEvent out."""
