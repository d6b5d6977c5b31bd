"""What routing buys: every policy on held-back people, beside chance, turns and an oracle at the same cost."""
