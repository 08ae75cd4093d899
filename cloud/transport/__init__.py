"""Who may reach the broker: requests, approvals, certificates, revocations, its configuration."""
