"""`gateway storage`: what a store is and holds, whether it is whole, and moving it into another one."""
