//! Settings: one table of keys, three sources, and every fault at once.
