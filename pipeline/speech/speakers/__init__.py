"""Who says each word: voices are told apart, and named where that needs no guess. No word is heard here."""
