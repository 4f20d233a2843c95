//! Things with a cable: the printer and the voice today; the reader later.
//!
//! Nothing here knows the store or the network protocol of the office.

pub mod printer;
pub mod voice;
