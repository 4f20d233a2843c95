//! Things with a cable: the printer today; reader and voice later.
//!
//! Nothing here knows the store or the network protocol of the office.

pub mod printer;
