"""What the tests have in common: fixtures, fakes and servers. No tests."""
