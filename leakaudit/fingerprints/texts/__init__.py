"""From running text to documents and their signatures."""
