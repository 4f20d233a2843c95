//! Which screens of the waiting rooms listen, so that a dark one is noticed before somebody misses a call.
//!
//! A screen is known by an id it makes itself, never by an address. Begin at [`BoardWatch::enter`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::hub::{OfficeApp, lock};
use crate::domain::office::Zone;

/// How long a zone may be without a screen: a television that is switched on takes about a minute.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);
/// Longest id of a screen.
const SCREEN_MAX: usize = 24;

/// A screen that listens now.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct BoardScreen {
    /// The id it made for itself.
    pub id: String,
    /// Its zone.
    pub zone: String,
    /// Since when it listens without a break.
    #[serde(with = "crate::domain::ticket::time_text")]
    pub since: Timestamp,
}

/// A zone and its screens.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ZoneScreens {
    /// Its id.
    pub zone: String,
    /// Its name for people.
    pub name: String,
    /// Screens that listen now, by id.
    pub screens: Vec<BoardScreen>,
    /// Since when none listens.
    #[serde(with = "crate::domain::ticket::time_text::option")]
    pub dark_since: Option<Timestamp>,
    /// Whether somebody should look at the screen: none listens, and not only since a moment ago.
    pub alarm: bool,
}

#[derive(Debug, Default)]
struct Seen {
    next: u64,
    open: BTreeMap<u64, BoardScreen>,
    /// When the last screen of a zone went away.
    left: BTreeMap<String, Timestamp>,
}

/// The screens that listen.
#[derive(Clone, Debug)]
pub struct BoardWatch {
    seen: Arc<Mutex<Seen>>,
    begun: Timestamp,
}

/// A screen's stay; it ends when this is dropped.
pub struct Stay {
    app: Arc<OfficeApp>,
    key: u64,
}

impl Drop for Stay {
    fn drop(&mut self) {
        let now = self.app.now();
        let mut seen = lock(&self.app.boards.seen);
        if let Some(screen) = seen.open.remove(&self.key) {
            seen.left.insert(screen.zone, now);
        }
    }
}

impl BoardWatch {
    /// Nobody listens yet.
    pub(super) fn new(begun: Timestamp) -> Self {
        Self {
            seen: Arc::default(),
            begun,
        }
    }

    /// Notes a screen that begins to listen; an id that does not fit is cut to what does.
    pub(super) fn enter(app: &Arc<OfficeApp>, zone: &str, screen: &str) -> Stay {
        let id: String = screen
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(SCREEN_MAX)
            .collect();
        let mut seen = lock(&app.boards.seen);
        seen.next += 1;
        let key = seen.next;
        let screen = BoardScreen {
            id,
            zone: zone.to_owned(),
            since: app.now(),
        };
        seen.open.insert(key, screen);
        Stay {
            app: Arc::clone(app),
            key,
        }
    }

    fn of(&self, zone: &Zone, now: Timestamp) -> ZoneScreens {
        let seen = lock(&self.seen);
        let mut screens: Vec<BoardScreen> = seen
            .open
            .values()
            .filter(|screen| screen.zone == zone.id)
            .cloned()
            .collect();
        screens.sort_by(|a, b| a.id.cmp(&b.id).then(a.since.cmp(&b.since)));
        let dark_since = screens
            .is_empty()
            .then(|| seen.left.get(&zone.id).copied().unwrap_or(self.begun));
        ZoneScreens {
            zone: zone.id.clone(),
            name: zone.name.clone(),
            screens,
            dark_since,
            alarm: dark_since.is_some_and(|since| now.duration_since(since) >= PATIENCE),
        }
    }
}

impl OfficeApp {
    /// Every zone with the screens that listen in it, for the supervisor.
    pub fn boards(&self) -> Vec<ZoneScreens> {
        let now = self.now();
        let setup = self.setup();
        setup.zones.iter().map(|zone| self.boards.of(zone, now)).collect()
    }

    /// A zone by its id, with the counters it has now.
    pub fn zone(&self, id: &str) -> Option<Zone> {
        self.setup().zone_of(id).cloned()
    }
}
