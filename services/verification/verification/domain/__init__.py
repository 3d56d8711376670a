"""The rules of licences, of the consent to use them, and of what a verification finds."""
