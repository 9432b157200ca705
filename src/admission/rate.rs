//! Token buckets by address and by user, in tables that are bounded and swept.
