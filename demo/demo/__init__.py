"""A synthetic city: its data, its loader, and its people's sessions and stories."""
