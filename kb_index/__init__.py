"""Knowledge: articles, passages, search, confidence and open questions."""
