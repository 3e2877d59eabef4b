"""HOW we speak e-mail. Only importer of smtplib."""
