"""The rules of one-stop matters (一件事): definitions, plans, filings and their cases. Pure."""
