//! A board's side of the office's events: one line that is listened to until it breaks.
//!
//! It decides nothing and never reconnects by itself: that is its task's business. Begin at [`BoardClient::listen`].

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::domain::board::BoardInput;

/// The office's heart beats every four seconds: a longer silence is a dead line.
const SILENCE: Duration = Duration::from_secs(12);
/// A voice that comes later than this is not waited for.
const VOICE_WAIT: Duration = Duration::from_secs(4);
/// Largest event and largest sound that is taken.
const EVENT_MAX: usize = 1 << 20;
const SOUND_MAX: usize = 4 << 20;

/// Why a board hears nothing.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// It did not answer, or the line broke.
    #[error("The office cannot be heard")]
    Broken(#[source] reqwest::Error),
    /// It answered that there is nothing to hear.
    #[error("The office refused the board: {status} {detail}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its words, cut to a line.
        detail: String,
    },
    /// Nothing came for too long, or nonsense.
    #[error("The office went silent")]
    Silent,
}

/// A connection to one office for one zone.
#[derive(Clone, Debug)]
pub struct BoardClient {
    http: reqwest::Client,
    base: String,
    zone: String,
    screen: String,
}

impl BoardClient {
    /// A client for the office at `base`, such as `http://10.0.0.5:8080`; `screen` is this screen's own id.
    pub fn new(http: reqwest::Client, base: &str, zone: &str, screen: &str) -> Self {
        Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
            zone: zone.to_owned(),
            screen: screen.to_owned(),
        }
    }

    /// Listens from after `after` on until the line breaks; never returns before.
    pub async fn listen(&self, after: Option<u64>, mut heard: impl FnMut(BoardInput)) -> BoardError {
        match self.follow(after, &mut heard).await {
            Ok(()) => BoardError::Silent,
            Err(problem) => problem,
        }
    }

    async fn follow(&self, after: Option<u64>, heard: &mut impl FnMut(BoardInput)) -> Result<(), BoardError> {
        // Both are plain words of an address: the zone by the office's settings, the id by how it is made.
        let (zone, screen) = (&self.zone, &self.screen);
        let url = format!("{}/api/v1/board/events?zone={zone}&screen={screen}", self.base);
        let mut asked = self.http.get(url);
        if let Some(after) = after {
            asked = asked.header("last-event-id", after);
        }
        let mut response = in_time(SILENCE, asked.send())
            .await?
            .map_err(BoardError::Broken)?;
        if !response.status().is_success() {
            let status = response.status().as_u16();
            let detail = in_time(SILENCE, response.text()).await?.unwrap_or_default();
            let detail = detail.chars().take(200).filter(|c| !c.is_control()).collect();
            return Err(BoardError::Refused { status, detail });
        }
        let mut reader = EventReader::default();
        while let Some(chunk) = in_time(SILENCE, response.chunk())
            .await?
            .map_err(BoardError::Broken)?
        {
            for input in reader.push(&chunk).ok_or(BoardError::Silent)? {
                heard(input);
            }
        }
        Ok(())
    }

    /// The sound of a call; nothing where the office only chimes or does not answer in time.
    pub async fn voice(&self, seq: u64) -> Option<Vec<u8>> {
        let fetch = async {
            let url = format!("{}/board/voice/{seq}", self.base);
            let mut response = self.http.get(url).send().await.ok()?.error_for_status().ok()?;
            let mut sound = Vec::new();
            while let Some(chunk) = response.chunk().await.ok()? {
                if sound.len() + chunk.len() > SOUND_MAX {
                    return None;
                }
                sound.extend_from_slice(&chunk);
            }
            Some(sound)
        };
        tokio::time::timeout(VOICE_WAIT, fetch).await.ok()?
    }
}

async fn in_time<T>(patience: Duration, work: impl Future<Output = T>) -> Result<T, BoardError> {
    tokio::time::timeout(patience, work)
        .await
        .map_err(|_| BoardError::Silent)
}

/// Cuts a stream of server-sent events into what a board understands; what it does not know it leaves out.
#[derive(Debug, Default)]
struct EventReader {
    rest: Vec<u8>,
}

impl EventReader {
    /// Whole events of the stream so far; nothing when one is too large to be ours.
    fn push(&mut self, chunk: &[u8]) -> Option<Vec<BoardInput>> {
        self.rest.extend_from_slice(chunk);
        let mut found = Vec::new();
        while let Some(end) = self.rest.windows(2).position(|two| two == b"\n\n") {
            let block: Vec<u8> = self.rest.drain(..end + 2).collect();
            found.extend(read(&String::from_utf8_lossy(&block)));
        }
        (self.rest.len() <= EVENT_MAX).then_some(found)
    }
}

fn read(block: &str) -> Option<BoardInput> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
    let data = field("data:")?.trim_start();
    match field("event:")?.trim_start() {
        "called" | "recalled" | "resumed" => parse(data).map(BoardInput::Call),
        "board" => parse(data).map(|news| BoardInput::News(Box::new(news))),
        "beat" => Some(BoardInput::Beat),
        _ => None,
    }
}

fn parse<T: DeserializeOwned>(data: &str) -> Option<T> {
    match serde_json::from_str(data) {
        Ok(value) => Some(value),
        Err(problem) => {
            tracing::warn!(%problem, "the office said something this board does not understand");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_however_they_are_cut() {
        let text = "retry: 1000\n\nid: 7\nevent: called\ndata: {\"seq\":7,\"at\":\"2026-11-24T15:00:00Z\",\
                    \"type\":\"called\",\"number\":\"Ñ-018\",\"counter\":4,\"zone\":\"sala\"}\n\n\
                    event: beat\ndata: {}\n\nevent: later\ndata: {}\n\n";
        for size in [1, 2, 3, 7, 64, 1000] {
            let mut reader = EventReader::default();
            let found: Vec<BoardInput> = text
                .as_bytes()
                .chunks(size)
                .flat_map(|chunk| reader.push(chunk).expect("small"))
                .collect();
            assert_eq!(found.len(), 2, "in pieces of {size}");
            assert!(matches!(&found[0], BoardInput::Call(call) if call.number == "Ñ-018" && call.seq == 7));
            assert_eq!(found[1], BoardInput::Beat);
        }
        assert!(EventReader::default().push(&vec![b'x'; EVENT_MAX + 1]).is_none());
    }
}
