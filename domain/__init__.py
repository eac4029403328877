"""What is true: aggregates, events and rules. No input or output, no clock, no chance."""
