//! Hands submissions on to one OpenRosa server, one after the other, for ever.
//!
//! A submission is opened when it is sent and never kept in the clear; that it was opened is on record before. Whatever
//! is sent twice has the same bytes. Trouble of the line or the server makes everything wait; trouble of one
//! submission or one form holds up nobody else. Begin at [`Courier::pass`].

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use tracing::{info, warn};

use super::OnwardLine;
use crate::app::central::CENTRAL;
use crate::clock::{Clock, random};
use crate::domain::desk::CentralEvent;
use crate::domain::id::SubmissionId;
use crate::domain::openrosa::sealed::{FormKey, seal};
use crate::domain::openrosa::{Parcel, form_key};
use crate::domain::seal::{OpeningKey, hex, open};
use crate::domain::submission::Content;
use crate::store::municipal::Municipal;
use crate::store::onward::{self as rows, FORM_CLOSED, Handed, OnwardRow};
use crate::store::{StoreError, chain};
use crate::sync::openrosa::Server;
use crate::sync::openrosa::list::FormEntry;
use crate::sync::openrosa::plan::{Meaning, Trouble, read_post, spread};
use crate::sync::plan::{Delays, LineState};

/// How long to wait for a server of somebody else: longer than for our own, for it serves others too.
const DELAYS: Delays = Delays {
    base: SignedDuration::from_secs(30),
    cap: SignedDuration::from_mins(30),
    asked_max: SignedDuration::from_hours(1),
    heartbeat: SignedDuration::from_mins(1),
};
/// How long the list of forms is believed; a form that was opened again is found within it.
const FORMS_STAY: SignedDuration = SignedDuration::from_hours(1);
/// How many submissions are looked at to be put into the queue at once.
const FEED: u32 = 500;
/// How many are handed on before others get a turn.
const AT_ONCE: usize = 50;
/// No server takes less than this; below it, halving ends.
const LENGTH_MIN: usize = 16 * 1024;

/// What a pass came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// There may be more at once.
    More,
    /// Nothing to do until then, or until something arrives.
    Wait(Timestamp),
}

/// Why a pass ended early.
enum Stopped {
    Line(Trouble),
    Store(StoreError),
}

impl From<Trouble> for Stopped {
    fn from(trouble: Trouble) -> Self {
        Self::Line(trouble)
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Who hands on to one server.
pub struct Courier {
    name: String,
    procedures: Option<Vec<String>>,
    server: Server,
    store: Municipal,
    clock: Clock,
    /// The forms that the server takes, and when it said so.
    forms: Option<(Timestamp, HashMap<String, FormEntry>)>,
    /// The public keys of forms, by the digest of their XML.
    keys: HashMap<(String, String), Option<FormKey>>,
    failures: u32,
    not_before: Option<Timestamp>,
    /// How the line is, for the screens.
    pub line: OnwardLine,
    /// Where chance comes from; a test gives its own.
    pub(super) dice: Box<dyn FnMut() -> u64 + Send + Sync>,
}

impl Courier {
    /// One that has not tried anything yet.
    pub fn new(
        name: &str,
        procedures: Option<Vec<String>>,
        server: Server,
        store: Municipal,
        clock: Clock,
    ) -> Self {
        Self {
            name: name.to_owned(),
            procedures,
            server,
            store,
            clock,
            forms: None,
            keys: HashMap::new(),
            failures: 0,
            not_before: None,
            line: OnwardLine::default(),
            dice: Box::new(|| u64::from_le_bytes(random())),
        }
    }

    /// Puts what arrived into the queue and hands some of it on; without a key it only queues.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn pass(&mut self, key: Option<&OpeningKey>) -> Result<Pass, StoreError> {
        let now = self.clock.now();
        let (name, procedures) = (self.name.clone(), self.procedures.clone());
        let more = self
            .store
            .change(move |sql| rows::feed(sql, &name, procedures.as_deref(), FEED, now))
            .await?;
        let Some(key) = key else {
            self.line.locked = true;
            return Ok(if more { Pass::More } else { self.later(now) });
        };
        self.line.locked = false;
        if let Some(until) = self.paused_until(now) {
            return Ok(Pass::Wait(until));
        }
        match self.hand_some(key).await {
            Ok(true) => Ok(Pass::More),
            Ok(false) if more => Ok(Pass::More),
            Ok(false) => Ok(self.later(now)),
            Err(Stopped::Line(trouble)) => {
                self.failed(&trouble);
                Ok(Pass::Wait(self.not_before.unwrap_or(now)))
            }
            Err(Stopped::Store(error)) => Err(error),
        }
    }

    /// When the next try may be; a clock that was set back must not make a pause of minutes into one of years.
    fn paused_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.not_before
            .filter(|at| *at > now && at.duration_since(now) <= DELAYS.asked_max)
    }

    fn later(&self, now: Timestamp) -> Pass {
        Pass::Wait(now.checked_add(DELAYS.heartbeat).unwrap_or(now))
    }

    fn failed(&mut self, trouble: &Trouble) {
        let now = self.clock.now();
        self.failures = self.failures.saturating_add(1);
        let mut wait = DELAYS.pause(self.failures, (self.dice)());
        if let Some(asked) = trouble.retry_after {
            wait = wait.max(asked.min(DELAYS.asked_max));
        }
        self.not_before = now.checked_add(wait).ok();
        // Whatever the trouble was, the list may have changed by it.
        self.forms = None;
        if self.line.state != trouble.state {
            warn!(destination = %self.name, why = %trouble.why, "nothing can be handed on; it is tried for ever");
        }
        self.line.state = trouble.state;
        self.line.why = Some(trouble.why.clone());
    }

    /// Hands on what is due; whether there may be more.
    async fn hand_some(&mut self, key: &OpeningKey) -> Result<bool, Stopped> {
        let now = self.clock.now();
        self.refresh(now).await?;
        let name = self.name.clone();
        if !self.store.look(move |sql| rows::is_due(sql, &name, now)).await? {
            return Ok(false);
        }
        let ready = self.server.ready().await?;
        for _ in 0..AT_ONCE {
            let Some(row) = self.take().await? else {
                return Ok(false);
            };
            let handed = match self.hand(&row, key, &ready).await {
                Ok(handed) => handed,
                Err(Stopped::Line(trouble)) => {
                    let why = trouble.why.clone();
                    let again = Handed::Again { why };
                    self.settle(&row.id, again).await?;
                    return Err(Stopped::Line(trouble));
                }
                Err(stopped) => return Err(stopped),
            };
            self.settle(&row.id, handed).await?;
        }
        Ok(true)
    }

    async fn take(&self) -> Result<Option<OnwardRow>, StoreError> {
        let (now, name) = (self.clock.now(), self.name.clone());
        self.store
            .change(move |sql| {
                let Some(row) = rows::take(sql, &name, now)? else {
                    return Ok(None);
                };
                let event = CentralEvent::HandedOn {
                    submission: row.id.clone(),
                    destination: name,
                };
                chain::append(sql, now, Some(CENTRAL), None, &event)?;
                Ok(Some(row))
            })
            .await
    }

    async fn settle(&mut self, id: &str, handed: Handed) -> Result<(), StoreError> {
        let now = self.clock.now();
        match &handed {
            Handed::Received { .. } => {
                if self.line.state != LineState::Up {
                    info!(destination = %self.name, "submissions are handed on");
                }
                self.failures = 0;
                self.line.state = LineState::Up;
                self.line.why = None;
                self.line.last_received = Some(now);
            }
            Handed::Dead { why } => {
                warn!(destination = %self.name, submission = id, why, "a submission is not handed on");
            }
            Handed::Again { .. } => {}
        }
        let (name, id) = (self.name.clone(), id.to_owned());
        self.store
            .change(move |sql| rows::settle(sql, &name, &id, &handed, now))
            .await
    }

    /// Asks for the list of forms where the one we have is old; what waited for a form of it goes on.
    async fn refresh(&mut self, now: Timestamp) -> Result<(), Stopped> {
        let fresh = |at: &Timestamp| now.duration_since(*at).abs() < FORMS_STAY;
        if self.forms.as_ref().is_some_and(|(at, _)| fresh(at)) {
            return Ok(());
        }
        let list = self.server.forms().await?;
        let ids: BTreeSet<String> = list.iter().map(|entry| entry.id.clone()).collect();
        let name = self.name.clone();
        let reopened = self
            .store
            .change(move |sql| rows::reopen(sql, &name, &ids, now))
            .await?;
        if reopened > 0 {
            info!(destination = %self.name, reopened, "forms are taken again");
        }
        self.forms = Some((
            now,
            list.into_iter().map(|entry| (entry.id.clone(), entry)).collect(),
        ));
        self.failures = 0;
        self.line.state = LineState::Up;
        self.line.why = None;
        Ok(())
    }

    async fn hand(
        &mut self,
        row: &OnwardRow,
        key: &OpeningKey,
        ready: &crate::sync::openrosa::Ready,
    ) -> Result<Handed, Stopped> {
        let parcel = match self.parcel(row, key).await? {
            Ok(parcel) => parcel,
            Err(handed) => return Ok(handed),
        };
        let sizes: Vec<(&str, usize)> = parcel
            .files
            .iter()
            .map(|file| (file.name.as_str(), file.bytes.len()))
            .collect();
        let digest = hex(&Sha256::digest(&parcel.xml));
        let (mut there, mut limit) = (row.there.clone(), ready.length);
        // Each turn either halves the limit or has one request less to make.
        'spread: loop {
            let Some(requests) = spread(parcel.xml.len(), &sizes, &there, limit) else {
                return Ok(dead("too_large"));
            };
            for request in requests {
                let files: Vec<_> = request.files.iter().map(|at| &parcel.files[*at]).collect();
                let posted = self.server.post(ready, &parcel, &files, request.more).await;
                match read_post(posted, files.len(), &digest) {
                    Meaning::Stored { .. } if request.more => {
                        there.extend(files.iter().map(|file| file.name.clone()));
                        self.progress(&row.id, &there).await?;
                    }
                    Meaning::Stored { receipt } => return Ok(Handed::Received { receipt }),
                    Meaning::Line(trouble) => return Err(trouble.into()),
                    Meaning::Held => return Ok(dead(FORM_CLOSED)),
                    Meaning::Unclear => return self.look_up(&parcel).await,
                    Meaning::Conflict => return Ok(dead("conflict")),
                    Meaning::Smaller if limit / 2 >= LENGTH_MIN => {
                        limit /= 2;
                        continue 'spread;
                    }
                    Meaning::Smaller => return Ok(dead("too_large")),
                    Meaning::Refused { why } => return Ok(dead(&why)),
                }
            }
            return Ok(dead("nothing_sent"));
        }
    }

    async fn progress(&self, id: &str, there: &BTreeSet<String>) -> Result<(), StoreError> {
        let (name, id, there, now) = (self.name.clone(), id.to_owned(), there.clone(), self.clock.now());
        self.store
            .change(move |sql| rows::progress(sql, &name, &id, &there, now))
            .await
    }

    /// The submission as this server wants it; or why it does not go.
    async fn parcel(&mut self, row: &OnwardRow, key: &OpeningKey) -> Result<Result<Parcel, Handed>, Stopped> {
        let Ok(id) = row.id.parse::<SubmissionId>() else {
            return Ok(Err(dead("damaged")));
        };
        let sealed = match self.store.sealed(id).await {
            Ok(Some(item)) => item,
            Ok(None) => return Ok(Err(dead("erased"))),
            Err(StoreError::Unreadable { .. }) => return Ok(Err(dead("damaged"))),
            Err(error) => return Err(error.into()),
        };
        let Ok(opened) = open(&sealed.envelope, key) else {
            return Ok(Err(dead("cannot_open")));
        };
        let Some(content) = Content::from_bytes(&opened.plain) else {
            return Ok(Err(dead("unreadable")));
        };
        let plain = match Parcel::of(&content) {
            Ok(parcel) => parcel,
            Err(error) => return Ok(Err(dead(error.word()))),
        };
        let entry = self
            .forms
            .as_ref()
            .and_then(|(_, forms)| forms.get(&plain.form_id))
            .cloned();
        let Some(entry) = entry else {
            return Ok(Err(dead(FORM_CLOSED)));
        };
        // Only the server's own form says whether it wants submissions encrypted, and to whom.
        match self.key_of(&entry).await? {
            Err(handed) => Ok(Err(handed)),
            Ok(None) => Ok(Ok(plain)),
            Ok(Some(to)) => match seal(&plain, &entry.version, &to, &opened.seed) {
                Ok(parcel) => Ok(Ok(parcel)),
                Err(error) => Ok(Err(dead(error.word()))),
            },
        }
    }

    async fn key_of(&mut self, entry: &FormEntry) -> Result<Result<Option<FormKey>, Handed>, Stopped> {
        let known = (entry.id.clone(), entry.hash.clone());
        if let Some(key) = self.keys.get(&known).filter(|_| !entry.hash.is_empty()) {
            return Ok(Ok(key.clone()));
        }
        let form = match self.server.form(entry).await {
            Ok(form) => form,
            // Gone since it was listed.
            Err(trouble) if matches!(trouble.why.as_str(), "status_404" | "status_410") => {
                return Ok(Err(dead(FORM_CLOSED)));
            }
            Err(trouble) => return Err(trouble.into()),
        };
        if crate::domain::openrosa::read(&form).is_none() {
            return Err(Trouble::foreign("no_form").into());
        }
        let key = match form_key(&form).as_deref().map(FormKey::read).transpose() {
            Ok(key) => key,
            Err(error) => return Ok(Err(dead(error.word()))),
        };
        self.keys.insert(known, key.clone());
        Ok(Ok(key))
    }

    /// The server says that something with this id is there, or that the form is closed: it does not say which.
    async fn look_up(&self, parcel: &Parcel) -> Result<Handed, Stopped> {
        if !self.server.can_look_up() {
            return Ok(dead("unclear"));
        }
        match self.server.look_up(parcel).await {
            Ok(Some(found)) if found.trim_ascii() == parcel.xml.trim_ascii() => {
                Ok(Handed::Received { receipt: None })
            }
            Ok(Some(_)) => Ok(dead("conflict")),
            Ok(None) => Ok(dead(FORM_CLOSED)),
            // Whoever may hand in need not be allowed to read.
            Err(trouble) if trouble.state == LineState::Refused => Ok(dead("unclear")),
            Err(trouble) => Err(trouble.into()),
        }
    }
}

fn dead(why: &str) -> Handed {
    Handed::Dead { why: why.to_owned() }
}
