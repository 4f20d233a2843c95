//! What is handed on, to a server that misbehaves in every way that is known of such servers.

mod fake;

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use jiff::SignedDuration;

use super::*;
use crate::clock::random;
use crate::domain::desk::CentralEvent;
use crate::domain::id::{Moment, SubmissionId};
use crate::domain::seal::{OpeningKey, Role, SigningKey, seal};
use crate::domain::submission::peers::{Arrival, Delivery};
use crate::domain::submission::tests::header;
use crate::domain::submission::transit::State;
use crate::domain::submission::{Attachment, Content, Item};
use crate::store::{Db, chain, desk};
use fake::{Asks, Fake, Turn};

const SECRET: &str = "Quishpe";

struct House {
    store: Municipal,
    clock: Clock,
    key: OpeningKey,
}

impl House {
    fn new() -> Self {
        Self {
            store: Municipal::Sqlite(Db::memory(crate::store::central::SCHEMA).expect("opens").db),
            clock: Clock::manual("2026-11-24T14:00:00Z".parse().expect("time")),
            key: OpeningKey::generate(&[8; 32]),
        }
    }

    /// One on a file, and one on PostgreSQL where a server is given.
    async fn on_both() -> Vec<Self> {
        let mut houses = vec![Self::new()];
        if let Some(url) = crate::store::postgres::test_tables().await {
            let mut house = Self::new();
            let server = crate::store::postgres::Postgres::open(&url, house.clock.now()).await;
            house.store = Municipal::Postgres(server.expect("opens"));
            let begun = crate::app::central::begin_log(&house.store, house.clock.now()).await;
            begun.expect("begins");
            houses.push(house);
        }
        houses
    }

    fn courier(&self, fake: &Fake) -> Courier {
        let mut courier = Courier::new(
            "odk",
            None,
            fake.server(&self.clock),
            self.store.clone(),
            self.clock.clone(),
        );
        // The longest pause, so that what follows a failure is known.
        courier.dice = Box::new(|| u64::MAX - 1);
        courier
    }

    /// Hands one in with attachments of these lengths; its id.
    async fn arrives(&self, form: &str, files: &[usize]) -> String {
        let moment = Moment {
            now: self.clock.now(),
            random: random(),
        };
        let mut header = header(1);
        header.submission_id = SubmissionId::new(moment);
        header.outbox_epoch = header.submission_id.to_string();
        header.form_id = form.to_owned();
        header.procedure = form.to_owned();
        let id = header.submission_id.to_string();
        let content = Content {
            v: 1,
            form_id: form.to_owned(),
            form_version: "3".into(),
            procedure_name: "P".into(),
            language: "es".into(),
            instance_xml: Redacted::new(instance(form, &id)),
            answers: vec![],
            result: None,
            consents: vec![],
            attachments: (0..)
                .zip(files)
                .map(|(n, size)| Attachment::of_bytes(format!("f{n}.bin"), "image/png", &vec![n; *size]))
                .collect(),
        };
        let to = [self.key.recipient(Role::Municipality)];
        let envelope = seal(&content.to_bytes(), &header, &to, &random()).expect("sealed");
        let device = SigningKey::generate(&[7; 32]);
        let arrival = Arrival {
            deliveries: vec![Delivery {
                item: Item::sign(header.submission_id, envelope, &device),
                header,
                sender: "hub".into(),
            }],
            last_word: None,
        };
        self.store
            .keep(arrival, &device, self.clock.now())
            .await
            .expect("kept");
        id
    }

    async fn pass(&self, courier: &mut Courier) -> Pass {
        courier.pass(Some(&self.key)).await.expect("the store answers")
    }

    /// Passes until there is nothing to do at once.
    async fn settled(&self, courier: &mut Courier) {
        while self.pass(courier).await == Pass::More {}
    }

    async fn state(&self, id: &str) -> Option<State> {
        let id = id.to_owned();
        self.store
            .look(move |sql| rows::state(sql, "odk", &id))
            .await
            .expect("read")
    }

    async fn counts(&self) -> rows::OnwardCounts {
        self.store
            .look(|sql| rows::counts(sql, "odk"))
            .await
            .expect("read")
    }

    async fn why(&self) -> String {
        self.counts()
            .await
            .rows
            .first()
            .map(|row| row.why.clone())
            .unwrap_or_default()
    }

    fn later(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }
}

fn instance(form: &str, id: &str) -> String {
    format!(
        "<?xml version='1.0' ?><data id=\"{form}\" version=\"3\"><n>{SECRET}</n><meta><instanceID>uuid:{id}</instanceID></meta></data>"
    )
}

#[tokio::test]
async fn what_was_confirmed_is_handed_on_once_and_byte_for_byte() {
    for house in House::on_both().await {
        let fake = Fake::start(&["residencia"]).await;
        let id = house.arrives("residencia", &[300, 20]).await;
        let mut courier = house.courier(&fake);
        house.settled(&mut courier).await;
        assert_eq!(house.state(&id).await, Some(State::Received));
        let kept = fake.kept(&format!("uuid:{id}")).expect("kept");
        assert_eq!(kept.xml, instance("residencia", &id));
        let files: Vec<(&str, usize)> = kept
            .files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.len()))
            .collect();
        assert_eq!(files, [("f0.bin", 300), ("f1.bin", 20)]);
        let posts = fake.posts.load(Ordering::SeqCst);
        house.later(120);
        house.settled(&mut courier).await;
        assert_eq!(fake.posts.load(Ordering::SeqCst), posts, "nothing again");
        let entries = house
            .store
            .look(|sql| chain::entries(sql, 0, 50))
            .await
            .expect("read");
        let events: Vec<_> = entries
            .iter()
            .filter(|entry| entry.event.contains("handed_on"))
            .collect();
        assert_eq!(events.len(), 1);
        let event: CentralEvent = serde_json::from_str(&events[0].event).expect("an event");
        assert_eq!(
            event,
            CentralEvent::HandedOn {
                submission: id,
                destination: "odk".into()
            }
        );
    }
}

#[tokio::test]
async fn without_the_key_everything_waits_and_is_counted() {
    let (house, fake) = (House::new(), Fake::start(&["residencia"]).await);
    let id = house.arrives("residencia", &[]).await;
    let mut courier = house.courier(&fake);
    courier.pass(None).await.expect("passes");
    assert_eq!(house.state(&id).await, Some(State::Queued));
    assert!(courier.line.locked && fake.requests.load(Ordering::SeqCst) == 0);
    house.settled(&mut courier).await;
    assert_eq!(house.state(&id).await, Some(State::Received));
    assert!(!courier.line.locked);
}

#[tokio::test]
async fn whatever_is_no_clear_yes_is_tried_again_and_kept_once() {
    for (turn, line) in [
        (Turn::Login, LineState::Foreign),
        (Turn::Say(200), LineState::Foreign),
        (Turn::Redirect, LineState::Foreign),
        (Turn::Cut, LineState::Down),
        (Turn::KeepAndCut, LineState::Down),
        (Turn::KeepAndSay(500), LineState::Busy),
        (Turn::Busy(86_400), LineState::Busy),
        (Turn::Say(402), LineState::Busy),
        (Turn::Say(408), LineState::Busy),
        (Turn::Say(423), LineState::Busy),
        (Turn::Say(425), LineState::Busy),
        (Turn::Say(429), LineState::Busy),
        (Turn::Say(502), LineState::Busy),
        (Turn::Say(401), LineState::Refused),
        (Turn::Say(403), LineState::Refused),
        (Turn::OtherDigest, LineState::Foreign),
    ] {
        let (house, fake) = (House::new(), Fake::start(&["residencia"]).await);
        let id = house.arrives("residencia", &[10]).await;
        let second = house.arrives("residencia", &[]).await;
        let mut courier = house.courier(&fake);
        fake.next([turn]);
        let Pass::Wait(until) = house.pass(&mut courier).await else {
            panic!("{turn:?}: pauses");
        };
        assert_eq!(courier.line.state, line, "{turn:?}");
        assert_eq!(house.state(&id).await, Some(State::Queued), "{turn:?}");
        let wait = until.duration_since(house.clock.now());
        assert!(
            wait > SignedDuration::ZERO && wait <= SignedDuration::from_hours(1),
            "{turn:?}: {wait}"
        );
        let posts = fake.posts.load(Ordering::SeqCst);
        house.pass(&mut courier).await;
        assert_eq!(
            fake.posts.load(Ordering::SeqCst),
            posts,
            "{turn:?}: not in the pause"
        );
        house.later(61);
        house.settled(&mut courier).await;
        for id in [&id, &second] {
            assert_eq!(house.state(id).await, Some(State::Received), "{turn:?}");
            assert!(fake.kept(&format!("uuid:{id}")).is_some(), "{turn:?}");
        }
        assert_eq!(fake.rows(), 2, "{turn:?}: each once");
    }
}

#[tokio::test]
async fn nothing_is_posted_before_the_server_is_the_server() {
    for turn in [
        Turn::Say(200),
        Turn::Login,
        Turn::Redirect,
        Turn::Say(404),
        Turn::Busy(5),
        Turn::Cut,
    ] {
        let (house, fake) = (House::new(), Fake::start(&["residencia"]).await);
        let id = house.arrives("residencia", &[]).await;
        let mut courier = house.courier(&fake);
        fake.next_head([turn]);
        assert!(
            matches!(house.pass(&mut courier).await, Pass::Wait(_)),
            "{turn:?}"
        );
        assert_eq!(fake.posts.load(Ordering::SeqCst), 0, "{turn:?}");
        house.later(61);
        house.settled(&mut courier).await;
        assert_eq!(house.state(&id).await, Some(State::Received), "{turn:?}");
    }
    let (house, fake) = (House::new(), Fake::start(&["residencia"]).await);
    house.arrives("residencia", &[]).await;
    fake.next_list([Turn::Login]);
    let mut courier = house.courier(&fake);
    house.pass(&mut courier).await;
    assert_eq!(
        (courier.line.state, courier.line.why.as_deref()),
        (LineState::Foreign, Some("no_form_list"))
    );
    assert_eq!(fake.posts.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_closed_form_holds_up_nobody_and_goes_on_when_it_is_listed_again() {
    for status in [404, 405, 410] {
        let (house, fake) = (House::new(), Fake::start(&["residencia", "luae"]).await);
        let (held, other) = (
            house.arrives("residencia", &[]).await,
            house.arrives("luae", &[]).await,
        );
        let mut courier = house.courier(&fake);
        fake.next([Turn::Say(status)]);
        house.settled(&mut courier).await;
        assert_eq!(house.state(&held).await, Some(State::Dead), "{status}");
        assert_eq!(house.state(&other).await, Some(State::Received), "{status}");
        let counts = house.counts().await;
        assert_eq!((counts.held, counts.stuck), (1, 0));
        house.later(61);
        house.settled(&mut courier).await;
        assert_eq!(house.state(&held).await, Some(State::Received), "{status}");
    }
}

#[tokio::test]
async fn a_form_that_is_not_listed_is_not_posted_to_anybody() {
    for house in House::on_both().await {
        let fake = Fake::start(&["luae"]).await;
        let id = house.arrives("residencia", &[]).await;
        let mut courier = house.courier(&fake);
        house.settled(&mut courier).await;
        assert_eq!(
            (house.state(&id).await, fake.posts.load(Ordering::SeqCst)),
            (Some(State::Dead), 0)
        );
        fake.lists(&["luae", "residencia"]);
        house.later(61);
        house.settled(&mut courier).await;
        assert_eq!(house.state(&id).await, Some(State::Received));
    }
}

#[tokio::test]
async fn what_is_refused_for_good_waits_for_a_person() {
    for status in [400, 413, 415, 422] {
        let (house, fake) = (House::new(), Fake::start(&["residencia"]).await);
        let (bad, good) = (
            house.arrives("residencia", &[]).await,
            house.arrives("residencia", &[]).await,
        );
        let mut courier = house.courier(&fake);
        fake.next([Turn::Say(status)]);
        house.settled(&mut courier).await;
        assert_eq!(house.state(&bad).await, Some(State::Dead), "{status}");
        assert_eq!(house.state(&good).await, Some(State::Received), "{status}");
        assert_eq!(house.why().await, format!("status_{status}"));
        house.later(61);
        house.settled(&mut courier).await;
        assert_eq!(
            house.state(&bad).await,
            Some(State::Dead),
            "{status}: not by itself"
        );
        let now = house.clock.now();
        let revive = house.store.change(move |sql| rows::revive(sql, "odk", None, now));
        assert_eq!(revive.await.expect("written"), 1);
        house.settled(&mut courier).await;
        assert_eq!(house.state(&bad).await, Some(State::Received), "{status}");
    }
}

#[tokio::test]
async fn a_conflict_is_looked_up_before_it_is_believed() {
    for (there, state, why) in [
        (Some("same"), State::Received, ""),
        (Some("other"), State::Dead, "conflict"),
        (None, State::Dead, rows::FORM_CLOSED),
    ] {
        let (house, fake) = (House::new(), Fake::start(&["residencia"]).await);
        let id = house.arrives("residencia", &[]).await;
        if let Some(there) = there {
            let xml = instance("residencia", &id);
            let xml = if there == "same" {
                xml
            } else {
                xml.replace(SECRET, "Otro")
            };
            fake.put(&format!("uuid:{id}"), &xml);
        }
        fake.next([Turn::Say(409)]);
        let mut courier = house.courier(&fake);
        house.settled(&mut courier).await;
        assert_eq!(
            (house.state(&id).await, house.why().await.as_str()),
            (Some(state), why),
            "{there:?}"
        );
    }
    // A server that cannot be asked, and our own, which says it at once.
    for (turn, why) in [(Turn::Say(409), "unclear"), (Turn::OwnConflict, "conflict")] {
        let (house, fake) = (House::new(), Fake::start(&["residencia"]).await);
        fake.cannot_be_asked();
        house.arrives("residencia", &[]).await;
        fake.next([turn]);
        house.settled(&mut house.courier(&fake)).await;
        assert_eq!(house.why().await, why);
    }
}

#[tokio::test]
async fn files_travel_under_the_advertised_length_and_go_on_where_they_stopped() {
    for house in House::on_both().await {
        let fake = Fake::start(&["residencia"]).await;
        fake.takes(18_000);
        let id = house.arrives("residencia", &[9_000, 100, 12_000, 8_000]).await;
        let mut courier = house.courier(&fake);
        // The second request is lost after the server kept it.
        fake.next([Turn::Keep, Turn::KeepAndCut]);
        house.pass(&mut courier).await;
        assert_eq!(house.state(&id).await, Some(State::Queued));
        let first = fake.log();
        assert_eq!(first[0].files, ["f1.bin", "f3.bin"], "small ones first");
        assert!(
            first.iter().all(|post| post.incomplete),
            "more follows: {first:?}"
        );
        house.later(61);
        house.settled(&mut courier).await;
        assert_eq!(house.state(&id).await, Some(State::Received));
        let log = fake.log();
        let again: Vec<_> = log[first.len()..].iter().map(|post| post.files.clone()).collect();
        assert_eq!(
            again,
            [vec!["f0.bin".to_owned()], vec!["f2.bin".to_owned()]],
            "what was acknowledged stays there"
        );
        assert!(log.iter().all(|post| post.length <= 18_000), "{log:?}");
        let last = log.last().expect("a post");
        assert!(!last.incomplete && log.iter().all(|post| post.xml == last.xml));
        let kept = fake.kept(&format!("uuid:{id}")).expect("kept");
        assert_eq!(kept.files.keys().cloned().collect::<BTreeSet<_>>().len(), 4);
    }
}

#[tokio::test]
async fn a_server_that_takes_less_than_it_says_gets_less() {
    let (house, fake) = (House::new(), Fake::start(&["residencia"]).await);
    let id = house.arrives("residencia", &[9_000, 9_000, 9_000, 9_000]).await;
    fake.takes(70_000);
    fake.next([Turn::Say(413)]);
    house.settled(&mut house.courier(&fake)).await;
    assert_eq!(house.state(&id).await, Some(State::Received));
    let sizes: Vec<usize> = fake.log().iter().map(|post| post.files.len()).collect();
    assert_eq!(sizes, [4, 3, 1]);
    let (house, fake) = (House::new(), Fake::start(&["residencia"]).await);
    house.arrives("residencia", &[50_000]).await;
    fake.takes(40_000);
    house.settled(&mut house.courier(&fake)).await;
    assert_eq!(
        (house.why().await.as_str(), fake.posts.load(Ordering::SeqCst)),
        ("too_large", 0)
    );
}

#[tokio::test]
async fn basic_and_digest_are_answered_and_a_wrong_password_pauses_everything() {
    for asks in [Asks::Basic, Asks::Digest] {
        let (house, fake) = (House::new(), Fake::start(&["residencia"]).await);
        fake.asks(asks);
        let ids = [
            house.arrives("residencia", &[10]).await,
            house.arrives("residencia", &[]).await,
        ];
        let mut courier = house.courier(&fake);
        house.settled(&mut courier).await;
        for id in &ids {
            assert_eq!(house.state(id).await, Some(State::Received), "{asks:?}");
        }
        assert_eq!(
            fake.posts.load(Ordering::SeqCst),
            2,
            "{asks:?}: no body is sent in vain"
        );
        fake.changes_password();
        let id = house.arrives("residencia", &[]).await;
        house.pass(&mut courier).await;
        assert_eq!(
            (courier.line.state, house.state(&id).await),
            (LineState::Refused, Some(State::Queued))
        );
    }
}

#[tokio::test]
async fn a_form_with_a_public_key_gets_what_only_its_owner_reads() {
    let (house, fake) = (House::new(), Fake::start(&["residencia"]).await);
    fake.encrypts(crate::domain::openrosa::sealed::tests::PUBLIC);
    let id = house.arrives("residencia", &[40]).await;
    let mut courier = house.courier(&fake);
    fake.next([Turn::KeepAndCut]);
    house.pass(&mut courier).await;
    house.later(61);
    house.settled(&mut courier).await;
    assert_eq!(house.state(&id).await, Some(State::Received));
    assert_eq!(fake.rows(), 1, "the repeat had the same bytes");
    let kept = fake.kept(&format!("uuid:{id}")).expect("kept");
    assert!(kept.xml.contains("encrypted=\"yes\"") && !kept.xml.contains(SECRET));
    let names: Vec<&str> = kept.files.keys().map(String::as_str).collect();
    assert_eq!(names, ["f0.bin.enc", "submission.xml.enc"]);
    for bytes in kept.files.values() {
        assert!(!String::from_utf8_lossy(bytes).contains(SECRET));
    }
    let (house, fake) = (House::new(), Fake::start(&["residencia"]).await);
    fake.encrypts("bm8ga2V5");
    house.arrives("residencia", &[]).await;
    house.settled(&mut house.courier(&fake)).await;
    assert_eq!(
        (house.why().await.as_str(), fake.posts.load(Ordering::SeqCst)),
        ("bad_form_key", 0)
    );
}

#[tokio::test]
async fn what_cannot_be_handed_on_is_said_and_not_sent() {
    let (house, fake) = (House::new(), Fake::start(&["residencia"]).await);
    let id = house.arrives("residencia", &[]).await;
    let (now, which) = (house.clock.now(), id.clone());
    house
        .store
        .change(move |sql| desk::erase(sql, &which, now))
        .await
        .expect("erased");
    let mut courier = house.courier(&fake);
    house.settled(&mut courier).await;
    assert_eq!(
        (house.why().await.as_str(), fake.posts.load(Ordering::SeqCst)),
        ("erased", 0)
    );
    let other = OpeningKey::generate(&[9; 32]);
    house.arrives("residencia", &[]).await;
    while courier.pass(Some(&other)).await.expect("passes") == Pass::More {}
    assert!(
        house
            .counts()
            .await
            .rows
            .iter()
            .any(|row| row.why == "cannot_open")
    );
    assert_eq!(fake.posts.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_a_dead_process_left_on_the_line_goes_on_after_its_lease() {
    for house in House::on_both().await {
        let fake = Fake::start(&["residencia"]).await;
        let id = house.arrives("residencia", &[]).await;
        let now = house.clock.now();
        let dead = house.store.change(move |sql| {
            rows::feed(sql, "odk", None, 10, now)?;
            rows::take(sql, "odk", now)
        });
        assert!(dead.await.expect("taken").is_some());
        let mut courier = house.courier(&fake);
        house.settled(&mut courier).await;
        assert_eq!(
            house.state(&id).await,
            Some(State::Inflight),
            "somebody may have it"
        );
        house.later(11);
        house.settled(&mut courier).await;
        assert_eq!(house.state(&id).await, Some(State::Received));
    }
}

#[tokio::test]
async fn only_the_procedures_of_the_settings_go() {
    let (house, fake) = (House::new(), Fake::start(&["residencia", "luae"]).await);
    let (yes, no) = (
        house.arrives("residencia", &[]).await,
        house.arrives("luae", &[]).await,
    );
    let only = Some(vec!["residencia".to_owned()]);
    let mut courier = Courier::new(
        "odk",
        only,
        fake.server(&house.clock),
        house.store.clone(),
        house.clock.clone(),
    );
    house.settled(&mut courier).await;
    assert_eq!(
        (house.state(&yes).await, house.state(&no).await),
        (Some(State::Received), None)
    );
}

#[test]
fn settings_that_would_leak_or_mean_nothing_are_refused_without_the_address() {
    let config = |url: &str| OnwardConfig {
        name: "odk".into(),
        url: Some(url.to_owned()),
        url_file: None,
        user: None,
        password_file: None,
        authority: None,
        lookup: None,
        procedures: None,
    };
    let clock = Clock::manual(Timestamp::UNIX_EPOCH);
    assert!(server(&config("https://odk.example/v1/projects/1"), clock.clone()).is_ok());
    for bad in [
        "http://odk.example/v1/key/TOKEN",
        "ftp://odk.example/TOKEN",
        "TOKEN",
    ] {
        let said = server(&config(bad), clock.clone())
            .expect_err("refused")
            .to_string();
        assert!(said.contains("odk") && !said.contains("TOKEN"), "{said}");
    }
    let mut half = config("https://odk.example");
    half.user = Some("ana".into());
    assert!(server(&half, clock.clone()).is_err());
    half.user = None;
    half.name = "ODK Central".into();
    assert!(server(&half, clock).is_err());
}
