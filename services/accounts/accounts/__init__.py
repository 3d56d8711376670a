"""统一账号: who people are, where they work and what they may do."""
