//! The keypad that is felt instead of seen, and the socket for headphones beside it, through the kernel's input devices.
//!
//! No library of the system is needed: a socket that knows whether something is in it is a switch of an input device
//! (`SW_HEADPHONE_INSERT`), and a keypad has keys. A keypad that is named in the settings is taken for us alone, so that
//! its keys are not letters on the screen; one that vanishes is taken again when it returns.
//! Begin at [`KeyMap`] and [`Hands`]; tests and training use [`FakeHands`].

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

#[cfg(target_os = "linux")]
pub use linux::InputDevices;

/// A key of a keypad by what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandKey {
    /// One back.
    Up,
    /// One on.
    Down,
    /// One back in the row.
    Left,
    /// One on in the row.
    Right,
    /// Acts.
    Ok,
    /// As «Atrás».
    Back,
    /// As «Ayuda de una persona».
    Help,
    /// Reads the screen from its beginning.
    Repeat,
    /// Stops reading, and goes on.
    Pause,
    /// A step louder.
    Louder,
    /// A step softer.
    Softer,
    /// A step faster.
    Faster,
    /// A step slower.
    Slower,
    /// Keypads that have the socket themselves tell it by a key.
    HeadphonesIn,
    /// The same for taking them out.
    HeadphonesOut,
}

/// What was felt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandEvent {
    /// A key went down.
    Key(HandKey),
    /// Headphones are in, or not any more.
    Headphones(bool),
}

/// The keypad in `kiosk.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeypadConfig {
    /// Part of the device's name, such as `Storm`; without it a keyboard's arrows, Return, Escape and F1 serve.
    pub device: String,
    /// What its keys are for, by the kernel's names: `ok = ["KEY_ENTER", "KEY_SPACE"]`. What is not written is as on a
    /// keyboard.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<HandKey, Vec<String>>,
}

/// Why a keypad's settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyMapError {
    /// No device is named.
    #[error("[keypad] names no device; write a part of its name, as /proc/bus/input/devices says it")]
    NoDevice,
    /// The kernel knows no such key.
    #[error(
        "[keypad] has {key} for {purpose}, which the kernel does not know; names are like KEY_UP or KEY_F13"
    )]
    UnknownKey {
        /// As it was written.
        key: String,
        /// For what.
        purpose: String,
    },
    /// One key cannot do two things.
    #[error("[keypad] has {key} twice, for {first} and for {second}; a key does one thing")]
    Twice {
        /// The key.
        key: String,
        /// For what first.
        first: String,
        /// For what then.
        second: String,
    },
    /// Without it nobody gets anywhere.
    #[error("[keypad] has no key for {purpose}; up, down, ok, back and help are needed")]
    Missing {
        /// For what.
        purpose: String,
    },
}

impl HandKey {
    /// Its word in the settings.
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Left => "left",
            Self::Right => "right",
            Self::Ok => "ok",
            Self::Back => "back",
            Self::Help => "help",
            Self::Repeat => "repeat",
            Self::Pause => "pause",
            Self::Louder => "louder",
            Self::Softer => "softer",
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::HeadphonesIn => "headphones_in",
            Self::HeadphonesOut => "headphones_out",
        }
    }
}

/// What a keyboard's keys are for.
const USUAL: [(HandKey, &[&str]); 10] = [
    (HandKey::Up, &["KEY_UP"]),
    (HandKey::Down, &["KEY_DOWN"]),
    (HandKey::Left, &["KEY_LEFT"]),
    (HandKey::Right, &["KEY_RIGHT"]),
    (HandKey::Ok, &["KEY_ENTER", "KEY_KPENTER"]),
    (HandKey::Back, &["KEY_ESC"]),
    (HandKey::Help, &["KEY_F1"]),
    (HandKey::Pause, &["KEY_PLAYPAUSE"]),
    (HandKey::Louder, &["KEY_VOLUMEUP"]),
    (HandKey::Softer, &["KEY_VOLUMEDOWN"]),
];

/// Without these nobody gets through a form.
const NEEDED: [HandKey; 5] = [
    HandKey::Up,
    HandKey::Down,
    HandKey::Ok,
    HandKey::Back,
    HandKey::Help,
];

/// Which device is the keypad, and what its keys are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyMap {
    device: String,
    /// By the kernel's number.
    keys: BTreeMap<u16, HandKey>,
}

impl KeyMap {
    /// The map of the settings.
    ///
    /// # Errors
    /// What is wrong with them, with the key's name.
    pub fn new(config: &KeypadConfig) -> Result<Self, KeyMapError> {
        let device = config.device.trim().to_lowercase();
        if device.is_empty() {
            return Err(KeyMapError::NoDevice);
        }
        let mut keys: BTreeMap<u16, HandKey> = BTreeMap::new();
        for (purpose, names) in &config.keys {
            for name in names {
                let code = code(name).ok_or_else(|| KeyMapError::UnknownKey {
                    key: name.clone(),
                    purpose: purpose.word().to_owned(),
                })?;
                if let Some(first) = keys.insert(code, *purpose) {
                    return Err(KeyMapError::Twice {
                        key: name.clone(),
                        first: first.word().to_owned(),
                        second: purpose.word().to_owned(),
                    });
                }
            }
        }
        for (purpose, names) in USUAL
            .iter()
            .filter(|(purpose, _)| !config.keys.contains_key(purpose))
        {
            for code in names.iter().filter_map(|name| code(name)) {
                keys.entry(code).or_insert(*purpose);
            }
        }
        match NEEDED
            .iter()
            .find(|needed| !keys.values().any(|has| has == *needed))
        {
            Some(missing) => Err(KeyMapError::Missing {
                purpose: missing.word().to_owned(),
            }),
            None => Ok(Self { device, keys }),
        }
    }

    /// What a key of the kernel's number is for.
    pub fn key(&self, code: u16) -> Option<HandKey> {
        self.keys.get(&code).copied()
    }

    /// Whether a device of this name is the keypad.
    pub fn is_of(&self, name: &str) -> bool {
        name.to_lowercase().contains(&self.device)
    }
}

#[cfg(target_os = "linux")]
fn code(name: &str) -> Option<u16> {
    name.trim()
        .parse::<evdev::KeyCode>()
        .ok()
        .map(evdev::KeyCode::code)
}

#[cfg(not(target_os = "linux"))]
fn code(_: &str) -> Option<u16> {
    None
}

/// Feels keys and headphones; the real ones or a fake.
pub trait Hands: Send {
    /// What was felt, after waiting for it no longer than `wait`.
    fn next(&mut self, wait: Duration) -> Vec<HandEvent>;
}

/// Hands of a test or of a demonstration.
pub struct FakeHands(mpsc::Receiver<HandEvent>);

impl FakeHands {
    /// Hands, and the way to move them.
    pub fn new() -> (mpsc::Sender<HandEvent>, Self) {
        let (sender, events) = mpsc::channel();
        (sender, Self(events))
    }
}

impl Hands for FakeHands {
    fn next(&mut self, wait: Duration) -> Vec<HandEvent> {
        let first = self.0.recv_timeout(wait).ok();
        first.into_iter().chain(self.0.try_iter()).collect()
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeMap;
    use std::io::ErrorKind;
    use std::path::{Path, PathBuf};
    use std::time::{Duration, Instant};

    use evdev::{Device, EventSummary, SwitchCode};
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use tracing::{debug, info, warn};

    use super::{HandEvent, HandKey, Hands, KeyMap};

    const FOLDER: &str = "/dev/input";
    /// How soon a keypad that was plugged in is felt.
    const LOOK_EVERY: Duration = Duration::from_secs(2);

    struct Open {
        device: Device,
        is_keypad: bool,
        /// Whether headphones are in its socket; nothing where it has none.
        socket: Option<bool>,
    }

    /// The input devices of this machine.
    pub struct InputDevices {
        map: Option<KeyMap>,
        open: BTreeMap<PathBuf, Open>,
        /// Looked at and of no use to us.
        others: Vec<PathBuf>,
        looked: Option<Instant>,
        headphones: bool,
    }

    impl InputDevices {
        /// Listens to sockets, and to the keypad of the map.
        pub fn new(map: Option<KeyMap>) -> Self {
            Self {
                map,
                open: BTreeMap::new(),
                others: Vec::new(),
                looked: None,
                headphones: false,
            }
        }

        /// Opens what came, lets go of what went.
        fn look(&mut self) {
            let there: Vec<PathBuf> = std::fs::read_dir(FOLDER)
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| {
                    path.file_name()
                        .is_some_and(|name| name.to_string_lossy().starts_with("event"))
                })
                .collect();
            self.others.retain(|path| there.contains(path));
            self.open.retain(|path, open| {
                let stays = there.contains(path);
                if !stays && open.is_keypad {
                    warn!("the keypad is gone");
                }
                stays
            });
            for path in there {
                if self.open.contains_key(&path) || self.others.contains(&path) {
                    continue;
                }
                match self.opened(&path) {
                    Ok(Some(open)) => {
                        if open.is_keypad {
                            info!("the keypad is there");
                        }
                        self.open.insert(path, open);
                    }
                    Ok(None) => self.others.push(path),
                    // A device that has just come may still belong to the system: it is tried again.
                    Err(problem) => debug!(%problem, "an input device cannot be opened"),
                }
            }
        }

        fn opened(&self, path: &Path) -> std::io::Result<Option<Open>> {
            let mut device = Device::open(path)?;
            let is_keypad = device.supported_keys().is_some()
                && self
                    .map
                    .as_ref()
                    .is_some_and(|map| map.is_of(device.name().unwrap_or_default()));
            let has_socket = device
                .supported_switches()
                .is_some_and(|switches| switches.contains(SwitchCode::SW_HEADPHONE_INSERT));
            if !is_keypad && !has_socket {
                return Ok(None);
            }
            if is_keypad && let Err(problem) = device.grab() {
                warn!(%problem, "the keypad belongs to another program as well; its keys may be typed twice");
            }
            device.set_nonblocking(true)?;
            let socket = if has_socket {
                Some(
                    device
                        .get_switch_state()?
                        .contains(SwitchCode::SW_HEADPHONE_INSERT),
                )
            } else {
                None
            };
            Ok(Some(Open {
                device,
                is_keypad,
                socket,
            }))
        }

        /// Reads what there is; a device that fails is let go of, and found again by the next look.
        fn read(&mut self, felt: &mut Vec<HandEvent>) {
            let map = self.map.as_ref();
            self.open.retain(|_, open| match open.device.fetch_events() {
                Ok(events) => {
                    for event in events {
                        match event.destructure() {
                            // 1 is down, 0 up, 2 held.
                            EventSummary::Key(_, code, 1) if open.is_keypad => {
                                felt.extend(map.and_then(|map| map.key(code.code())).map(HandEvent::Key));
                            }
                            EventSummary::Switch(_, SwitchCode::SW_HEADPHONE_INSERT, value) => {
                                open.socket = Some(value == 1);
                            }
                            _ => {}
                        }
                    }
                    true
                }
                Err(problem) if problem.kind() == ErrorKind::WouldBlock => true,
                Err(problem) => {
                    debug!(%problem, "an input device is gone");
                    false
                }
            });
        }
    }

    impl Hands for InputDevices {
        fn next(&mut self, wait: Duration) -> Vec<HandEvent> {
            if self.looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
                self.look();
                self.looked = Some(Instant::now());
            }
            let mut felt = Vec::new();
            let mut handles: Vec<PollFd<'_>> = self
                .open
                .values()
                .map(|open| PollFd::new(&open.device, PollFlags::IN))
                .collect();
            let pause = Timespec {
                tv_sec: i64::try_from(wait.as_secs()).unwrap_or(1),
                tv_nsec: wait.subsec_nanos().into(),
            };
            // Interrupted or not: reading never waits.
            let _ = poll(&mut handles, Some(&pause));
            drop(handles);
            self.read(&mut felt);
            let mut headphones = self.headphones;
            if self.open.values().any(|open| open.socket.is_some()) {
                headphones = self.open.values().any(|open| open.socket == Some(true));
            }
            felt.retain(|event| {
                match event {
                    HandEvent::Key(HandKey::HeadphonesIn) => headphones = true,
                    HandEvent::Key(HandKey::HeadphonesOut) => headphones = false,
                    HandEvent::Key(_) | HandEvent::Headphones(_) => return true,
                }
                false
            });
            if self.open.is_empty() {
                // Who pulled the keypad with its socket has no headphones in it.
                headphones = false;
            }
            if std::mem::replace(&mut self.headphones, headphones) != headphones {
                felt.push(HandEvent::Headphones(headphones));
            }
            felt
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn map(text: &str) -> Result<KeyMap, KeyMapError> {
        KeyMap::new(&toml::from_str(text).expect("it parses"))
    }

    #[test]
    fn a_keypad_without_a_map_is_a_keyboard_and_a_map_changes_what_it_names() {
        let usual = map("device = 'Storm'").expect("sound");
        assert!(usual.is_of("Keymat AudioNav, storm") && !usual.is_of("AT keyboard"));
        assert_eq!(usual.key(103), Some(HandKey::Up));
        let own =
            map("device = 'x'\n[keys]\nup = ['KEY_F13']\nok = ['KEY_F14', 'KEY_SPACE']").expect("sound");
        assert_eq!(own.key(183), Some(HandKey::Up));
        assert_eq!(own.key(57), Some(HandKey::Ok));
        assert_eq!(own.key(103), None, "what was moved is moved");
        assert_eq!(own.key(108), Some(HandKey::Down), "the rest stays");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, wanted) in [
            ("device = ' '", "names no device"),
            ("device = 'x'\n[keys]\nup = ['KEY_UPP']", "KEY_UPP for up"),
            (
                "device = 'x'\n[keys]\nup = ['KEY_A']\nok = ['KEY_A']",
                "KEY_A twice, for up and for ok",
            ),
            ("device = 'x'\n[keys]\nhelp = []", "no key for help"),
        ] {
            let problem = map(text).expect_err("refused").to_string();
            assert!(problem.contains(wanted), "{problem}");
        }
        let unknown =
            toml::from_str::<KeypadConfig>("device = 'x'\n[keys]\njump = ['KEY_A']").expect_err("refused");
        assert!(unknown.to_string().contains("jump"), "{unknown}");
    }

    #[test]
    fn a_machine_without_input_devices_feels_nothing() {
        let mut hands = InputDevices::new(None);
        let felt = hands.next(Duration::ZERO);
        assert!(
            felt.iter().all(|event| matches!(event, HandEvent::Headphones(_))),
            "{felt:?}"
        );
    }
}
