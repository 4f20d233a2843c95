//! A voice for the kiosk: `espeak-ng` in a child process, made and heard on this machine, never over a network.
//!
//! Sentences wait in a thread; a new screen, a touch or silence stops what is being said at once.
//! Begin at [`open`]; tests and training use [`Transcript`], which writes down what would have been said.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing::warn;

/// The program that speaks.
const PROGRAM: &str = "espeak-ng";
/// How often a running child is asked whether it has finished: short enough to stop within a syllable.
const GLANCE: Duration = Duration::from_millis(30);

/// In which voice, how fast and how loud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// `es` or `en`.
    pub language: &'static str,
    /// 1 to 5.
    pub speed: u8,
    /// 1 to 5.
    pub volume: u8,
}

/// Says sentences; the real one or a fake.
pub trait Speaker: Send {
    /// Says these, one after the other, after what is being said.
    fn say(&mut self, sentences: Vec<String>, manner: Manner);
    /// Stops at once and forgets what waits.
    fn stop(&mut self);
    /// Holds on at once; what was being said is said again from its beginning by [`Speaker::go_on`].
    fn pause(&mut self);
    /// Goes on after a pause.
    fn go_on(&mut self);
    /// What it is doing.
    fn state(&self) -> Reading;
}

/// What a voice is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// Nothing.
    #[default]
    Silent,
    /// Saying something.
    Speaking,
    /// Holding on in the middle.
    Paused,
}

/// Whether this machine has a voice.
pub fn is_there() -> bool {
    find().is_some()
}

/// The machine's voice, if it has one.
pub fn open() -> Option<Espeak> {
    let program = find()?;
    let (sender, orders) = mpsc::channel();
    let busy = Arc::new(AtomicBool::new(false));
    let told = busy.clone();
    thread::Builder::new()
        .name("voice".into())
        .spawn(move || run(&program, &orders, &told))
        .map_err(|problem| warn!(%problem, "no voice: its thread did not start"))
        .ok()?;
    Some(Espeak {
        orders: sender,
        busy,
        is_paused: false,
    })
}

fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(PROGRAM))
        .find(|program| program.is_file())
}

enum Order {
    Say(Vec<String>, Manner),
    Stop,
    Pause,
    GoOn,
}

/// `espeak-ng` in a child process for each sentence.
pub struct Espeak {
    orders: Sender<Order>,
    /// Whether something is said, or waits to be.
    busy: Arc<AtomicBool>,
    is_paused: bool,
}

impl Espeak {
    fn order(&self, order: Order) {
        // A thread that is gone has said why; the screen goes on without a voice.
        let _ = self.orders.send(order);
    }
}

impl Speaker for Espeak {
    fn say(&mut self, sentences: Vec<String>, manner: Manner) {
        self.busy.store(true, Ordering::Release);
        self.is_paused = false;
        self.order(Order::Say(sentences, manner));
    }

    fn stop(&mut self) {
        self.is_paused = false;
        self.order(Order::Stop);
    }

    fn pause(&mut self) {
        self.is_paused = self.busy.load(Ordering::Acquire);
        self.order(Order::Pause);
    }

    fn go_on(&mut self) {
        self.is_paused = false;
        self.order(Order::GoOn);
    }

    fn state(&self) -> Reading {
        match (self.busy.load(Ordering::Acquire), self.is_paused) {
            (false, _) => Reading::Silent,
            (true, false) => Reading::Speaking,
            (true, true) => Reading::Paused,
        }
    }
}

fn run(program: &PathBuf, orders: &Receiver<Order>, busy: &AtomicBool) {
    let mut waiting: std::collections::VecDeque<(String, Manner)> = std::collections::VecDeque::new();
    let mut speaking: Option<Child> = None;
    let mut now: Option<(String, Manner)> = None;
    let mut is_paused = false;
    loop {
        if speaking
            .as_mut()
            .is_some_and(|child| !matches!(child.try_wait(), Ok(None)))
        {
            speaking = None;
            now = None;
        }
        if speaking.is_none()
            && !is_paused
            && let Some((sentence, manner)) = waiting.pop_front()
        {
            speaking = start(program, &sentence, manner);
            now = Some((sentence, manner));
            continue;
        }
        if speaking.is_none() && waiting.is_empty() {
            busy.store(false, Ordering::Release);
        }
        let order = if speaking.is_some() {
            orders.recv_timeout(GLANCE)
        } else {
            orders.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        match order {
            Ok(Order::Say(sentences, manner)) => {
                busy.store(true, Ordering::Release);
                is_paused = false;
                waiting.extend(sentences.into_iter().map(|sentence| (sentence, manner)));
            }
            Ok(Order::Stop) => {
                is_paused = false;
                waiting.clear();
                hush(&mut speaking);
            }
            Ok(Order::Pause) => {
                is_paused = true;
                // A sentence that was cut is understood only from its beginning.
                if speaking.is_some() {
                    waiting.extend(now.take());
                    waiting.rotate_right(1);
                }
                hush(&mut speaking);
            }
            Ok(Order::GoOn) => is_paused = false,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                hush(&mut speaking);
                return;
            }
        }
    }
}

fn start(program: &PathBuf, sentence: &str, manner: Manner) -> Option<Child> {
    let voice = if manner.language == "en" { "en" } else { "es-419" };
    // Words a minute around the usual 150, and amplitudes up to 200.
    let speed = 90 + 30 * u32::from(manner.speed.clamp(1, 5));
    let volume = 40 * u32::from(manner.volume.clamp(1, 5));
    let child = Command::new(program)
        .args([
            "-v",
            voice,
            "-s",
            &speed.to_string(),
            "-a",
            &volume.to_string(),
            "--stdin",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match child {
        Ok(mut child) => {
            // Through a pipe: what is said may be personal, and arguments are seen by everybody on the machine.
            if let Some(mut pipe) = child.stdin.take()
                && let Err(problem) = pipe.write_all(sentence.as_bytes())
            {
                warn!(%problem, "the voice did not take a sentence");
            }
            Some(child)
        }
        Err(problem) => {
            warn!(%problem, "the voice does not start");
            None
        }
    }
}

fn hush(speaking: &mut Option<Child>) {
    if let Some(mut child) = speaking.take() {
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Writes down what would be said, for tests and training: all at once, or for as long as nobody stops it.
#[derive(Clone, Debug, Default)]
pub struct Transcript(Arc<Mutex<Said>>);

#[derive(Debug, Default)]
struct Said {
    lines: Vec<String>,
    /// Whether it speaks on until it is stopped.
    is_slow: bool,
    state: Reading,
    manner: Option<Manner>,
}

impl Transcript {
    /// A voice that is still speaking whenever somebody asks, until it is stopped.
    pub fn slow() -> Self {
        let slow = Self::default();
        slow.said().is_slow = true;
        slow
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything said so far, the oldest first.
    pub fn lines(&self) -> Vec<String> {
        self.said().lines.clone()
    }

    /// Takes what was said since the last call.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.said().lines)
    }

    /// How the last sentence was said.
    pub fn manner(&self) -> Option<Manner> {
        self.said().manner
    }
}

impl Speaker for Transcript {
    fn say(&mut self, sentences: Vec<String>, manner: Manner) {
        let mut said = self.said();
        said.lines.extend(sentences);
        said.manner = Some(manner);
        if said.is_slow {
            said.state = Reading::Speaking;
        }
    }

    fn stop(&mut self) {
        self.said().state = Reading::Silent;
    }

    fn pause(&mut self) {
        let mut said = self.said();
        if said.state == Reading::Speaking {
            said.state = Reading::Paused;
        }
    }

    fn go_on(&mut self) {
        let mut said = self.said();
        if said.state == Reading::Paused {
            said.state = Reading::Speaking;
        }
    }

    fn state(&self) -> Reading {
        self.said().state
    }
}
