"""Plans of Project 468: targets, indicators, where each unit stands, and the reports that are due."""
