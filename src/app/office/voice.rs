//! What the waiting rooms hear for a call: made as soon as the call is committed, and given out for real calls only.
//!
//! It listens to committed events like a board does, so no command ever waits for it. Begin at
//! [`BoardVoice::start`].

use std::sync::Arc;

use tokio::sync::broadcast::error::RecvError;
use tracing::{debug, info};

use super::hub::OfficeApp;
use crate::devices::voice::{Recordings, Voice, joined, pieces};
use crate::domain::announcement::spoken;
use crate::domain::ticket::CounterNumber;
use crate::i18n::Language;

/// Folder of kept sentences, inside the data folder.
const FOLDER: &str = "voice";
/// Language whose recordings are played before the office's own, never made by a machine.
const BESIDE: Language = Language::Kichwa;

/// The voice of one office.
#[derive(Debug)]
pub struct BoardVoice {
    voice: Voice,
    recordings: Option<Recordings>,
    language: Language,
}

impl BoardVoice {
    /// The voice of an office, listening until its stop.
    pub fn start(office: &Arc<OfficeApp>) -> Arc<Self> {
        let config = office.config();
        let voice = Arc::new(Self {
            voice: Voice::new(config.data.join(FOLDER)),
            recordings: config.recordings.clone().map(Recordings::new),
            language: config.language,
        });
        if !voice.voice.is_there() && voice.recordings.is_none() {
            info!("no synthesizer and no recordings; boards only chime");
            return voice;
        }
        tokio::spawn(listen(Arc::clone(office), Arc::clone(&voice)));
        voice
    }

    /// The sound of a call as WAV; nothing for a number that was not called, and where only the chime is left.
    pub async fn of_call(&self, office: &OfficeApp, seq: u64) -> Option<Vec<u8>> {
        let (number, counter) = office.look(|office, _| {
            let call = office.announced().find(|call| call.seq == seq)?;
            Some((call.number.clone(), call.counter))
        })?;
        let stop = office.stop().clone();
        tokio::select! {
            // What is under way is dropped, and the synthesizer ends with it.
            () = stop.stopped() => None,
            sound = self.say(&number, counter) => sound,
        }
    }

    async fn say(&self, number: &str, counter: CounterNumber) -> Option<Vec<u8>> {
        let pieces = pieces(number, counter.0);
        let recorded = |language: Language| {
            self.recordings
                .as_ref()
                .and_then(|all| all.say(language.code(), &pieces))
        };
        let own = match recorded(self.language) {
            Some(sound) => sound,
            None => {
                let sentence = spoken(self.language, number, counter);
                match self.voice.say(self.language.code(), &sentence).await {
                    Ok(sound) => sound,
                    Err(problem) => {
                        debug!(%problem, "a call is only chimed");
                        return recorded(BESIDE);
                    }
                }
            }
        };
        if self.language == BESIDE {
            return Some(own);
        }
        let both = recorded(BESIDE).and_then(|first| joined(&first, &own));
        Some(both.unwrap_or(own))
    }
}

async fn listen(office: Arc<OfficeApp>, voice: Arc<BoardVoice>) {
    let mut events = office.subscribe();
    let stop = office.stop().clone();
    loop {
        let event = tokio::select! {
            () = stop.stopped() => return,
            event = events.recv() => event,
        };
        match event {
            Ok(event) if event.what.announces().is_some() => {
                voice.of_call(&office, event.seq).await;
            }
            // What was missed is made when a board asks for it.
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}
