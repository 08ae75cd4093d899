"""What documents of samples show when they are held against each other and the log. Pure.

An observation is for a reviewer's eyes: it accuses nobody and moves no figure. Each code, with what
it cannot show, is in docs/sample-findings.md.
"""
