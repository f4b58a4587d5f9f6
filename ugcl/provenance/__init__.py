"""What a result depends on, and whether the ledger agrees."""
