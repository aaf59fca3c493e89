"""The pages of the console, a module each: what it asks of `operate` and the store, and how that is answered."""
