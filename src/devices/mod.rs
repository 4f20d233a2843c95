//! Things with a cable: the printer, the board's voice and the kiosk's narrator today; the reader later.
//!
//! Nothing here knows the store or the network protocol of the office.

pub mod backlight;
pub mod handset;
pub mod narrator;
pub mod printer;
pub mod voice;
