//! Brings what the keypad and the socket for headphones say to the thread of the screen.

use std::thread;
use std::time::Duration;

use tracing::warn;

use super::web::Link;
use crate::app::Stop;
use crate::devices::handset::Hands;

/// How soon the thread notices that the program ends.
const WAIT: Duration = Duration::from_millis(500);

/// Listens in a thread of its own until told to stop.
pub fn listen(mut hands: Box<dyn Hands>, link: Link, stop: Stop) {
    let started = thread::Builder::new().name("keypad".into()).spawn(move || {
        while !stop.is_stopped() {
            for event in hands.next(WAIT) {
                link.hand(event.into());
            }
        }
    });
    if let Err(problem) = started {
        warn!(%problem, "no keypad: its thread did not start");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::handset::{FakeHands, HandEvent, HandKey};
    use crate::kiosk::pad::Pad;
    use crate::kiosk::run::{Command, Hand, VoiceKey};

    #[test]
    fn keys_and_headphones_reach_the_screen_in_order() {
        let (link, commands, _frame) = Link::new();
        let (hands, fake) = FakeHands::new();
        let stop = Stop::default();
        listen(Box::new(fake), link, stop.clone());
        let events = [
            HandEvent::Headphones(true),
            HandEvent::Key(HandKey::Down),
            HandEvent::Key(HandKey::Softer),
            HandEvent::Key(HandKey::HeadphonesOut),
        ];
        for event in events {
            hands.send(event).expect("it listens");
        }
        let wanted = [
            Hand::Headphones(true),
            Hand::Pad(Pad::Down),
            Hand::Voice(VoiceKey::Louder(-1)),
            Hand::Headphones(false),
        ];
        for hand in wanted {
            let Ok(Command::Hand(heard)) = commands.recv() else {
                panic!("something else than {hand:?}")
            };
            assert_eq!(heard, hand);
        }
        stop.stop();
    }
}
