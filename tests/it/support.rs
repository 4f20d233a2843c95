//! Starts the real program on free ports and uses it as people do: by taps, pages and the API.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long anything may take on a busy machine; nothing is asserted about speed here.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program under test.
pub fn ventanilla() -> Command {
    Command::new(env!("CARGO_BIN_EXE_ventanilla"))
}

/// A process that does not outlive its test, however that ends.
struct Guarded(Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        // One that has ended is left alone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running program that printed `ready`.
pub struct Running {
    child: Guarded,
    pub said: HashMap<String, String>,
    log: thread::JoinHandle<String>,
}

impl Running {
    #[track_caller]
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut errors = child.stderr.take().expect("standard error");
        let log = thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            text
        });
        let lines = BufReader::new(child.stdout.take().expect("standard output"));
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut said = HashMap::new();
        loop {
            match receiver.recv_timeout(PATIENCE) {
                Ok(line) if line == "ready" => break,
                Ok(line) => {
                    let (name, value) = line.split_once(' ').unwrap_or((&line, ""));
                    said.insert(name.to_owned(), value.to_owned());
                }
                Err(_) => {
                    let _ = child.kill();
                    panic!("not ready: {said:?}\n{}", log.join().unwrap_or_default());
                }
            }
        }
        Self {
            child: Guarded(child),
            said,
            log,
        }
    }

    /// Stops as a service manager does, and gives the log.
    #[track_caller]
    pub fn stop(mut self) -> String {
        // By system call: a machine with nothing but a toolchain has no `kill` program.
        rustix::process::kill_process(self.pid(), rustix::process::Signal::TERM).expect("SIGTERM");
        let status = self.child.0.wait().expect("an exit");
        let log = self.log.join().expect("a log");
        assert!(status.success(), "{status}: {log}");
        log
    }

    /// The process, for whoever pulls the plug from elsewhere.
    pub fn pid(&self) -> rustix::process::Pid {
        let id = i32::try_from(self.child.0.id()).ok();
        id.and_then(rustix::process::Pid::from_raw).expect("an id")
    }

    /// Pulls the plug.
    pub fn kill(mut self) -> String {
        self.child.0.kill().expect("kill -9");
        let _ = self.child.0.wait();
        self.log.join().expect("a log")
    }
}

/// The demonstration in a folder of its own.
pub struct Demo {
    pub running: Running,
    pub folder: PathBuf,
}

impl Demo {
    #[track_caller]
    pub fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    #[track_caller]
    pub fn start_with(folder: &Path, more: &[&str]) -> Self {
        let mut command = ventanilla();
        command
            .args(["demo", "--port", "0", "--display", "web", "--data"])
            .arg(folder)
            .args(more);
        Self {
            running: Running::start(&mut command),
            folder: folder.to_owned(),
        }
    }

    #[track_caller]
    pub fn at(&self, name: &str) -> &str {
        self.running
            .said
            .get(name)
            .unwrap_or_else(|| panic!("the demo said nothing of {name}"))
    }

    pub fn kiosk(&self) -> Kiosk {
        Kiosk {
            base: self.at("kiosk").to_owned(),
        }
    }

    pub fn office(&self, method: &str, path: &str, body: &Value) -> Answer {
        call(
            method,
            &format!("{}/api/v1{path}", self.at("office")),
            Some(self.at("token")),
            Some(body),
        )
    }

    pub fn central(&self, path: &str) -> Answer {
        let token = std::fs::read_to_string(self.folder.join("keys/central-staff.token")).expect("a token");
        call(
            "GET",
            &format!("{}{path}", self.at("central")),
            Some(token.trim()),
            None,
        )
    }

    /// What was printed, in words, the oldest first.
    pub fn papers(&self) -> Vec<String> {
        papers(Path::new(self.at("paper")))
    }
}

pub fn papers(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|it| it == "txt"))
        .collect();
    names.sort();
    names
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("a paper"))
        .collect()
}

/// An answer of a server.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub kind: String,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        assert!((200..300).contains(&self.status), "{self:?}");
        self
    }
}

pub fn get(url: &str) -> Answer {
    call("GET", url, None, None)
}

#[track_caller]
pub fn call(method: &str, url: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
    try_call(method, url, token, body, None).unwrap_or_else(|| panic!("{method} {url}: no answer"))
}

/// One request; nothing where nobody answers.
pub fn try_call(
    method: &str,
    url: &str,
    token: Option<&str>,
    body: Option<&Value>,
    accept: Option<&str>,
) -> Option<Answer> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        let mut request = client.request(method.parse().expect("a method"), url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(accept) = accept {
            request = request.header("Accept", accept);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.ok()?;
        let kind = response
            .headers()
            .get("content-type")
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let status = response.status().as_u16();
        Some(Answer {
            status,
            kind,
            text: response.text().await.ok()?,
        })
    })
}

/// Asks again and again until there is an answer; the asking itself sets the pace.
#[track_caller]
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "never happened: {what}");
        thread::yield_now();
    }
}

/// The citizen's screen, through its page.
pub struct Kiosk {
    base: String,
}

impl Kiosk {
    pub fn at(base: &str) -> Self {
        Self {
            base: base.to_owned(),
        }
    }

    #[track_caller]
    pub fn view(&self) -> Value {
        get(&format!("{}/view.json", self.base)).ok().json()
    }

    #[track_caller]
    pub fn face(&self) -> String {
        self.view()["face"].as_str().expect("a face").to_owned()
    }

    #[track_caller]
    pub fn wait_for(&self, face: &str) -> Value {
        until(&format!("the face {face}"), || {
            let view = self.view();
            (view["face"] == face).then_some(view)
        })
    }

    /// Taps the middle of the control whose label begins with these words.
    #[track_caller]
    pub fn touch(&self, words: &str) {
        let view = self.view();
        let element = find(&view, |element| {
            ["button", "choice", "input"]
                .iter()
                .any(|role| element["role"] == *role)
                && element["label"]
                    .as_str()
                    .is_some_and(|label| label.starts_with(words))
        });
        let Some(element) = element else {
            panic!("no «{words}» on {}", labels(&view).join(" | "))
        };
        self.tap(&element);
    }

    #[track_caller]
    pub fn tap(&self, element: &Value) {
        let number = |name: &str| {
            element[name]
                .as_f64()
                .unwrap_or_else(|| panic!("no {name}: {element}"))
        };
        let (x, y) = (
            number("x") + number("width") / 2.0,
            number("y") + number("height") / 2.0,
        );
        call(
            "POST",
            &format!("{}/tap", self.base),
            None,
            Some(&json!({ "x": x, "y": y })),
        )
        .ok();
    }

    #[track_caller]
    pub fn write(&self, text: &str) {
        call(
            "POST",
            &format!("{}/type", self.base),
            None,
            Some(&json!({ "text": text })),
        )
        .ok();
    }

    /// From the invitation to the wish for a general turn, in two touches after the start page.
    #[track_caller]
    pub fn wish_for_turn(&self, queue: &str) {
        self.wait_for("attract");
        self.touch("Español");
        self.touch("Tomar un turno");
        until("the queues", || {
            labels(&self.view())
                .iter()
                .any(|label| label.starts_with(queue))
                .then_some(())
        });
        self.touch(queue);
        self.touch("No, general");
    }

    /// Answers the questions of a form until the review: the first choice, nothing where nothing is needed, and
    /// else what is said for a question whose words hold a key.
    #[track_caller]
    pub fn fill(&self, said: &[(&str, &str)]) {
        for _ in 0..40 {
            let view = self.view();
            if view["face"] != "question" {
                return;
            }
            let question = find(&view, |element| element["role"] == "heading").expect("a question");
            let question = question["label"].as_str().expect("words").to_owned();
            if let Some(choice) = find(&view, |element| element["role"] == "choice") {
                if choice["value"] != "true" {
                    self.tap(&choice);
                }
            } else if labels(&view).iter().any(|label| label.starts_with("No tengo")) {
                self.touch("No tengo");
                continue;
            } else if let Some((_, answer)) = said.iter().find(|(key, _)| question.contains(key)) {
                self.write(answer);
            } else {
                panic!("nothing to say to «{question}»");
            }
            self.touch("Continuar");
            let after = self.view();
            let same = find(&after, |element| element["label"] == question.as_str()).is_some();
            assert!(!same, "stuck at «{question}»: {}", labels(&after).join(" | "));
        }
        panic!("the form has no end: {}", labels(&self.view()).join(" | "));
    }
}

pub fn find(view: &Value, fits: impl Fn(&Value) -> bool) -> Option<Value> {
    view["elements"]
        .as_array()
        .expect("elements")
        .iter()
        .find(|element| fits(element))
        .cloned()
}

/// Everything the screen says.
pub fn labels(view: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for element in view["elements"].as_array().expect("elements") {
        for name in ["label", "value"] {
            found.extend(
                element[name]
                    .as_str()
                    .filter(|text| !text.is_empty())
                    .map(str::to_owned),
            );
        }
    }
    found
}

/// Every file below a folder that holds this text, plain or in a dress that anybody takes off.
pub fn files_with(folder: &Path, text: &str) -> Vec<PathBuf> {
    files_with_any(folder, &dresses(text))
}

/// Whether bytes hold this text in any of these dresses.
pub fn holds(bytes: &[u8], text: &str) -> bool {
    holds_any(bytes, &dresses(text))
}

/// A text as it is, as UTF-16 of either order, in base64 of either alphabet at each of the three places where it may
/// begin, in hexadecimal, and percent-encoded.
fn dresses(text: &str) -> Vec<Vec<u8>> {
    use base64::Engine;
    use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
    let units = || text.encode_utf16();
    let hex = |each: fn(u8) -> String| text.bytes().map(each).collect::<String>().into_bytes();
    let mut all = vec![
        text.as_bytes().to_vec(),
        units().flat_map(u16::to_le_bytes).collect(),
        units().flat_map(u16::to_be_bytes).collect(),
        hex(|byte| format!("{byte:02x}")),
        hex(|byte| format!("{byte:02X}")),
        hex(|byte| format!("%{byte:02X}")),
    ];
    for before in 0..3_usize {
        let shifted = [vec![0; before], text.as_bytes().to_vec()].concat();
        // What also depends on the neighbours is left out at both ends.
        let from = [0, 2, 3][before];
        for encoded in [
            BASE64_STANDARD_NO_PAD.encode(&shifted),
            BASE64_URL_SAFE_NO_PAD.encode(&shifted),
        ] {
            let whole = shifted.len() / 3 * 4;
            all.push(encoded.as_bytes()[from..whole].to_vec());
        }
    }
    all
}

fn holds_any(bytes: &[u8], dresses: &[Vec<u8>]) -> bool {
    dresses
        .iter()
        .any(|dress| bytes.windows(dress.len()).any(|part| part == dress.as_slice()))
}

fn files_with_any(folder: &Path, dresses: &[Vec<u8>]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return found;
    };
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files_with_any(&path, dresses));
        } else if holds_any(&std::fs::read(&path).expect("a file"), dresses) {
            found.push(path);
        }
    }
    found
}

/// A code such as `QT7M-4K2P` somewhere on the screen.
#[track_caller]
pub fn code_on(view: &Value) -> String {
    let is_code = |text: &str| {
        let bytes = text.as_bytes();
        bytes.len() == 9
            && bytes[4] == b'-'
            && bytes
                .iter()
                .enumerate()
                .all(|(at, b)| at == 4 || b.is_ascii_alphanumeric())
    };
    labels(view)
        .iter()
        .flat_map(|label| label.split([' ', ',', '\n']))
        .find(|word| is_code(word))
        .unwrap_or_else(|| panic!("no code on {:?}", labels(view)))
        .to_owned()
}

#[test]
fn a_text_is_found_in_every_dress() {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    let text = "1714307103";
    for before in 0..6 {
        let bytes = [vec![b'x'; before], text.as_bytes().to_vec(), b"yz".to_vec()].concat();
        assert!(holds(&bytes, text));
        assert!(holds(BASE64_STANDARD.encode(&bytes).as_bytes(), text), "{before}");
    }
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(holds(&wide, text) && holds(b"31373134333037313033", text));
    assert!(!holds(b"1714317103 MTcxNDMxNzEwMw==", text));
}
