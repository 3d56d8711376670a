"""Attacks the house from outside, as strangers and as its own people, and looks at what it says and keeps."""
