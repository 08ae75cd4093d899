"""One question a file. What is here is registered when `questions()` is called."""
