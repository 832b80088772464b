"""The network: the HTTP client, how hosts are spared, and addresses."""
