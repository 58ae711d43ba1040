"""Getting sites and readings in: from files, from the API, with the same rules and the same counts."""
