"""Who did what to the account? Written by the operations, in their own transaction."""
