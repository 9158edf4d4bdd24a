"""Standard setting: panels of experts, rounds, cut scores and their adoption."""
