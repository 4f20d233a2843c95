//! What lies over the screen: the question about time, help, settings, the cover.

use jiff::Timestamp;

use super::draw::Draw;
use super::view::{Block, Button, Face, Item, TextSize, Theme, View, Voice, Words};
use super::{Comfort, Effect, Input, Outcome, Session, State};
use crate::domain::id::Moment;
use crate::i18n::{self, Language};

pub(super) enum Overlay {
    /// Asked since then; at the end of the countdown everything is wiped.
    Idle {
        since: Timestamp,
    },
    Help,
    Accessibility,
    Covered,
    /// Whether to keep what was written, to drop it or to go on.
    Leave,
}

impl Session {
    /// A second passed: silence leads to the question, and the question to the wipe.
    pub(super) fn tick(&mut self, now: Timestamp) -> Vec<Effect> {
        let delays = self.setup.delays;
        // A clock that was set back must not keep somebody's data on the screen for hours.
        if now < self.last_touch {
            self.last_touch = now;
        }
        if let Some(Overlay::Idle { since }) = &mut self.overlay {
            if now < *since {
                *since = now;
            }
            if now.duration_since(*since) >= delays.idle_countdown {
                return self.wipe(now, Outcome::Silent);
            }
            return Vec::new();
        }
        if let State::Rating { since } = &mut self.state {
            if now < *since {
                *since = now;
            }
            let waited = now.duration_since(*since);
            return if waited >= delays.rating {
                self.wipe(now, Outcome::Silent)
            } else {
                Vec::new()
            };
        }
        let nobody = matches!(
            self.state,
            State::Attract | State::OutOfService | State::Saving(_) | State::Storing(_) | State::Looking
        ) || matches!(&self.state, State::Unlocking(unlocking) if unlocking.is_waiting());
        if nobody && self.overlay.is_none() {
            // The invitation goes back to Spanish, normal letters and colours when its visitor has left.
            if matches!(self.state, State::Attract)
                && self.comfort != Comfort::default()
                && now.duration_since(self.last_touch) >= delays.idle_after
            {
                return self.wipe(now, Outcome::Silent);
            }
            return Vec::new();
        }
        let patience = if self.comfort.unhurried {
            delays.idle_unlimited
        } else if self.help.is_awaited() {
            self.patience.max(delays.help_comes)
        } else {
            self.patience
        };
        if now.duration_since(self.last_touch) >= patience {
            if matches!(self.state, State::Attract | State::OutOfService) {
                return self.wipe(now, Outcome::Silent);
            }
            self.overlay = Some(Overlay::Idle { since: now });
        }
        Vec::new()
    }

    pub(super) fn step_overlay(&mut self, input: Input, moment: Moment) -> Vec<Effect> {
        match (&self.overlay, input) {
            (Some(Overlay::Idle { .. }), Input::EndNow | Input::Finish)
            | (Some(Overlay::Leave), Input::EndNow) => {
                return self.wipe(moment.now, Outcome::Left);
            }
            (Some(Overlay::Idle { .. }), Input::MoreTime) => {
                self.patience = self.setup.delays.idle_extended;
                self.overlay = None;
            }
            (Some(Overlay::Leave | Overlay::Idle { .. }), Input::Keep) => {
                self.overlay = None;
                return self.keep(moment);
            }
            (Some(Overlay::Accessibility), Input::Comfort(comfort)) => {
                self.comfort = comfort;
                if let State::Filling(run) = &mut self.state {
                    run.set_language(comfort.language);
                }
            }
            (
                Some(Overlay::Idle { .. } | Overlay::Covered | Overlay::Accessibility | Overlay::Leave),
                Input::Help,
            ) => {
                return self.call_help(moment.now);
            }
            (Some(Overlay::Help), Input::HelpEnd) => {
                self.overlay = None;
                return self.end_help();
            }
            (Some(Overlay::Idle { .. } | Overlay::Help | Overlay::Leave), Input::Accessibility) => {
                self.overlay = Some(Overlay::Accessibility);
            }
            (Some(Overlay::Help | Overlay::Accessibility), Input::Finish) => {
                self.overlay = None;
                return self.finish(moment.now);
            }
            (Some(_), Input::Close | Input::Back) => self.overlay = None,
            // A late touch on what lay under the overlay.
            (_, _) => {}
        }
        Vec::new()
    }

    pub(super) fn show_overlay(&self, overlay: &Overlay, draw: &mut Draw<'_>) -> View {
        match overlay {
            Overlay::Idle { since } => self.show_idle(*since, draw),
            Overlay::Help => self.show_help(draw),
            Overlay::Accessibility => self.show_access(draw),
            Overlay::Leave => self.show_leave(draw),
            Overlay::Covered => {
                let title = draw.words("covered-title");
                let mut view = draw.page(Face::Covered, title);
                view.primary = Some(Button {
                    icon: "eye-slash",
                    words: draw.words("covered-help"),
                    action: draw.on(Input::Close),
                });
                view
            }
        }
    }

    fn show_idle(&self, since: Timestamp, draw: &mut Draw<'_>) -> View {
        let title = draw.words("idle-title");
        let mut view = draw.page(Face::Idle, title);
        let of = self.setup.delays.idle_countdown.as_secs();
        let left = (of - draw.now().duration_since(since).as_secs()).clamp(0, of);
        let seconds = |n: i64| u32::try_from(n).unwrap_or(0);
        view.help = draw.say("idle-help");
        view.blocks = vec![Block::Countdown {
            left: seconds(left),
            of: seconds(of),
            word: draw.say("idle-seconds"),
        }];
        view.primary = Some(draw.button("clock-clockwise", "idle-more", Input::MoreTime));
        let keep = self.keep_button(draw);
        let end = draw.button("sign-out", "idle-end", Input::EndNow);
        match keep {
            Some(keep) => view.blocks.push(Block::Buttons(vec![keep, end])),
            None => view.secondary = Some(end),
        }
        view.bottom = draw.bottom_back();
        view
    }

    fn show_access(&self, draw: &mut Draw<'_>) -> View {
        let title = draw.words("access-title");
        let mut view = draw.page(Face::Accessibility, title);
        view.help = draw.say("access-help");
        let now = self.comfort;
        let mut option = |key: &str, comfort: Comfort| Item {
            words: draw.words(key),
            action: draw.on(Input::Comfort(comfort)),
            chosen: comfort == now,
            ..Item::default()
        };
        let letters = [
            ("access-normal", TextSize::Normal),
            ("access-large", TextSize::Large),
            ("access-huge", TextSize::Huge),
        ]
        .map(|(key, size)| option(key, Comfort { size, ..now }));
        let colours = [
            ("access-normal", Theme::Normal),
            ("access-dark", Theme::Dark),
            ("access-clear", Theme::Clear),
        ]
        .map(|(key, theme)| option(key, Comfort { theme, ..now }));
        let reach = [("access-reach-all", false), ("access-reach-low", true)]
            .map(|(key, reach)| option(key, Comfort { reach, ..now }));
        let time = [("access-time-limit", false), ("access-time-none", true)]
            .map(|(key, unhurried)| option(key, Comfort { unhurried, ..now }));
        let voice = [
            ("access-voice-off", None),
            ("access-voice-on", Some(now.voice.unwrap_or_default())),
        ]
        .map(|(key, voice)| option(key, Comfort { voice, ..now }));
        let steps = now.voice.map(|voice| {
            let mut step = |change: fn(Voice, i8) -> Voice, by: i8| {
                let key = if by < 0 { "access-less" } else { "access-more" };
                Item {
                    chosen: false,
                    ..option(
                        key,
                        Comfort {
                            voice: Some(change(voice, by)),
                            ..now
                        },
                    )
                }
            };
            [
                (
                    "speaker-high",
                    "access-volume",
                    voice.volume,
                    [step(Voice::louder, -1), step(Voice::louder, 1)],
                ),
                (
                    "gauge",
                    "access-speed",
                    voice.speed,
                    [step(Voice::faster, -1), step(Voice::faster, 1)],
                ),
            ]
        });
        // Who listens by headphones may turn the glass dark, so that nobody reads along.
        let screen = (self.headphones && now.voice.is_some()).then(|| {
            [("access-screen-on", false), ("access-screen-dark", true)]
                .map(|(key, dark)| option(key, Comfort { dark, ..now }))
        });
        let languages = Language::ALL.map(|language| Item {
            words: Words::from(i18n::say(language, "language-name")),
            action: draw.on(Input::Comfort(Comfort { language, ..now })),
            chosen: language == now.language,
            ..Item::default()
        });
        let setting = |icon, key: &str, options: &[Item]| Block::Setting {
            icon,
            label: draw.say(key),
            options: options.to_vec(),
        };
        view.blocks = vec![
            setting("text-aa", "access-letters", &letters),
            setting("circle-half", "access-colours", &colours),
            setting("wheelchair", "access-reach", &reach),
            setting("timer", "access-time", &time),
            setting("translate", "access-language", &languages),
            Block::Text(draw.say("access-reset")),
        ];
        if self.around.voice {
            let mut rows = vec![setting("ear", "access-voice", &voice)];
            for (icon, key, value, options) in steps.into_iter().flatten() {
                rows.push(Block::Setting {
                    icon,
                    label: format!("{} {value}", draw.say(key)),
                    options: options.to_vec(),
                });
            }
            if let Some(options) = screen {
                rows.push(setting("eye-slash", "access-screen", &options));
            }
            view.blocks.splice(2..2, rows);
        }
        view.primary = Some(draw.button("check", "access-done", Input::Close));
        let language = now.language;
        let mut bottom = draw.bottom_back();
        bottom[2] = draw.button(
            "arrow-counter-clockwise",
            "bar-reset",
            Input::Comfort(Comfort {
                language,
                ..Comfort::default()
            }),
        );
        view.bottom = bottom;
        view
    }
}
