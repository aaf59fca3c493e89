"""`gateway migration`: what a team that leaves a vendor wants to know."""
