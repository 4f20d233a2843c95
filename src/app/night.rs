//! Whether a fetched version is installed now: at night, with nobody at the screen, or because central said so.
//!
//! Begin at [`decide`], which is pure; [`state`] is what the fleet view shows of it.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::update::Standing;
use crate::domain::fleet::UpdateState;
use crate::domain::release::{Release, ReleaseError};

/// The hours in which a machine may install and start again, such as `01:00-05:00`; it may go over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    from: Time,
    to: Time,
}

impl std::str::FromStr for Window {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time = |text: &str| text.trim().parse::<Time>().ok();
        text.split_once('-')
            .and_then(|(from, to)| {
                Some(Self {
                    from: time(from)?,
                    to: time(to)?,
                })
            })
            .filter(|window| window.from != window.to)
            .ok_or_else(|| format!("{text} is no window; write 01:00-05:00"))
    }
}

impl Window {
    /// Whether `now` is inside.
    pub fn contains(self, now: Timestamp, zone: &TimeZone) -> bool {
        let time = now.to_zoned_datetime(zone.clone()).time();
        if self.from < self.to {
            self.from <= time && time < self.to
        } else {
            self.from <= time || time < self.to
        }
    }
}

/// What is done with a version that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// There is none, or what runs is as new.
    Nothing,
    /// It is installed now.
    Install,
    /// It waits: in one word for what.
    Wait(&'static str),
    /// This machine may not take it.
    Refuse(ReleaseError),
}

/// Everything that the decision looks at.
#[derive(Clone, Copy, Debug)]
pub struct Night<'a> {
    /// What runs.
    pub standing: &'a Standing,
    /// What was fetched whole and is signed.
    pub fetched: Option<&'a Release>,
    /// Whether it is night here.
    pub in_window: bool,
    /// Whether somebody asked for it now.
    pub asked: bool,
    /// Whether somebody is at the screen.
    pub session: bool,
}

/// What is done now.
pub fn decide(night: Night<'_>) -> Decision {
    let Some(release) = night.fetched else {
        return Decision::Nothing;
    };
    if waits_for_restart(night.standing, release) {
        return Decision::Wait("restart");
    }
    match release.admit(&night.standing.here) {
        Err(ReleaseError::NotNewer { .. }) => return Decision::Nothing,
        // What runs proves itself within minutes of its start.
        Err(ReleaseError::NotProved { .. }) => return Decision::Wait("proof"),
        Err(refused) => return Decision::Refuse(refused),
        Ok(()) => {}
    }
    if night.session {
        return Decision::Wait("session");
    }
    if night.in_window || night.asked {
        Decision::Install
    } else {
        Decision::Wait("night")
    }
}

fn waits_for_restart(standing: &Standing, release: &Release) -> bool {
    standing.kernels.iter().any(|kernel| {
        kernel.slot == standing.slot.other()
            && kernel.version == release.version
            && kernel.left.is_some_and(|left| left > 0)
    })
}

/// What the fleet view shows.
pub fn state(standing: &Standing, fetched: Option<&Release>, decision: &Decision) -> UpdateState {
    let failed = standing.here.failed.clone();
    let (state, offered) = match decision {
        Decision::Refuse(ReleaseError::FailedBefore { version }) => ("failed", Some(version.clone())),
        Decision::Refuse(_) => ("refused", fetched.map(|release| release.version.clone())),
        Decision::Wait("restart") => ("installed", fetched.map(|release| release.version.clone())),
        Decision::Wait(_) | Decision::Install => ("fetched", fetched.map(|release| release.version.clone())),
        Decision::Nothing => match failed.last() {
            Some(version) => ("failed", Some(version.clone())),
            None => ("current", None),
        },
    };
    UpdateState {
        running: standing.here.version.clone(),
        proved: standing.here.proved,
        state: state.to_owned(),
        offered,
        failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::release::{Here, KernelFile, Slot};

    fn standing(proved: bool, failed: &[&str]) -> Standing {
        Standing {
            slot: Slot::A,
            here: Here {
                profile: "kiosk".into(),
                arch: "amd64".into(),
                version: "1.0.0".into(),
                proved,
                failed: failed.iter().map(|version| (*version).to_owned()).collect(),
            },
            kernels: vec![],
        }
    }

    fn release(version: &str) -> Release {
        Release {
            v: 1,
            profile: "kiosk".into(),
            arch: "amd64".into(),
            version: version.into(),
            made_at: Timestamp::UNIX_EPOCH,
            parts: vec![],
        }
    }

    #[track_caller]
    fn check(
        standing: &Standing,
        version: &str,
        (in_window, asked, session): (bool, bool, bool),
        decision: &Decision,
    ) {
        let release = release(version);
        let night = Night {
            standing,
            fetched: Some(&release),
            in_window,
            asked,
            session,
        };
        assert_eq!(decide(night), *decision);
    }

    #[test]
    fn a_version_is_installed_at_night_or_when_asked_and_never_in_a_session() {
        let proved = standing(true, &[]);
        check(&proved, "1.1.0", (true, false, false), &Decision::Install);
        check(&proved, "1.1.0", (false, true, false), &Decision::Install);
        check(&proved, "1.1.0", (false, false, false), &Decision::Wait("night"));
        check(&proved, "1.1.0", (true, true, true), &Decision::Wait("session"));
        check(&proved, "1.0.0", (true, true, false), &Decision::Nothing);
        check(
            &standing(false, &[]),
            "1.1.0",
            (true, true, false),
            &Decision::Wait("proof"),
        );
    }

    #[test]
    fn what_did_not_serve_is_not_tried_again_and_the_fleet_sees_it() {
        let rolled_back = standing(true, &["1.1.0"]);
        let failed = ReleaseError::FailedBefore {
            version: "1.1.0".into(),
        };
        check(
            &rolled_back,
            "1.1.0",
            (true, true, false),
            &Decision::Refuse(failed.clone()),
        );
        let shown = state(&rolled_back, Some(&release("1.1.0")), &Decision::Refuse(failed));
        assert_eq!(
            (shown.state.as_str(), shown.offered.as_deref()),
            ("failed", Some("1.1.0"))
        );
        check(&rolled_back, "1.1.1", (true, false, false), &Decision::Install);
        let mut waits = standing(true, &[]);
        waits.kernels.push(KernelFile {
            slot: Slot::B,
            version: "1.1.0".into(),
            left: Some(3),
        });
        check(&waits, "1.1.0", (true, true, false), &Decision::Wait("restart"));
    }

    #[test]
    fn a_window_may_go_over_midnight() {
        let zone = TimeZone::fixed(jiff::tz::offset(-5));
        let at = |hour: i64| Timestamp::from_second((hour + 5) * 3600).expect("a time");
        let window: Window = "22:30-05:00".parse().expect("a window");
        let inside: Vec<i64> = (0..24).filter(|hour| window.contains(at(*hour), &zone)).collect();
        assert_eq!(inside, [0, 1, 2, 3, 4, 23]);
        let window: Window = "01:00-05:00".parse().expect("a window");
        assert!(window.contains(at(1), &zone) && !window.contains(at(5), &zone));
        assert!("night".parse::<Window>().is_err() && "01:00-01:00".parse::<Window>().is_err());
    }
}
