"""What do monitoring tools send us? Each format is checked, cleaned and handed to the domain."""
