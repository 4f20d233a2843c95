//! A newer catalogue reaches a kiosk that serves, by the real routes.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use jiff::SignedDuration;

use super::*;
use crate::app::Stop;
use crate::app::catalogue::{self, Shelf};
use crate::app::kiosk::{Inbox, RunningKiosk, start};
use crate::app::provisioning::Demo;
use crate::clock::{Clock, random};
use crate::config::published::PublishedConfig;
use crate::domain::id::{Moment, SubmissionId};
use crate::domain::procedure::bundle::Manifest;
use crate::domain::procedure::quito;
use crate::domain::redacted::Redacted;
use crate::domain::seal::{OpeningKey, Role, SigningKey, header_of, kids_of};
use crate::domain::session::{Effect, Saved, Session, SubmitRequest};
use crate::domain::submission::peers::{Peer, PeerBook, TokenHash};
use crate::i18n::Language;
use crate::store::{Db, outbox};
use crate::sync::gate::Gate;

/// The first that fits of what the kiosk says.
async fn said<T>(inbox: &Inbox, fits: impl Fn(Input) -> Option<T>) -> T {
    for _ in 0..2000 {
        while let Some(input) = inbox.take() {
            if let Some(found) = fits(input) {
                return found;
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never said");
}

async fn confirm(kiosk: &RunningKiosk, inbox: &Inbox) -> SubmissionId {
    let attempt = SubmissionId::new(Moment {
        now: kiosk.clock.now(),
        random: random(),
    });
    let request = SubmitRequest {
        attempt,
        procedure: kiosk.setup.catalogue.procedures()[0].identifier.clone(),
        form: ("f".to_owned(), "1".to_owned()),
        language: Language::Spanish,
        instance: Redacted::new("<data/>".to_owned()),
        answers: vec![],
        result: None,
        attachments: Vec::new(),
        consents: Vec::new(),
        turn: None,
        resumed: None,
    };
    kiosk
        .effects
        .send(Effect::Submit(Box::new(request)))
        .expect("works");
    said(inbox, |input| {
        matches!(input, Input::Saved(saved) if matches!(*saved, Saved::Submission { .. })).then_some(())
    })
    .await;
    attempt
}

#[tokio::test(flavor = "multi_thread")]
async fn catalogue_and_keys_change_together_and_what_is_queued_stays_what_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let (publisher, city) = (SigningKey::generate(&[1; 32]), OpeningKey::generate(&[9; 32]));
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("publisher.pub"), publisher.verifying().to_text()).expect("written");
    let published = PublishedConfig {
        tenant: "quito".into(),
        keys: vec![at("publisher.pub")],
    };
    let clock = Clock::System;
    // One procedure less than what is built in.
    let files: BTreeMap<String, Vec<u8>> = quito::FILES
        .iter()
        .take(quito::FILES.len() - 1)
        .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
        .collect();
    let manifest = Manifest {
        v: 1,
        tenant: "quito".into(),
        version: 1,
        made_at: clock.now(),
        expires_at: clock.now() + SignedDuration::from_hours(24),
        publishers: vec![publisher.verifying().to_text()],
        recipients: vec![city.recipient(Role::Municipality).to_text()],
        files: BTreeMap::new(),
    };
    let bundle = Bundle::seal(manifest, &files, &publisher).expect("sealed");
    let above = Shelf::new(&at("office"), &published).expect("a shelf");
    above.install(&bundle, clock.now()).expect("published");

    let demo = Demo::prepare(folder.path(), None, false).expect("a set-up");
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = tokio::net::TcpListener::bind(here).await.expect("a port");
    let office = listener.local_addr().expect("an address");
    let mut config = demo.kiosk(here, office, here).expect("settings");
    config.published = Some(published);
    let token = config
        .office
        .as_ref()
        .and_then(|line| line.token_file.clone())
        .expect("a token");
    let token = std::fs::read_to_string(token).expect("read");
    let peer = Peer::with_token("k", "o", TokenHash::of(token.trim()));
    let book = Arc::new(RwLock::new(PeerBook::new(vec![peer])));
    let app = catalogue::routes(above, Gate::new(book, clock.clone()));
    tokio::spawn(async move { axum::serve(listener, app).await });

    let data = config.data.join("kiosk.db");
    let stop = Stop::default();
    let (kiosk, inbox) = start(config, false, clock.clone(), stop.clone())
        .await
        .expect("a kiosk");
    let mut session = Session::new(kiosk.setup.clone(), clock.now());
    let offered = said(&inbox, |input| match input {
        Input::Offered(setup) => Some(setup),
        _ => None,
    })
    .await;
    assert!(offered.catalogue.procedures().len() < kiosk.setup.catalogue.procedures().len());

    // It is ready, and somebody is still at the screen.
    let before = confirm(&kiosk, &inbox).await;
    let moment = Moment {
        now: clock.now(),
        random: random(),
    };
    let effects = session.step(Input::Offered(offered.clone()), moment);
    let [Effect::Adopted { edition }] = &effects[..] else {
        panic!("nobody is there: {effects:?}");
    };
    assert_eq!(
        (edition, &session.setup().edition),
        (&offered.edition, &offered.edition)
    );
    kiosk.effects.send(effects[0].clone()).expect("works");
    let after = confirm(&kiosk, &inbox).await;
    stop.stop();
    kiosk.finished().await;

    let db = Db::open(&data, crate::store::kiosk::SCHEMA).expect("opens").db;
    let kept = |id| {
        let item = db
            .read(move |conn| outbox::find(conn, id))
            .expect("read")
            .expect("queued");
        let header = header_of(&item.envelope).expect("a header");
        (header.catalogue, kids_of(&item.envelope).expect("kids"))
    };
    let (old, new) = (kept(before), kept(after));
    assert!(old.0 != offered.edition && !old.1.contains(&city.kid().to_owned()));
    assert!(new.0 == offered.edition && new.1.contains(&city.kid().to_owned()));
}
