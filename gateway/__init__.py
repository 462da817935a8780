"""The core of shelfgate: words, seams, engine and the shell around them."""
