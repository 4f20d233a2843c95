//! A form on the kiosk's screen while it is being written: load, look, save, look again.
//!
//! It serves on loopback only, keeps nothing and sends nothing: the end of the form shows the XML that would have been
//! sent. Begin with [`run`]; [`Preview`] drives the session.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context;
use axum::Router;
use axum::response::Html;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use clap::Args;
use futures_util::{Stream, StreamExt};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde::Serialize;
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;

use super::{print, procedure, roles};
use crate::app;
use crate::clock::{self, Clock};
use crate::domain::id::Moment;
use crate::domain::procedure::Catalogue;
use crate::domain::search::SearchIndex;
use crate::domain::session::view::{Action, Face, View};
use crate::domain::session::{self, Delays, Effect, Input, NotKept, Saved, Session, Setup};
use crate::domain::sketch::Point;
use crate::forms::{Finding, Form};
use crate::i18n::{self, Language};
use crate::kiosk::run::{Driver, Key, Size};
use crate::kiosk::web::{self, Link};

/// `ventanilla procedure preview …`
#[derive(Args)]
pub(super) struct PreviewArguments {
    /// A workbook (.xlsx, .xls) or an XForm (.xml). Lists in other files stand in the same folder.
    form: PathBuf,
    /// Port of the page on this machine; 0 takes a free one.
    #[arg(long, default_value_t = 7310)]
    port: u16,
    /// Language of the form: es, qu or en.
    #[arg(long, default_value = "es", value_parser = super::demo::language)]
    lang: Language,
    /// Show the screen on its side: 1920 by 1080.
    #[arg(long)]
    landscape: bool,
}

pub(super) fn run(arguments: PreviewArguments) -> anyhow::Result<()> {
    if !arguments.form.is_file() {
        anyhow::bail!(
            "{} is not there; give the path of a workbook or an XForm",
            arguments.form.display()
        );
    }
    let (runtime, stop) = roles::begin()?;
    let (told, notes) = watch::channel(Notes::default());
    let (link, commands, frame) = Link::new();
    let size = if arguments.landscape {
        Size::LANDSCAPE
    } else {
        Size::PORTRAIT
    };
    let routes = web::router(link.clone()).merge(pages(notes, arguments.lang, arguments.landscape));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    let (address, served) = runtime.block_on(async {
        let listener = app::listen(address).await?;
        anyhow::Ok(super::compose::serve(listener, routes, stop.clone()))
    })?;
    let pulled = stop.clone();
    runtime.spawn(async move {
        pulled.stopped().await;
        link.stop();
    });
    print(&format!("preview http://{address}/"));
    print("ready");
    let mut preview = Preview::new(&arguments, Clock::System, told);
    let shown = show(&mut preview, &commands, &frame, size);
    stop.stop();
    runtime
        .block_on(served)
        .context("The page of the preview ended badly")?;
    shown
}

#[cfg(feature = "screen")]
fn show(
    preview: &mut Preview,
    commands: &std::sync::mpsc::Receiver<crate::kiosk::run::Command>,
    frame: &watch::Sender<u64>,
    size: Size,
) -> anyhow::Result<()> {
    crate::kiosk::run::run_web(preview, commands, frame, size).context("The screen cannot be shown")
}

#[cfg(not(feature = "screen"))]
fn show(
    _: &mut Preview,
    _: &std::sync::mpsc::Receiver<crate::kiosk::run::Command>,
    _: &watch::Sender<u64>,
    _: Size,
) -> anyhow::Result<()> {
    anyhow::bail!("This program was built without a screen; build it with the feature `screen`")
}

/// What stands beside the screen.
#[derive(Clone, Debug, Default, Serialize)]
struct Notes {
    /// The form's title, or the name of its file.
    form: String,
    findings: Vec<Note>,
    /// The XML of the form that was filled to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Note {
    severity: String,
    text: String,
}

fn pages(notes: watch::Receiver<Notes>, language: Language, landscape: bool) -> Router {
    let say = |key: &str| i18n::say(language, key);
    let words = serde_json::json!({
        "ok": say("preview-ok"),
        "warnings": say("preview-warnings"),
        "faults": say("preview-faults"),
    });
    let page = include_str!("preview.html")
        .replace("{lang}", language.code())
        .replace("{shape}", if landscape { "wide" } else { "" })
        .replace("{title}", &say("preview-title"))
        .replace("{nothing}", &say("preview-nothing"))
        .replace("{xml}", &say("preview-xml"))
        .replace("{words}", &words.to_string());
    Router::new()
        .route("/", get(move || std::future::ready(Html(page.clone()))))
        .route(
            "/preview/notes",
            get(move || std::future::ready(events(notes.clone()))),
        )
}

fn events(notes: watch::Receiver<Notes>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let told = WatchStream::new(notes)
        .map(|notes| Ok(Event::default().data(serde_json::to_string(&notes).unwrap_or_default())));
    Sse::new(told).keep_alive(KeepAlive::default())
}

/// A catalogue of the one procedure that is looked at.
const HEAD: &str = "title = \"Vista previa\"\ncompiled = \"2026-01-01\"\nsources = \"\"\n\n\
    [[queue]]\nidentifier = \"preview\"\nseries = \"P\"\nname = \"Vista previa\"\n\n[[category]]\nidentifier = \"preview\"\nname = \"Vista previa\"\nicon = \"files\"\nqueues = [\"preview\"]\n";
const PROCEDURE: &str = "thematic_area = \"preview\"\n\n[[procedure]]\nidentifier = \"preview\"\nname = NAME\n\
    short_name = NAME\ndescription = NAME\nhas_competent_authority = \"-\"\nkiosk_mode = \"form\"\n\
    needs_turn = false\nform = \"preview.xlsx\"\nhas_cost = { unconfirmed = true }\n\
    processing_time = { unconfirmed = true }\nhas_input = []\nhas_channel = []\nproduces = { unconfirmed = true }\n\
    source = { url = \"\", scope = \"name_only\" }\n";
const FORM_FILE: &str = "preview.xlsx";

/// Drives the session of a form that may change under it.
struct Preview {
    path: PathBuf,
    language: Language,
    landscape: bool,
    clock: Clock,
    session: Session,
    /// When the file was last written, as far as it was read.
    seen: Option<(SystemTime, u64)>,
    notes: watch::Sender<Notes>,
    shown: std::cell::RefCell<Vec<Input>>,
}

impl Preview {
    fn new(arguments: &PreviewArguments, clock: Clock, notes: watch::Sender<Notes>) -> Self {
        let session = Session::new(setup("", None, arguments.landscape), clock.now());
        let mut preview = Self {
            path: arguments.form.clone(),
            language: arguments.lang,
            landscape: arguments.landscape,
            clock,
            session,
            seen: None,
            notes,
            shown: std::cell::RefCell::default(),
        };
        preview.look();
        preview
    }

    /// Reads the file if it was saved since; true when something else is shown now.
    fn look(&mut self) -> bool {
        let stamp = std::fs::metadata(&self.path)
            .and_then(|about| Ok((about.modified()?, about.len())))
            .ok();
        // A file that is just being exchanged is not there for a moment.
        if stamp.is_none() || stamp == self.seen {
            return false;
        }
        self.seen = stamp;
        match procedure::compile(&self.path) {
            Ok(Ok((form, findings))) => {
                let name = form.title(self.language.code());
                procedure::show(&findings);
                print(&format!("loaded {name}"));
                self.tell(&name, &findings);
                self.open(&name, form);
            }
            Ok(Err(findings)) => {
                procedure::show(&findings);
                print("not loaded; the screen shows the last version without faults");
                let name = file_name(&self.path);
                self.tell(&name, &findings);
            }
            Err(problem) => {
                // Half written, or held by the spreadsheet: another look follows.
                print(&format!("not read: {problem:#}"));
                self.seen = None;
                return false;
            }
        }
        true
    }

    fn tell(&self, name: &str, findings: &[Finding]) {
        self.notes.send_modify(|notes| {
            notes.form = name.to_owned();
            notes.findings = findings
                .iter()
                .map(|finding| Note {
                    severity: if finding.is_error() { "error" } else { "warning" }.to_owned(),
                    text: finding.to_string(),
                })
                .collect();
        });
    }

    /// Shows a form from its start, or where the one before stood.
    fn open(&mut self, name: &str, form: Form) {
        let draft = self.session.draft();
        let comfort = self.session.comfort();
        self.session = Session::new(setup(name, Some(form), self.landscape), self.clock.now());
        self.begin();
        if let Some(draft) = draft {
            self.step(Input::Comfort(comfort));
            self.session.restore(&draft);
        }
    }

    fn begin(&mut self) {
        self.step(Input::Start(self.language));
        let only = self.session.setup().catalogue.procedures().first();
        if let Some(id) = only.map(|one| one.identifier.clone()) {
            self.step(Input::Procedure(id));
            self.step(Input::StartForm);
        }
    }

    fn step(&mut self, input: Input) {
        let moment = Moment {
            now: self.clock.now(),
            random: clock::random(),
        };
        for effect in self.session.step(input, moment) {
            if let Effect::KeepForm(_) = effect {
                // There is no office: the form stays open and says so.
                let not = Input::Saved(Box::new(Saved::NotKept(NotKept::Offline)));
                self.session.step(not, moment);
            } else if let Effect::Submit(request) = effect {
                let xml = request.instance.reveal().clone();
                print(&xml);
                self.notes.send_modify(|notes| notes.instance = Some(xml));
                let ended = Input::Saved(Box::new(Saved::Preview));
                self.session.step(ended, moment);
            }
        }
    }

    /// There is nothing but the form: whatever leads out of it leads to its start.
    fn stay(&mut self) {
        let face = self.session.show(self.clock.now()).0.face;
        if matches!(
            face,
            Face::Attract | Face::Home | Face::Procedure | Face::List | Face::Search
        ) {
            self.begin();
        }
    }

    fn give(&mut self, input: Input) {
        self.step(input);
        self.stay();
    }
}

impl Driver for Preview {
    fn view(&self) -> View {
        let (view, inputs) = self.session.show(self.clock.now());
        self.shown.replace(inputs);
        view
    }

    fn act(&mut self, action: Action) {
        let input = self.shown.borrow().get(usize::from(action.0)).cloned();
        if let Some(input) = input {
            self.give(input);
        }
    }

    fn typed(&mut self, text: &str) {
        self.give(Input::Typed(text.to_owned()));
    }

    fn key(&mut self, key: Key) {
        self.give(Input::Key(match key {
            Key::Shift => session::Key::Shift,
            Key::Back => session::Key::Back,
            Key::Clear => session::Key::Clear,
            Key::Digits => session::Key::Digits,
        }));
    }

    fn drawn(&mut self, stroke: &[Point]) {
        self.give(Input::Stroke(stroke.to_vec()));
    }

    fn tick(&mut self) {
        self.look();
    }

    fn inbox(&mut self) -> bool {
        false
    }
}

fn setup(name: &str, form: Option<Form>, landscape: bool) -> Arc<Setup> {
    let quoted = serde_json::Value::from(if name.is_empty() { "-" } else { name }).to_string();
    let procedure = PROCEDURE.replace("NAME", &quoted);
    let (catalogue, findings) =
        Catalogue::parse(&[("catalogue.toml", HEAD), ("procedures/preview.toml", &procedure)]);
    debug_assert!(findings.is_empty(), "{findings:?}");
    let long = SignedDuration::from_hours(24);
    Arc::new(Setup {
        edition: String::new(),
        index: SearchIndex::new(&catalogue),
        catalogue: Arc::new(catalogue),
        forms: form
            .map(|form| (FORM_FILE.to_owned(), Arc::new(form)))
            .into_iter()
            .collect::<HashMap<_, _>>(),
        place: i18n::say(Language::Spanish, "preview-title"),
        office_kind: name.to_owned(),
        kiosk: "0".into(),
        hours: String::new(),
        phone: String::new(),
        landscape,
        zone: TimeZone::get("America/Guayaquil").unwrap_or(TimeZone::UTC),
        delays: Delays {
            // Nobody is hurried while writing a sheet.
            idle_after: long,
            idle_unlimited: long,
            idle_extended: long,
            ..Delays::default()
        },
        device: String::new(),
        technician: None,
    })
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::session::view::Block;

    fn sheet(question: &str, calculation: &str) -> String {
        format!(
            "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" \
             xmlns:jr=\"http://openrosa.org/javarosa\"><h:head><h:title>Poda</h:title><model><instance>\
             <data id=\"poda\" version=\"1\"><nombre/><calle/><meta><instanceID/></meta></data></instance>\
             <bind nodeset=\"/data/nombre\" type=\"string\"/>\
             <bind nodeset=\"/data/calle\" type=\"string\" relevant=\"{calculation}\"/></model></h:head><h:body>\
             <input ref=\"/data/nombre\"><label>{question}</label></input>\
             <input ref=\"/data/calle\"><label>Su calle</label></input></h:body></h:html>"
        )
    }

    fn typed(preview: &Preview) -> String {
        preview
            .view()
            .blocks
            .iter()
            .find_map(|block| match block {
                Block::Field { value, .. } => Some(value.clone()),
                _ => None,
            })
            .unwrap_or_default()
    }

    #[test]
    fn a_saved_sheet_is_shown_at_once_and_a_broken_one_is_explained() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("poda.xml");
        let save = |text: String| std::fs::write(&path, text).expect("it can be written");
        save(sheet("Su nombre", "true()"));
        let (told, notes) = watch::channel(Notes::default());
        let arguments = PreviewArguments {
            form: path.clone(),
            port: 0,
            lang: Language::Spanish,
            landscape: false,
        };
        let mut preview = Preview::new(&arguments, Clock::System, told);
        assert_eq!(preview.view().title.text, "Su nombre");
        preview.typed("Rosa");
        let on = preview
            .view()
            .primary
            .and_then(|button| button.action)
            .expect("it leads on");
        preview.act(on);
        assert_eq!(preview.view().title.text, "Su calle");
        preview.typed("Bolívar");

        save(sheet("Su nombre", "nonsense()"));
        preview.tick();
        let said = notes.borrow().clone();
        assert!(
            said.findings.iter().any(|one| one.severity == "error"),
            "{said:?}"
        );
        assert_eq!(
            preview.view().title.text,
            "Su calle",
            "the last good version stays"
        );

        save(sheet("Su nombre completo", "true()"));
        preview.tick();
        assert!(notes.borrow().findings.is_empty(), "{:?}", notes.borrow());
        assert_eq!(preview.view().title.text, "Su calle", "and the place in it");
        let back = preview.view().bottom[0].action.expect("it leads back");
        preview.act(back);
        assert_eq!(preview.view().title.text, "Su nombre completo");
        assert_eq!(typed(&preview), "Rosa", "and what was answered");
        let back = preview.view().bottom[0].action.expect("it leads back");
        preview.act(back);
        assert_eq!(
            preview.view().face,
            Face::Question,
            "there is nothing but the form"
        );
    }

    #[test]
    fn the_end_shows_the_xml_and_sends_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("poda.xml");
        std::fs::write(&path, sheet("Su nombre", "false()")).expect("it can be written");
        let (told, notes) = watch::channel(Notes::default());
        let arguments = PreviewArguments {
            form: path,
            port: 0,
            lang: Language::Spanish,
            landscape: false,
        };
        let mut preview = Preview::new(&arguments, Clock::System, told);
        preview.typed("Rosa");
        for input in [
            Input::Continue,
            Input::Continue,
            Input::Consent(0),
            Input::Consent(1),
            Input::Send,
        ] {
            preview.give(input);
        }
        assert_eq!(preview.view().face, Face::Answer);
        let xml = notes.borrow().instance.clone().unwrap_or_default();
        assert!(xml.contains("<nombre>Rosa</nombre>"), "{xml}");
        let on = preview
            .view()
            .primary
            .and_then(|button| button.action)
            .expect("it leads on");
        preview.act(on);
        assert_eq!(preview.view().face, Face::Question);
        assert_eq!(typed(&preview), "");
    }
}
