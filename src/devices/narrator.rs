//! A voice for the kiosk: `espeak-ng` in a child process, made and heard on this machine, never over a network.
//!
//! Sentences wait in a thread; a new screen, a touch or silence stops what is being said at once.
//! Begin at [`open`]; tests and training use [`Transcript`], which writes down what would have been said.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
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
}

/// Whether this machine has a voice.
pub fn is_there() -> bool {
    find().is_some()
}

/// The machine's voice, if it has one.
pub fn open() -> Option<Espeak> {
    let program = find()?;
    let (sender, orders) = mpsc::channel();
    thread::Builder::new()
        .name("voice".into())
        .spawn(move || run(&program, &orders))
        .map_err(|problem| warn!(%problem, "no voice: its thread did not start"))
        .ok()?;
    Some(Espeak(sender))
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
}

/// `espeak-ng` in a child process for each sentence.
pub struct Espeak(Sender<Order>);

impl Speaker for Espeak {
    fn say(&mut self, sentences: Vec<String>, manner: Manner) {
        // A thread that is gone has said why; the screen goes on without a voice.
        let _ = self.0.send(Order::Say(sentences, manner));
    }

    fn stop(&mut self) {
        let _ = self.0.send(Order::Stop);
    }
}

fn run(program: &PathBuf, orders: &Receiver<Order>) {
    let mut waiting: std::collections::VecDeque<(String, Manner)> = std::collections::VecDeque::new();
    let mut speaking: Option<Child> = None;
    loop {
        if speaking
            .as_mut()
            .is_some_and(|child| !matches!(child.try_wait(), Ok(None)))
        {
            speaking = None;
        }
        if speaking.is_none()
            && let Some((sentence, manner)) = waiting.pop_front()
        {
            speaking = start(program, &sentence, manner);
            continue;
        }
        let order = if speaking.is_some() {
            orders.recv_timeout(GLANCE)
        } else {
            orders.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        match order {
            Ok(Order::Say(sentences, manner)) => {
                waiting.extend(sentences.into_iter().map(|sentence| (sentence, manner)));
            }
            Ok(Order::Stop) => {
                waiting.clear();
                hush(&mut speaking);
            }
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

/// Writes down what would be said, for tests and training.
#[derive(Clone, Debug, Default)]
pub struct Transcript(Arc<Mutex<Vec<String>>>);

impl Transcript {
    /// Everything said so far, the oldest first.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes what was said since the last call.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Speaker for Transcript {
    fn say(&mut self, sentences: Vec<String>, _: Manner) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(sentences);
    }

    fn stop(&mut self) {}
}
