"""Network access: the HTTP client, rate limiting per host, and URL helpers."""
