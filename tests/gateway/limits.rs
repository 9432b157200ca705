//! How many sessions there may be and how fast they come, and that whoever is refused for a while comes back.

mod rates;
mod seats;
