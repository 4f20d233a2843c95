//! The forms engine beside the reference engine, and against hostile input. No screen, no network.

mod fuzz;
mod javarosa;
mod procedures;
mod random;
mod zip;
