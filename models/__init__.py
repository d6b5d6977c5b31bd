"""Records, the cascade, its policies and tracking; `lab` holds what trains and measures them."""
