"""Hours of a CEMS to a month: which count, what stands for the others, how much CO2 it makes."""
