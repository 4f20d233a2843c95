//! Writes an office's file as if it had been used: by the rules of the queue themselves, day after day.

use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ventanilla::clock::{self, Clock};
use ventanilla::config::office::{
    CounterConfig, Identity, KioskConfig, OfficeConfig, QueueConfig, token_hash,
};
use ventanilla::domain::id::Moment;
use ventanilla::domain::office::{Command, Issue, Office, OfficeSetup, Order};
use ventanilla::domain::ticket::{CounterNumber, KioskId, Lane, QueueId};
use ventanilla::store::office::{self as store, Role};
use ventanilla::store::{Db, StoreError};

/// Queues of a large office, with their series.
pub const QUEUES: [(&str, &str); 5] = [
    ("tributos", "T"),
    ("catastro", "C"),
    ("licencias", "L"),
    ("social", "S"),
    ("informes", "I"),
];
/// Counters: one for each of the largest crowd.
pub const COUNTERS: u16 = 64;
/// Counters that attend on an ordinary day.
const ATTENDING: u16 = 20;
/// Secret of the kiosk.
pub const KIOSK_TOKEN: &str = "kiosk-1-secret";
/// Where a staff token lies, beside the settings.
pub const STAFF_TOKEN: &str = "staff.token";
/// Name of the settings.
pub const SETTINGS: &str = "office.toml";
/// Tickets of a day of the past; each leaves four events.
const PAST_DAY: u32 = 1_250;

/// Settings and a data file in `folder`: `rows` events of past days, and `today` tickets of which `served` are over.
pub fn write(folder: &Path, rows: u32, today: u32, served: u32) {
    let data = folder.join("data");
    std::fs::create_dir_all(&data).expect("a folder");
    let config = config(&data);
    let text = toml::to_string(&config).expect("settings that can be written");
    std::fs::write(folder.join(SETTINGS), text).expect("settings");
    let setup = Arc::new(config.setup().expect("a possible office"));
    let db = Db::open(&data.join("office.db"), store::SCHEMA)
        .expect("a data file")
        .db;
    let now = Clock::System.now();
    let token = db
        .write_blocking(move |c| store::create_token(c, "bench", Role::Supervisor, now))
        .expect("a token");
    std::fs::write(folder.join(STAFF_TOKEN), token).expect("a token");

    let mut past = Past {
        office: Office::new(Arc::clone(&setup)),
        setup,
        asked: 0,
    };
    let days = rows.div_ceil(PAST_DAY * 4);
    for back in (0..=days).rev() {
        let start = now - SignedDuration::from_hours(24 * i64::from(back));
        let (tickets, over) = if back == 0 {
            (today, served)
        } else {
            (PAST_DAY, PAST_DAY)
        };
        past = db
            .write_blocking(move |c| past.day(c, start, tickets, over))
            .expect("a day on the disk");
    }
}

fn config(data: &Path) -> OfficeConfig {
    let identity = Identity {
        id: "quitumbe".into(),
        name: "Quitumbe".into(),
        kind: "Administración Zonal".into(),
        room: "Sala A".into(),
    };
    let queues = QUEUES
        .map(|(id, series)| QueueConfig::new(id, id, series))
        .to_vec();
    let counters = (1..=COUNTERS)
        .map(|number| CounterConfig {
            number,
            serves: vec![queue(u32::from(number)).0],
            then_serves: vec![queue(u32::from(number) + 1).0],
        })
        .collect();
    OfficeConfig {
        // Far above what the crowds take in one day.
        lease_from: 900_000,
        kiosks: vec![KioskConfig {
            id: "k1".into(),
            token_hash: token_hash(KIOSK_TOKEN),
            public_key: None,
        }],
        ..OfficeConfig::new(
            "127.0.0.1:0".parse().expect("an address"),
            data.to_owned(),
            identity,
            queues,
            counters,
        )
    }
}

fn queue(n: u32) -> QueueId {
    QueueId::from(QUEUES[n as usize % QUEUES.len()].0)
}

struct Past {
    office: Office,
    setup: Arc<OfficeSetup>,
    asked: u64,
}

impl Past {
    /// One day in one transaction: every ticket is issued, and the first `over` are called, attended and finished.
    fn day(
        mut self,
        c: &rusqlite::Connection,
        start: Timestamp,
        tickets: u32,
        over: u32,
    ) -> Result<Self, StoreError> {
        for number in 1..=ATTENDING {
            self.act(c, start, &Command::Open(CounterNumber(number)))?;
        }
        for n in 0..tickets {
            let wish = Issue {
                id: None,
                queue: queue(n),
                lane: if n.is_multiple_of(5) {
                    Lane::Priority
                } else {
                    Lane::General
                },
                kiosk: Some(KioskId("k1".into())),
                submission: None,
                leased: None,
                replaces: None,
                slot: None,
            };
            self.act(c, start, &Command::Issue(wish))?;
            if n < over {
                // The one of the twenty whose first queue this is.
                let counter = match u16::try_from(n % u32::from(ATTENDING)).unwrap_or(0) {
                    0 => CounterNumber(ATTENDING),
                    n => CounterNumber(n),
                };
                self.act(c, start, &Command::Next(counter))?;
                self.act(c, start, &Command::Start(counter))?;
                self.act(
                    c,
                    start,
                    &Command::Finish {
                        counter,
                        result: None,
                    },
                )?;
            }
        }
        debug_assert_eq!(self.office.date(), Some(self.setup.date_of(start)));
        Ok(self)
    }

    fn act(&mut self, c: &rusqlite::Connection, now: Timestamp, command: &Command) -> Result<(), StoreError> {
        self.asked += 1;
        let key = matches!(command, Command::Issue(_)).then(|| format!("history-{:012}", self.asked));
        let order = Order {
            moment: Moment {
                now,
                random: clock::random(),
            },
            cause: key.clone(),
            who: Some("bench".into()),
        };
        let handled = self.office.handle(command, &order);
        assert!(handled.outcome.is_ok(), "{command:?}: {:?}", handled.outcome);
        store::append(c, &handled.events)?;
        for event in &handled.events {
            match event.ticket.map(|id| (id, self.office.ticket(id))) {
                Some((_, Some(ticket))) => store::project(c, ticket)?,
                Some((id, None)) => store::expire(c, id, event.at)?,
                None => {}
            }
        }
        if let Some(key) = key {
            let answer = store::Answer {
                request: "issue".into(),
                ticket: None,
                body: "{}".into(),
            };
            store::keep_answer(c, &key, &answer, now)?;
        }
        Ok(())
    }
}
