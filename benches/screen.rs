//! The kiosk's screen: from a touch to the frame that answers it, from the start to the first frame, and memory.
//!
//! Prints one line a budget, `budget NAME VALUE LIMIT ok|short`, and exits 0 when it could measure.
//! Run it on a quiet machine: `cargo bench --bench screen`. Where `chromium` is installed, a page with the same
//! question is measured in its kiosk mode in the same minute, and the ratio is printed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ventanilla::domain::id::Moment;
use ventanilla::domain::procedure::{Catalogue, quito};
use ventanilla::domain::search::SearchIndex;
use ventanilla::domain::session::view::{Action, Block, Face, View};
use ventanilla::domain::session::{self, Delays, Input, Session, Setup};
use ventanilla::forms::Form;
use ventanilla::kiosk::run::{Driver, Key, Size};
use ventanilla::kiosk::screen::Screen;

/// So many touches are measured on ordinary screens.
const TOUCHES: usize = 400;
/// And so many answers in the large form.
const ANSWERS: usize = 60;
const CHOICES: usize = 5_000;
const ROWS: usize = 100;
/// The file of the catalogue whose place the large form takes.
const STAND_IN: &str = "denuncia.xlsx";

fn main() {
    let begun = Instant::now();
    let setup = setup();
    let mut kiosk = Kiosk::new(setup.clone());
    kiosk.frame();
    budget("screen_first_frame_ms", ms(begun), 500.0);

    let mut touches = kiosk.ordinary_touches();
    budget(
        "screen_touch_to_frame_p99_ms",
        percentile(&mut touches, 0.99),
        33.0,
    );
    let ours = percentile(&mut touches, 0.5);
    say(&format!(
        "touch to frame, middle of {}: {ours:.1} ms",
        touches.len()
    ));

    let mut kiosk = Kiosk::new(setup);
    let (mut chosen, mut typed) = kiosk.answers_in_a_large_form();
    budget(
        "screen_answer_in_5000_choices_ms",
        percentile(&mut chosen, 0.99),
        100.0,
    );
    budget(
        "screen_answer_beside_100_rows_ms",
        percentile(&mut typed, 0.99),
        100.0,
    );
    budget("screen_memory_mb", memory_mb(), 80.0);

    match chromium_ms() {
        Ok(theirs) => {
            // A page of a browser draws less of itself anew than a screen without a graphics card does.
            say(&format!(
                "the same in chromium: {theirs:.1} ms, {:.2} times ours",
                theirs / ours
            ));
        }
        Err(why) => say(&format!("chromium is not compared: {why}")),
    }
}

/// A citizen with a screen and no shell behind it.
struct Kiosk {
    screen: Screen,
    hand: Hand,
}

struct Hand {
    session: Session,
    now: Timestamp,
    steps: u8,
    shown: std::cell::RefCell<Vec<Input>>,
}

impl Hand {
    fn step(&mut self, input: Input) {
        self.steps = self.steps.wrapping_add(1);
        self.session.step(
            input,
            Moment {
                now: self.now,
                random: [self.steps; 16],
            },
        );
    }
}

impl Driver for Hand {
    fn view(&self) -> View {
        let (view, inputs) = self.session.show(self.now);
        self.shown.replace(inputs);
        view
    }
    fn act(&mut self, action: Action) {
        let input = self.shown.borrow().get(usize::from(action.0)).cloned();
        if let Some(input) = input {
            self.step(input);
        }
    }
    fn typed(&mut self, text: &str) {
        self.step(Input::Typed(text.into()));
    }
    fn key(&mut self, key: Key) {
        self.step(Input::Key(match key {
            Key::Shift => session::Key::Shift,
            Key::Back => session::Key::Back,
            Key::Clear => session::Key::Clear,
            Key::Digits => session::Key::Digits,
        }));
    }
    fn tick(&mut self) {}
    fn inbox(&mut self) -> bool {
        false
    }
}

impl Kiosk {
    fn new(setup: Arc<Setup>) -> Self {
        let now: Timestamp = "2026-11-24T15:08:00Z".parse().expect("time");
        Self {
            screen: Screen::new(Size::PORTRAIT).expect("a screen in memory needs nothing"),
            hand: Hand {
                session: Session::new(setup, now),
                now,
                steps: 0,
                shown: std::cell::RefCell::default(),
            },
        }
    }

    fn frame(&mut self) {
        let view = self.hand.view();
        self.screen.show(&view);
        self.screen.render();
    }

    fn step(&mut self, input: Input) {
        self.hand.step(input);
        self.frame();
    }

    /// Touches the control that begins with these words; milliseconds until its frame is drawn.
    fn touch(&mut self, words: &str) -> f64 {
        let elements = self.screen.elements();
        let one = elements
            .iter()
            .find(|one| {
                let is_it = if words.chars().count() == 1 {
                    one.label == words // a key, not a result that begins with its letter
                } else {
                    one.label.starts_with(words)
                };
                matches!(one.role, "button" | "choice") && one.enabled && is_it
            })
            .unwrap_or_else(|| {
                let there: Vec<&str> = elements.iter().map(|one| one.label.as_str()).collect();
                panic!("«{words}» is not on the screen: {there:?}")
            });
        let (x, y) = (one.x + one.width / 2, one.y + one.height / 2);
        let begun = Instant::now();
        self.screen.tap(x as f32, y as f32);
        self.screen.hand_over(&mut self.hand);
        self.frame();
        ms(begun)
    }

    /// Pages, letters and answers, as citizens touch them.
    fn ordinary_touches(&mut self) -> Vec<f64> {
        let mut times = Vec::new();
        times.push(self.touch("Español"));
        while times.len() < TOUCHES / 2 {
            times.push(self.touch("Buscar"));
            for letter in ["P", "R", "E", "D"] {
                times.push(self.touch(letter));
            }
            for _ in 0..4 {
                times.push(self.touch("Borrar"));
            }
            times.push(self.touch("Atrás"));
        }
        times.push(self.touch("Exoneración por edad"));
        times.push(self.touch("Empezar"));
        while self.hand.view().face == Face::Question && times.len() < TOUCHES {
            let view = self.hand.view();
            let choices = view.blocks.iter().find_map(|block| match block {
                Block::Choices { items, .. } => Some(items.clone()),
                _ => None,
            });
            match choices {
                Some(items) => {
                    while times.len() < TOUCHES {
                        for item in &items {
                            times.push(self.touch(&item.words.text));
                        }
                    }
                }
                None => {
                    for digit in "1714307103".chars() {
                        times.push(self.touch(&digit.to_string()));
                    }
                    times.push(self.touch("Continuar"));
                    if self.hand.view().title == view.title {
                        // No number for this question: another look at it costs as much.
                        times.push(self.touch("Atrás"));
                    }
                }
            }
        }
        times
    }

    /// Choices in a list of 5,000, and amounts beside a repeat of 100 copies.
    fn answers_in_a_large_form(&mut self) -> (Vec<f64>, Vec<f64>) {
        let procedures = self.hand.session.setup().catalogue.procedures();
        let with_form = procedures
            .iter()
            .find(|one| one.form.as_ref().is_some_and(|form| form.as_str() == STAND_IN))
            .map(|one| one.identifier.clone())
            .expect("a procedure has this form");
        self.step(Input::Start(ventanilla::i18n::Language::Spanish));
        self.step(Input::Procedure(with_form));
        self.step(Input::StartForm);
        let mut chosen = Vec::new();
        for at in 0..ANSWERS {
            let words = format!("Provincia {}", at % 4);
            chosen.push(self.touch(&words));
        }
        self.step(Input::Continue);
        self.step(Input::Choose(0));
        self.step(Input::Continue);
        assert_eq!(self.hand.view().title.text, "Todas");
        // The whole list, with all its rows behind it.
        self.step(Input::Choose(2_500));
        self.step(Input::Continue);
        for row in 1..=ROWS {
            self.hand.step(Input::Typed("3".into()));
            self.hand.step(Input::Continue);
            if row < ROWS {
                self.hand.step(Input::AddCopy);
            }
        }
        self.frame();
        let mut typed = Vec::new();
        for at in 0..ANSWERS {
            self.step(Input::OpenCopy(at % ROWS + 1));
            self.step(Input::Typed("1".into()));
            typed.push(self.touch("Continuar"));
            self.step(Input::Back);
            self.frame();
            self.step(Input::Continue);
            // Back to the cards, wherever that led.
            while self.hand.view().keyboard.is_some() {
                self.step(Input::Continue);
            }
        }
        (chosen, typed)
    }
}

fn setup() -> Arc<Setup> {
    let (catalogue, _) = Catalogue::parse(&quito::FILES);
    let forms = quito::FORMS
        .iter()
        .map(|(name, bytes)| {
            let form = if *name == STAND_IN {
                Form::from_xform(&large_form())
            } else {
                Form::from_workbook(name, bytes, &quito::lists())
            };
            let (form, _) = form.unwrap_or_else(|findings| panic!("{}", findings[0]));
            ((*name).to_owned(), Arc::new(form))
        })
        .collect();
    Arc::new(Setup {
        edition: String::new(),
        index: SearchIndex::new(&catalogue),
        catalogue: Arc::new(catalogue),
        forms,
        place: "Quitumbe".into(),
        office_kind: "Administración Zonal".into(),
        kiosk: "2".into(),
        hours: "08:00 a 16:30".into(),
        phone: "1800 510 510".into(),
        landscape: false,
        zone: TimeZone::get("America/Guayaquil").expect("zone"),
        delays: Delays::default(),
        device: "k2".into(),
        technician: None,
    })
}

fn large_form() -> String {
    use std::fmt::Write as _;
    let mut lists = String::from("<instance id=\"parish\"><root>");
    for at in 0..CHOICES {
        let _ = write!(
            lists,
            "<item><name>q{at}</name><label>Parroquia {at}</label><province>p{}</province></item>",
            at % 25
        );
    }
    lists.push_str("</root></instance><instance id=\"province\"><root>");
    for at in 0..25 {
        let _ = write!(
            lists,
            "<item><name>p{at}</name><label>Provincia {at}</label></item>"
        );
    }
    lists.push_str("</root></instance>");
    let row = "<amount/><subtotal/>";
    format!(
        r#"<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" xmlns:jr="http://openrosa.org/javarosa"><h:head><h:title>Big</h:title><model>
<instance><data id="big" version="1"><province/><parish/><whole/><row jr:template="">{row}</row><row>{row}</row><total/><meta><instanceID/></meta></data></instance>{lists}
<bind nodeset="/data/province" type="string"/><bind nodeset="/data/parish" type="string"/><bind nodeset="/data/whole" type="string"/>
<bind nodeset="/data/row/amount" type="int"/><bind nodeset="/data/row/subtotal" type="decimal" calculate="../amount * 12.5"/>
<bind nodeset="/data/total" type="decimal" calculate="sum(/data/row/subtotal)"/>
</model></h:head><h:body>
<select1 ref="/data/province"><label>Provincia</label><itemset nodeset="instance('province')/root/item"><value ref="name"/><label ref="label"/></itemset></select1>
<select1 ref="/data/parish"><label>Parroquia</label><itemset nodeset="instance('parish')/root/item[province = /data/province ]"><value ref="name"/><label ref="label"/></itemset></select1>
<select1 ref="/data/whole"><label>Todas</label><itemset nodeset="instance('parish')/root/item"><value ref="name"/><label ref="label"/></itemset></select1>
<group ref="/data/row"><label>Filas</label><repeat nodeset="/data/row"><input ref="/data/row/amount"><label>Cantidad</label></input></repeat></group>
</h:body></h:html>"#
    )
}

/// The middle of 60 touches on the same question in chromium's kiosk mode.
fn chromium_ms() -> Result<f64, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let profile = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut browser = Command::new("chromium")
        .args([
            "--kiosk",
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--hide-scrollbars",
            "--window-size=1080,1920",
            // Without these the answer waits for the next of 60 frames a second.
            "--disable-frame-rate-limit",
            "--disable-gpu-vsync",
            &format!("--user-data-dir={}", profile.path().display()),
            &format!("http://{address}/"),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("it does not start ({error})"))?;
    let told = listen(&listener, Instant::now() + Duration::from_secs(60), &mut browser);
    // Only the browser that was started here.
    let _ = browser.kill();
    let _ = browser.wait();
    told
}

/// Gives the page and waits for the times that it sends back.
fn listen(listener: &TcpListener, until: Instant, browser: &mut Child) -> Result<f64, String> {
    listener
        .set_nonblocking(true)
        .map_err(|error| error.to_string())?;
    while Instant::now() < until {
        match listener.accept() {
            Ok((stream, _)) => {
                if let Some(mut times) = answer(stream) {
                    return Ok(percentile(&mut times, 0.5));
                }
            }
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
        if let Ok(Some(status)) = browser.try_wait() {
            return Err(format!("it ended ({status})"));
        }
    }
    Err("it did not answer within a minute".into())
}

fn answer(mut stream: TcpStream) -> Option<Vec<f64>> {
    stream.set_nonblocking(false).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let reply = |stream: &mut TcpStream, kind: &str, body: &str| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let _ = stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(body.as_bytes()));
    };
    if line.starts_with("POST") {
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        reply(&mut stream, "text/plain", "");
        let times: Vec<f64> = String::from_utf8(body)
            .ok()?
            .split(',')
            .filter_map(|time| time.parse().ok())
            .collect();
        return Some(times).filter(|times| !times.is_empty());
    }
    reply(
        &mut stream,
        "text/html; charset=utf-8",
        include_str!("screen/page.html"),
    );
    None
}

fn memory_mb() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok())
        .map_or(f64::NAN, |kib| kib / 1024.0)
}

fn ms(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0
}

fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = ((values.len() as f64 * part).ceil() as usize).saturating_sub(1);
    values[at.min(values.len() - 1)]
}

fn budget(name: &str, value: f64, limit: f64) {
    let verdict = if value <= limit { "ok" } else { "short" };
    say(&format!("budget {name} {value:.1} {limit:.0} {verdict}"));
}

#[expect(clippy::print_stdout, reason = "the lines are the result")]
fn say(text: &str) {
    println!("{text}");
}
