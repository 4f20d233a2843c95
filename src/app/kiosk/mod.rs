//! The kiosk's shell: it seals, commits, prints and asks the office, and tells the session what came of it.
//!
//! The session runs where the screen is and never waits: it hands over [`Effect`]s and finds [`Input`]s in its inbox.
//! Begin at [`start`]; what a confirmation does is in `confirm`.

mod around;
mod confirm;
mod drafts;
mod fleet;
mod help;
mod inbox;
mod offer;
mod orders;
mod papers;
mod payment;
mod press;
mod print;
mod service;
mod setup;
mod turn;
mod usage;

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use tokio::sync::{Notify, mpsc};
use tracing::{error, info, warn};

use super::catalogue::{self, Shelf};
use super::depot::{self, Depot};
use super::diagnose;
use super::fleet::Obedience;
use super::outbox::confirm::Sealer;
use super::outbox::{self, keyfile};
use super::{StartError, Stop};
use crate::clock::{self, Clock};
use crate::config::kiosk::KioskConfig;
use crate::devices::printer::{Printer, Profile};
use crate::domain::id::Moment;
use crate::domain::procedure::bundle::Bundle;
use crate::domain::session::{Effect, Input, Saved, Setup};
use crate::domain::ticket::BusinessDate;
use crate::store::{self, Db};
use crate::sync::office::OfficeClient;

use offer::{Offer, Offers};

pub use fleet::{Stage, TakePicture};
pub use inbox::{Inbox, Outlet, channel};
pub use press::PrinterHealth;
pub use print::Healths;

/// A kiosk that runs, without its screen.
pub struct RunningKiosk {
    /// What the session needs to know.
    pub setup: Arc<Setup>,
    /// Where the session's effects go.
    pub effects: mpsc::UnboundedSender<Effect>,
    /// The clock of the session.
    pub clock: Clock,
    /// How the printers are.
    pub printers: Healths,
    /// What the shell and the screen know of each other.
    pub stage: Stage,
    /// Whether no self-test was made here yet, though there is a technician's door.
    pub first: bool,
    worker: tokio::task::JoinHandle<()>,
}

impl RunningKiosk {
    /// Returns when everything that was begun is finished; the session must be gone by then.
    pub async fn finished(self) {
        drop(self.effects);
        if let Err(problem) = self.worker.await {
            error!(%problem, "the kiosk's worker ended badly");
        }
    }
}

/// Everything the tasks of a kiosk share.
struct Shell {
    config: KioskConfig,
    /// What is offered; asked anew for each act.
    offers: Offers,
    /// The office's zone.
    zone: TimeZone,
    db: Db,
    clock: Clock,
    office: Option<OfficeClient>,
    http: reqwest::Client,
    outlet: Outlet,
    /// What the usual printer can do.
    profile: Profile,
    /// How the printers are.
    printers: print::Healths,
    /// Wakes whoever tells the office of what it does not know.
    news: Notify,
    sender: Option<outbox::Sender>,
    day_cut: SignedDuration,
    /// Since the machine began, when the kiosk did.
    begun: SignedDuration,
    /// Whether a damaged data file was put aside at this start.
    put_aside: bool,
}

impl Shell {
    /// What is offered at this moment.
    fn setup(&self) -> Arc<Setup> {
        Arc::clone(&self.offers.present().setup)
    }

    fn moment(&self) -> Moment {
        Moment {
            now: self.clock.now(),
            random: clock::random(),
        }
    }

    fn business_date(&self) -> String {
        BusinessDate::of(self.clock.now(), &self.zone, self.day_cut).to_string()
    }

    /// What the citizen is called by in the logs: nothing at all. Only the kind of thing that failed.
    fn log_failure(&self, what: &'static str, problem: &store::StoreError) {
        error!(what, %problem, "not saved");
    }
}

/// Starts a kiosk; its screen is the caller's, with the inbox where the session finds what happened.
///
/// # Errors
/// When the data folder, a key, the catalogue or the printer's address is not usable.
pub async fn start(
    config: KioskConfig,
    landscape: bool,
    clock: Clock,
    stop: Stop,
) -> Result<(RunningKiosk, Inbox), StartError> {
    let mut printers = diagnose::printers(&config)
        .map_err(|wrong| StartError::Setup {
            what: "The printer".into(),
            problem: wrong
                .into_iter()
                .map(|check| check.detail)
                .collect::<Vec<_>>()
                .join("; "),
        })?
        .into_iter()
        .map(|(_, spec, profile)| Printer::open(&spec, profile));
    let first = printers.next().expect("the settings have a printer");
    let (profile, second) = (first.profile().clone(), printers.next());
    let opened = Db::open(&config.data.join("kiosk.db"), store::kiosk::SCHEMA)?;
    if let Some(aside) = &opened.quarantined {
        error!(aside = %aside.display(), "the kiosk's data file was damaged and is put aside; a new one was begun");
    }
    let put_aside = opened.quarantined.is_some();
    let now = clock.now();
    let settled = opened
        .db
        .write(move |c| store::kiosk::settle_after_start(c, now))
        .await?;
    let roll_mm = u64::from(config.printing.roll_m) * 1_000;
    let mut press = press::Press::new(opened.db.clone(), clock.clone(), first, roll_mm);
    if let Some(second) = second {
        press = press.with_second(second, roll_mm);
    }
    if settled.interrupted > 0 {
        warn!(
            papers = settled.interrupted,
            "the program stopped while it printed; what became of these papers is not known"
        );
        press.expect_torn_paper();
    }
    let shelf = config
        .published
        .as_ref()
        .map(|published| Shelf::new(&config.data, published))
        .transpose()?;
    let published = shelf.as_ref().and_then(Shelf::installed);
    let setup = Arc::new(setup::read(&config, published.as_ref(), landscape)?);
    let sealer = Sealer {
        device_id: config.id.clone(),
        office: config.place.id.clone(),
        key: keyfile::signing(&config.device_key)?,
        recipients: setup::recipients(&config.recipients, published.as_ref())?,
    };
    let day_cut = SignedDuration::from_hours(i64::from(config.place.day_cut_hour));
    let upstream = config
        .office
        .as_ref()
        .map(|office| setup::upstream(&config, office, &sealer.key, &clock))
        .transpose()?;
    let order_keys = setup::order_keys(config.office.as_ref())?;
    let http = super::http_client(None)?;
    let office = upstream.as_ref().map(|(office, _)| office.clone());
    let mut newer = None;
    let sender = match upstream {
        Some((office, line)) => {
            if let Some(wanted) = depot::of_this_machine() {
                let depot = Depot::new(&config.data);
                depot::follow(office.source(), depot, vec![wanted], stop.clone());
            }
            newer = shelf.map(|shelf| catalogue::follow(office.source(), shelf, clock.clone(), stop.clone()));
            let delays = crate::sync::plan::Delays::default();
            let (sender, _) =
                outbox::Sender::start(opened.db.clone(), line, clock.clone(), stop.clone(), delays);
            Some(sender)
        }
        None => None,
    };
    let above = office.as_ref().map(setup::OfficeLine::fleet);
    let office = office.map(|office| office.client);
    let (outlet, inbox) = inbox::channel();
    let printers = print::Healths::default();
    let shell = Arc::new(Shell {
        config,
        zone: setup.zone.clone(),
        offers: Offers::new(Offer {
            setup: setup.clone(),
            sealer,
        }),
        db: opened.db,
        clock: clock.clone(),
        office,
        http,
        outlet: outlet.clone(),
        profile,
        printers: printers.clone(),
        news: Notify::new(),
        sender,
        day_cut,
        begun: clock.boot(),
        put_aside,
    });
    let stage = Stage::default();
    if let Some(metrics) = &shell.config.metrics {
        let told = shell.clone();
        let text = move || fleet::page(&fleet::report(&told));
        super::metrics::serve(metrics, text, stop.clone()).await?;
    }
    if let Some(above) = above {
        let obedience = Obedience::new(
            shell.db.clone(),
            &shell.config.id,
            shell.offers.present().sealer.key.clone(),
            order_keys,
            clock.clone(),
            fleet::act(stage.clone()),
        );
        let (again, told) = (Arc::new(Notify::new()), stop.clone());
        tokio::spawn(fleet::follow(
            shell.clone(),
            above,
            obedience,
            stage.clone(),
            again,
            told,
        ));
    }
    let (effects, waiting) = mpsc::unbounded_channel();
    let papers = print::start(outlet, press, printers.clone());
    tokio::spawn(around::watch(shell.clone(), stop.clone()));
    tokio::spawn(around::tell(shell.clone(), stop.clone()));
    if let Some(newer) = newer {
        tokio::spawn(take_newer(shell.clone(), newer));
    }
    tokio::spawn(orders::obey(shell.clone(), papers.clone(), stop.clone()));
    let helpers = help::start(shell.clone(), stop.clone());
    // Nobody served here before: the self-test comes first, where there is a technician's door to come back to it.
    let first = setup.technician.is_some() && super::fleet::doctor_state(&shell.config.data).is_none();
    let worker = tokio::spawn(work(shell, papers, helpers, waiting, stop));
    info!(
        procedures = setup.catalogue.procedures().len(),
        forms = setup.forms.len(),
        "kiosk ready"
    );
    Ok((
        RunningKiosk {
            setup,
            effects,
            clock,
            printers,
            stage,
            first,
            worker,
        },
        inbox,
    ))
}

/// Makes ready what is installed while the kiosk serves, until nothing more comes.
async fn take_newer(shell: Arc<Shell>, mut newer: mpsc::Receiver<Bundle>) {
    while let Some(bundle) = newer.recv().await {
        let version = bundle.manifest.version;
        match offer::renew(&shell, bundle).await {
            Ok(()) => info!(
                version,
                "a new catalogue is ready; it serves as soon as nobody is at the screen"
            ),
            Err(problem) => error!(version, %problem, "a new catalogue is not served with"),
        }
    }
}

/// Runs the effects one after the other: there is one citizen.
async fn work(
    shell: Arc<Shell>,
    papers: print::Papers,
    helpers: help::Helpers,
    mut effects: mpsc::UnboundedReceiver<Effect>,
    stop: Stop,
) {
    // What the last act put on paper, for a copy; gone with its citizen.
    let mut last: Option<confirm::Act> = None;
    let mut kept: Option<drafts::KeptPaper> = None;
    while let Some(effect) = effects.recv().await {
        match effect {
            Effect::Submit(request) => {
                let (saved, act) = confirm::submit(&shell, *request).await;
                shell.outlet.post(Input::Saved(Box::new(saved)));
                if let Some(act) = act {
                    papers.print(act.jobs());
                    (last, kept) = (Some(act), None);
                }
            }
            Effect::IssueTurn(wish) => {
                let (saved, act) = confirm::turn_only(&shell, wish).await;
                shell.outlet.post(Input::Saved(Box::new(saved)));
                if let Some(act) = act {
                    papers.print(act.jobs());
                    (last, kept) = (Some(act), None);
                }
            }
            Effect::KeepForm(request) => {
                let (saved, paper) = drafts::keep(&shell, *request).await;
                let is_kept = matches!(saved, Saved::Kept { .. });
                shell.outlet.post(Input::Saved(Box::new(saved)));
                match &paper {
                    Some(paper) => papers.print(vec![paper.job.clone()]),
                    None if is_kept => shell.outlet.post(Input::Printed { ok: false }),
                    None => {}
                }
                (kept, last) = (paper, None);
            }
            Effect::OpenKept { code, digits } => {
                let found = drafts::open(&shell, code, digits).await;
                shell.outlet.post(Input::KeptFound(Box::new(found)));
            }
            Effect::PrintCopy => {
                if let Some(paper) = &kept {
                    match drafts::copy(&shell, paper).await {
                        Ok(job) => papers.print(vec![job]),
                        Err(problem) => {
                            shell.log_failure("copy", &problem);
                            shell.outlet.post(Input::Printed { ok: false });
                        }
                    }
                } else if let Some(act) = &last {
                    match confirm::copy(&shell, act).await {
                        Ok(jobs) => papers.print(jobs),
                        Err(problem) => {
                            shell.log_failure("copy", &problem);
                            shell.outlet.post(Input::Printed { ok: false });
                        }
                    }
                }
            }
            Effect::PrintList { procedure, language } => {
                let ok = match confirm::list(&shell, &procedure, language).await {
                    Ok(job) => papers.print_one(job).await,
                    Err(problem) => {
                        shell.log_failure("list", &problem);
                        false
                    }
                };
                shell.outlet.post(Input::Saved(Box::new(Saved::List { ok })));
            }
            Effect::LookUp { code } => {
                let look = around::look_up(&shell, &code).await;
                shell.outlet.post(Input::Found(Box::new(look)));
            }
            Effect::AskFar { code, digits } => {
                let far = around::how_far(&shell, &code, &digits).await;
                shell.outlet.post(Input::FarFound(Box::new(far)));
            }
            Effect::LookUpTurn { number } => {
                let found = turn::find(&shell, &number).await;
                shell.outlet.post(Input::TurnFound(Box::new(found)));
            }
            Effect::Rejoin {
                request,
                ticket,
                number,
            } => {
                let found = turn::rejoin(&shell, request, ticket, &number).await;
                shell.outlet.post(Input::TurnFound(Box::new(found)));
            }
            // The face that has the voice does it; it never comes here.
            Effect::ReadAloud => {}
            Effect::Service(act) => service::serve(&shell, &papers, &stop, act).await,
            Effect::CallHelp { step } => helpers.call(step),
            Effect::EndHelp => helpers.end(),
            Effect::Count(mark) => usage::count(&shell, mark).await,
            Effect::Rate(mark) => usage::rate(&shell, mark).await,
            Effect::Adopted { edition } => shell.offers.adopt(&edition),
            Effect::Wiped => {
                papers.forget();
                (last, kept) = (None, None);
            }
        }
    }
}
