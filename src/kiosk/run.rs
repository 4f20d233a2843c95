//! Who drives the screen, and the loops that show it: on a web page or on a window.
//!
//! The UI lives on one thread, the one that calls [`run_web`] or [`run_window`]. Nothing here waits for the
//! network or the disk: the driver answers from memory and its shell reports through [`Driver::inbox`].

#[cfg(feature = "screen")]
use std::sync::mpsc::{Receiver, RecvTimeoutError};
#[cfg(feature = "screen")]
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::pad::{Moved, Pad};
use crate::devices::handset::{HandEvent, HandKey};
use crate::domain::session::view::{Action, View};
use crate::domain::sketch::Point;

/// Where the citizen's screen is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// On a web page that takes taps: demos, training, tests.
    Web,
    /// In a window of this machine.
    Window,
    /// On the whole screen of this machine, without a window system.
    Screen,
    /// Nowhere.
    None,
}

/// A special key of the keyboard on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The next letter is a capital, or no longer.
    Shift,
    /// Takes the last letter away.
    Back,
    /// Takes everything away.
    Clear,
    /// Digits instead of accents, or back.
    Digits,
}

/// What the citizen did on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touch {
    /// A control of the view was touched.
    Act(Action),
    /// Letters were typed.
    Typed(String),
    /// A special key was touched.
    Key(Key),
    /// A key of the keypad.
    Pad(Pad),
    /// A finger drew on the pad, in its units.
    Stroke(Vec<Point>),
    /// A finger touched the dark screen.
    Light,
}

/// A key for the voice alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoiceKey {
    /// Reads the screen from its beginning.
    Repeat,
    /// Holds on, and goes on.
    Pause,
    /// Louder or softer by steps.
    Louder(i8),
    /// Faster or slower by steps.
    Faster(i8),
}

/// What came from a keypad or from the socket beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// A key that moves on the screen.
    Pad(Pad),
    /// A key for the voice.
    Voice(VoiceKey),
    /// Headphones are in, or not any more.
    Headphones(bool),
}

impl From<HandEvent> for Hand {
    fn from(event: HandEvent) -> Self {
        match event {
            HandEvent::Headphones(are_in) => Self::Headphones(are_in),
            HandEvent::Key(key) => match key {
                HandKey::Up => Self::Pad(Pad::Up),
                HandKey::Down => Self::Pad(Pad::Down),
                HandKey::Left => Self::Pad(Pad::Left),
                HandKey::Right => Self::Pad(Pad::Right),
                HandKey::Ok => Self::Pad(Pad::Ok),
                HandKey::Back => Self::Pad(Pad::Back),
                HandKey::Help => Self::Pad(Pad::Help),
                HandKey::Repeat => Self::Voice(VoiceKey::Repeat),
                HandKey::Pause => Self::Voice(VoiceKey::Pause),
                HandKey::Louder => Self::Voice(VoiceKey::Louder(1)),
                HandKey::Softer => Self::Voice(VoiceKey::Louder(-1)),
                HandKey::Faster => Self::Voice(VoiceKey::Faster(1)),
                HandKey::Slower => Self::Voice(VoiceKey::Faster(-1)),
                HandKey::HeadphonesIn => Self::Headphones(true),
                HandKey::HeadphonesOut => Self::Headphones(false),
            },
        }
    }
}

/// What the face needs from whoever drives the session.
pub trait Driver {
    /// The whole screen as it is now.
    fn view(&self) -> View;
    /// A control was touched.
    fn act(&mut self, action: Action);
    /// Letters were typed.
    fn typed(&mut self, text: &str);
    /// A special key was touched.
    fn key(&mut self, key: Key);
    /// A finger drew a stroke on the pad.
    fn drawn(&mut self, _stroke: &[Point]) {}
    /// The keypad moved, acted or came to an end: something to say for whoever listens.
    fn moved(&mut self, _moved: &Moved) {}
    /// A key for the voice alone.
    fn voice(&mut self, _key: VoiceKey) {}
    /// Headphones are in, or not any more.
    fn headphones(&mut self, _are_in: bool) {}
    /// A finger on a dark screen.
    fn light(&mut self) {}
    /// A second has passed.
    fn tick(&mut self);
    /// Takes in what the shell has to report; true when the view may have changed.
    fn inbox(&mut self) -> bool;
    /// The screen went round once: touches are taken in, and what `view` said is shown.
    fn turned(&mut self) {}
}

/// Gives a touch to its driver.
pub fn give(driver: &mut dyn Driver, touch: Touch) {
    match touch {
        Touch::Act(action) => driver.act(action),
        Touch::Typed(text) => driver.typed(&text),
        Touch::Key(key) => driver.key(key),
        Touch::Stroke(points) => driver.drawn(&points),
        Touch::Light => driver.light(),
        // Needs the screen, which gives the touch that comes of it.
        Touch::Pad(_) => {}
    }
}

/// Something on the screen, as it can be read and touched; an entry of `view.json`.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Element {
    /// `button`, `input`, `text`, `heading` or `choice`.
    pub role: &'static str,
    /// What it says.
    pub label: String,
    /// What is typed or shown in it; `true` or `false` for a choice.
    pub value: String,
    /// False for a control that is not available.
    pub enabled: bool,
    /// Left edge in pixels of the screen.
    pub x: i32,
    /// Upper edge in pixels of the screen.
    pub y: i32,
    /// In pixels of the screen.
    pub width: i32,
    /// In pixels of the screen.
    pub height: i32,
}

/// The whole screen as text.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Reading {
    /// Name of the face.
    pub face: &'static str,
    /// `es`, `qu` or `en`.
    pub language: &'static str,
    /// What is visible, in reading order.
    pub elements: Vec<Element>,
    /// What the keypad stands on, once a key was pressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub focus: Option<Element>,
}

/// One picture of the screen.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Grows by one with every change that can be seen.
    pub frame: u64,
    /// The picture as PNG.
    pub png: axum::body::Bytes,
}

/// What the web page asks of the UI thread.
#[derive(Debug)]
pub enum Command {
    /// A tap at pixels of the screen; answered with the face once its result is shown.
    Tap {
        /// From the left.
        x: f32,
        /// From the top.
        y: f32,
        /// Gets the name of the face.
        reply: oneshot::Sender<&'static str>,
    },
    /// A finger that goes along these pixels of the screen; answered as a tap is.
    Draw {
        /// From the left and from the top.
        points: Vec<(f32, f32)>,
        /// Gets the name of the face.
        reply: oneshot::Sender<&'static str>,
    },
    /// Text typed on a keyboard; a line feed is the primary button, U+0008 takes a letter away.
    Type {
        /// What was typed.
        text: String,
        /// Gets the name of the face.
        reply: oneshot::Sender<&'static str>,
    },
    /// A key of a keypad.
    Pad {
        /// Which.
        key: Pad,
        /// Gets the name of the face.
        reply: oneshot::Sender<&'static str>,
    },
    /// The picture as PNG at half the size, for whoever looks after the kiosk; nothing while somebody is at it.
    Free(oneshot::Sender<Option<Vec<u8>>>),
    /// Something from a keypad or from the socket beside it.
    Hand(Hand),
    /// The picture as it is now.
    Png(oneshot::Sender<Picture>),
    /// The screen as text.
    View(oneshot::Sender<Reading>),
    /// The driver has something in its inbox.
    Wake,
    /// Ends the loop.
    Stop,
}

/// Size of a screen in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl Size {
    /// The reference screen, 1080×1920.
    pub const PORTRAIT: Self = Self {
        width: 1080,
        height: 1920,
    };
    /// 1920×1080.
    pub const LANDSCAPE: Self = Self {
        width: 1920,
        height: 1080,
    };
}

/// Why a screen cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// There is no screen, or we may not use it.
    #[error(
        "The screen cannot be opened; it needs a display on /dev/dri and the groups video and input ({0})"
    )]
    NoScreen(String),
    /// This program cannot do without a window system.
    #[error("This program was built without the feature `appliance`; use --display window or web")]
    NotBuiltIn,
    /// There is no X server and no Wayland compositor, or it refused.
    #[error("No display to open a window on; use --display web, or set DISPLAY or WAYLAND_DISPLAY ({0})")]
    NoDisplay(String),
    /// The in-memory screen could not be made.
    #[error("The screen could not be made ({0})")]
    NotMade(String),
    /// A picture could not be encoded.
    #[error("The picture of the screen could not be encoded")]
    Png(#[from] png::EncodingError),
}

/// Shows the driver's session on an in-memory screen until [`Command::Stop`] or until nobody can send commands.
///
/// `frame` is told the number of every new picture.
#[cfg(feature = "screen")]
pub fn run_web(
    driver: &mut dyn Driver,
    commands: &Receiver<Command>,
    frame: &tokio::sync::watch::Sender<u64>,
    size: Size,
) -> Result<(), ScreenError> {
    let mut screen = super::screen::Screen::new(size)?;
    let second = Duration::from_secs(1);
    let mut next_tick = Instant::now() + second;
    show(driver, &mut screen, frame);
    loop {
        let pause = screen
            .until_timer()
            .unwrap_or(second)
            .min(next_tick.saturating_duration_since(Instant::now()));
        let command = match commands.recv_timeout(pause) {
            Ok(command) => Some(command),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        // A reply whose asker has gone is not an error.
        match command {
            Some(Command::Tap { x, y, reply }) => {
                screen.tap(x, y);
                let face = show(driver, &mut screen, frame);
                let _ = reply.send(face);
            }
            Some(Command::Draw { points, reply }) => {
                screen.draw(&points);
                let face = show(driver, &mut screen, frame);
                let _ = reply.send(face);
            }
            Some(Command::Type { text, reply }) => {
                type_text(driver, &text);
                let face = show(driver, &mut screen, frame);
                let _ = reply.send(face);
            }
            Some(Command::Pad { key, reply }) => {
                screen.press(key, driver);
                let face = show(driver, &mut screen, frame);
                let _ = reply.send(face);
            }
            Some(Command::Free(reply)) => {
                show(driver, &mut screen, frame);
                let free = !driver.view().face.is_somebodys();
                let picture = free
                    .then(|| super::picture::half(screen.size(), screen.rgb()))
                    .flatten();
                let _ = reply.send(picture);
            }
            Some(Command::Hand(Hand::Pad(key))) => screen.press(key, driver),
            Some(Command::Hand(Hand::Voice(key))) => driver.voice(key),
            Some(Command::Hand(Hand::Headphones(are_in))) => driver.headphones(are_in),
            Some(Command::Png(reply)) => {
                show(driver, &mut screen, frame);
                let _ = reply.send(screen.picture()?);
            }
            Some(Command::View(reply)) => {
                show(driver, &mut screen, frame);
                let view = driver.view();
                let _ = reply.send(Reading {
                    face: view.face.name(),
                    language: view.language,
                    elements: screen.elements(),
                    focus: screen.focused(),
                });
            }
            Some(Command::Stop) => return Ok(()),
            Some(Command::Wake) | None => {}
        }
        if Instant::now() >= next_tick {
            driver.tick();
            next_tick = (next_tick + second).max(Instant::now());
        }
        show(driver, &mut screen, frame);
    }
}

/// Brings touches to the driver and its view to the screen; returns the name of the face shown.
#[cfg(feature = "screen")]
fn show(
    driver: &mut dyn Driver,
    screen: &mut super::screen::Screen,
    frame: &tokio::sync::watch::Sender<u64>,
) -> &'static str {
    screen.update_timers();
    screen.hand_over(driver);
    driver.inbox();
    let view = driver.view();
    screen.show(&view);
    let number = screen.render();
    driver.turned();
    frame.send_if_modified(|shown| std::mem::replace(shown, number) != number);
    view.face.name()
}

/// Shows the driver's session on a window of this machine until [`Command::Stop`], and only from the main thread.
///
/// A kiosk takes the whole screen; otherwise the window is half the size of the reference screen. Without an X
/// server or a Wayland compositor it returns [`ScreenError::NoDisplay`] at once, so that the caller can show the
/// screen on a web page instead.
#[cfg(feature = "screen")]
pub fn run_window(
    driver: Box<dyn Driver>,
    commands: Receiver<Command>,
    full_screen: bool,
) -> Result<(), ScreenError> {
    super::stage::in_window()?;
    super::window::run(driver, commands, full_screen)
}

/// Shows the driver's session on the whole screen without a window system, until [`Command::Stop`].
#[cfg(feature = "screen")]
pub fn run_screen(
    driver: Box<dyn Driver>,
    commands: Receiver<Command>,
    touch: [f32; 6],
) -> Result<(), ScreenError> {
    super::stage::on_screen(touch)?;
    super::window::run(driver, commands, true)
}

/// Gives text as a keyboard would: letters, U+0008 and line feeds.
pub fn type_text(driver: &mut dyn Driver, text: &str) {
    for part in text.split_inclusive(['\n', '\u{8}']) {
        let letters = part.trim_end_matches(['\n', '\u{8}']);
        if driver.view().keyboard.is_none() {
            return;
        }
        if !letters.is_empty() {
            driver.typed(letters);
        }
        if part.ends_with('\u{8}') {
            driver.key(Key::Back);
        } else if part.ends_with('\n')
            && let Some(action) = driver.view().primary.and_then(|primary| primary.action)
        {
            driver.act(action);
        }
    }
}
