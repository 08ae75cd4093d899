"""What a collector signs of its accounts' actions: the kind, and what it is about. Pure.

How many things of which kind happened to accounts that are for a plant, and where the collector's
security log stood then: whoever edits, cuts or replaces that log afterwards is found by a log that
gateways and witnesses keep checkpoints of. Counts alone, nobody's name. RECORDS.md "Accounts".
"""

ACTIONS, SECURITY_LOG = "account-actions", "security-log"
