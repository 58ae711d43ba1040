"""What a browser or a script talks to: pages, forms, the JSON API, and what stands in front of them."""
