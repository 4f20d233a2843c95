//! The device's side of being looked after: it says how it is, and does what central may tell it, once.
//!
//! A kiosk and an office share this: [`Obedience`] keeps what was done in the device's own file, so that an order
//! that comes again, also after a restart, is not done again. [`logs`] is what a log has to tell. Begin at
//! [`Obedience::obey`].

pub mod logs;

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};
use uuid::Uuid;

use crate::clock::Clock;
use crate::domain::fleet::order::{
    ATTACHMENT_MAX, Declined, Obeyer, Order, OrderEnd, OrderKind, OrderRefused, OrderResult,
};
use crate::domain::fleet::{DiskState, DoctorState, REPORT_DOMAIN, RESULT_DOMAIN, Report, UpdateState};
use crate::domain::release::is_newer;
use crate::domain::seal::{Signed, SigningKey, VerifyingKey};
use crate::store::{Db, StoreError, obeyed as store};
use crate::sync::fleet::{FleetAnswerWire, ReportWire};

/// How long a device remembers what it did: longer than any order lasts.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Orders of an office may last a month at the most.
const LASTS_MAX: SignedDuration = SignedDuration::from_hours(31 * 24);

/// What came of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acted {
    /// How it ended.
    pub end: OrderEnd,
    /// One word more, or nothing.
    pub detail: &'static str,
    /// What it brings back: `text/plain` or `image/png`.
    pub back: Option<(&'static str, Vec<u8>)>,
    /// Whether the program is to begin again once this is written down.
    pub restart: bool,
}

impl Acted {
    /// It was done.
    pub fn done(detail: &'static str) -> Self {
        Self {
            end: OrderEnd::Done,
            detail,
            back: None,
            restart: false,
        }
    }

    /// It was not done.
    pub fn not(end: OrderEnd, detail: &'static str) -> Self {
        Self {
            end,
            ..Self::done(detail)
        }
    }

    /// It was done and brings something back.
    pub fn with(media: &'static str, bytes: Vec<u8>) -> Self {
        if bytes.len() > ATTACHMENT_MAX {
            return Self::not(OrderEnd::Failed, "too large");
        }
        Self {
            back: Some((media, bytes)),
            ..Self::done("")
        }
    }
}

/// Does an order; it may take as long as it wants.
pub type Act = Arc<dyn Fn(OrderKind) -> BoxFuture<'static, Acted> + Send + Sync>;

/// A device that says how it is and obeys.
#[derive(Clone)]
pub struct Obedience {
    db: Db,
    me: Arc<Obeyer>,
    key: SigningKey,
    clock: Clock,
    act: Act,
}

impl Obedience {
    /// The device `id`, which obeys whoever signs with one of `order_keys`.
    pub fn new(
        db: Db,
        id: &str,
        key: SigningKey,
        order_keys: Vec<VerifyingKey>,
        clock: Clock,
        act: Act,
    ) -> Self {
        Self {
            me: Arc::new(Obeyer {
                device: id.to_owned(),
                kid: key.kid().to_owned(),
                keys: order_keys,
            }),
            db,
            key,
            clock,
            act,
        }
    }

    /// What was begun before the last stop and never ended is over; who is above hears of it.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn begin(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        for id in self.db.read(store::unfinished)? {
            self.finish(id, &Acted::not(OrderEnd::Interrupted, ""), now)
                .await?;
        }
        let before = now.checked_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
        self.db.write(move |c| store::forget(c, before)).await
    }

    /// A report as it travels.
    pub fn report(&self, report: &Report) -> ReportWire {
        ReportWire {
            heard_at: None,
            report: Signed::new(REPORT_DOMAIN, report, &self.key),
        }
    }

    /// Results that central does not have yet.
    pub fn results(&self) -> Vec<Signed> {
        self.db.read(store::untold).unwrap_or_else(|problem| {
            warn!(%problem, "what became of orders cannot be read");
            Vec::new()
        })
    }

    /// Takes an answer in: does what is ordered, and lets go of results that arrived. Whether to begin again now.
    ///
    /// # Errors
    /// When the store does not answer; what was not written down is not done.
    pub async fn obey(&self, answer: FleetAnswerWire) -> Result<bool, StoreError> {
        let taken = answer.taken;
        self.db.write(move |c| store::told(c, &taken)).await?;
        // What is over is over by the clock of whoever is above; ours may be wrong.
        let ahead = answer.server_time.duration_since(self.clock.now());
        let mut restart = false;
        for wire in answer
            .orders
            .into_iter()
            .filter(|wire| wire.device == self.me.device)
        {
            let now = self.clock.now().checked_add(ahead).unwrap_or(answer.server_time);
            restart |= self.obey_one(&wire.order, now).await?;
        }
        Ok(restart)
    }

    async fn obey_one(&self, signed: &Signed, now: Timestamp) -> Result<bool, StoreError> {
        let (id, todo) = match Order::open(signed, &self.me, now) {
            Ok((order, kind)) if order.expires_at.duration_since(order.issued_at) <= LASTS_MAX => {
                (order.id, Ok(kind))
            }
            Ok((order, _)) => (order.id, Err(OrderRefused::Expired)),
            Err(Declined { order: Some(id), why }) => (id, Err(why)),
            Err(Declined { order: None, why }) => {
                warn!(why = why.code(), "an order is not obeyed");
                return Ok(false);
            }
        };
        let (word, at) = (
            todo.as_ref().map_or("refused", |kind| kind.code()),
            self.clock.now(),
        );
        // Written down first: an order that comes again after a cut is not done again.
        if !self.db.write(move |c| store::begin(c, id, word, at)).await? {
            return Ok(false);
        }
        let acted = match todo {
            Ok(kind) => {
                info!(order = %id, kind = kind.code(), "an order of central is done");
                (self.act)(kind).await
            }
            Err(why) => {
                warn!(order = %id, why = why.code(), "an order is not obeyed");
                Acted::not(OrderEnd::Refused, why.code())
            }
        };
        self.finish(id, &acted, self.clock.now()).await?;
        Ok(acted.restart)
    }

    async fn finish(&self, id: Uuid, acted: &Acted, at: Timestamp) -> Result<(), StoreError> {
        let result = OrderResult {
            id,
            device: self.me.device.clone(),
            end: acted.end,
            detail: acted.detail.to_owned(),
            at,
            media: acted.back.as_ref().map(|(media, _)| (*media).to_owned()),
            attachment: acted
                .back
                .as_ref()
                .map(|(_, bytes)| BASE64_STANDARD.encode(bytes)),
        };
        let signed = Signed::new(RESULT_DOMAIN, &result, &self.key);
        self.db.write(move |c| store::finish(c, id, &signed)).await
    }
}

/// Room where `folder` is.
pub fn disk(folder: &Path) -> Option<DiskState> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(DiskState {
        free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
        total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
    })
}

/// Where the updater of an appliance writes how it stands.
pub const UPDATE_STATE: &str = "/var/lib/ventanilla/update/state.json";
/// Name of the file with the last self-test, in a kiosk's data folder.
pub const DOCTOR_STATE: &str = "doctor.json";

/// How the updates of this machine stand; nothing where it is no appliance.
pub fn update_state() -> Option<UpdateState> {
    read_json(Path::new(UPDATE_STATE))
}

/// The same, and whether a version was fetched since the updater looked last.
pub fn update_state_with(data: &Path) -> Option<UpdateState> {
    let mut state = update_state()?;
    let held = super::depot::of_this_machine().and_then(|wanted| {
        super::depot::Depot::new(data)
            .held(&wanted.name, &wanted.keys)
            .ok()
    });
    if let Some(release) = held
        && state.state == "current"
        && is_newer(&release.version, &state.running)
    {
        (state.state, state.offered) = ("fetched".to_owned(), Some(release.version));
    }
    Some(state)
}

/// What the last self-test found, where one was made.
pub fn doctor_state(data: &Path) -> Option<DoctorState> {
    read_json(&data.join(DOCTOR_STATE))
}

/// Keeps what a self-test found, for the fleet view and the technician's screen.
///
/// # Errors
/// When the disk does not work.
pub fn keep_doctor_state(data: &Path, state: &DoctorState) -> std::io::Result<()> {
    let (path, draft) = (data.join(DOCTOR_STATE), data.join("doctor.new"));
    std::fs::create_dir_all(data)?;
    std::fs::write(&draft, serde_json::to_vec(state)?)?;
    std::fs::rename(draft, path)
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// Asks the machine to look for an update now: a file where the image's own unit looks for it.
pub fn ask_for_update() -> Acted {
    let wish = std::env::var_os("RUNTIME_DIRECTORY")
        .filter(|_| update_state().is_some())
        .map(|folder| Path::new(&folder).join(UPDATE_WISH));
    match wish.map(|path| std::fs::write(path, "")) {
        Some(Ok(())) => Acted::done("asked"),
        Some(Err(problem)) => {
            warn!(%problem, "the update cannot be asked for");
            Acted::not(OrderEnd::Failed, "not written")
        }
        None => Acted::not(OrderEnd::Refused, "no appliance"),
    }
}

/// Name of the file, in a role's runtime folder, that asks for an update now.
pub const UPDATE_WISH: &str = "update-now";

/// Begins the program again, where a service manager is there to do so.
pub fn restart() -> Acted {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return Acted::not(OrderEnd::Refused, "no service");
    }
    Acted {
        restart: true,
        ..Acted::done("")
    }
}

/// The newest lines of the log.
pub fn fetch_logs() -> Acted {
    Acted::with("text/plain", logs::text().into_bytes())
}

#[cfg(test)]
mod tests;
