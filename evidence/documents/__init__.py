"""Documents that persons sign: records of samples, results, amounts, meters, and who may sign."""
