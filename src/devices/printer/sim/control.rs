//! The switches as words, one order a line: `paper out`, `cover open`, `slow 200`, `reset-after 90`.

use std::str::FromStr;

use super::{Roll, Simulator};

/// One order to a simulated printer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// `paper full|low|out`
    Paper(Roll),
    /// `cover open|closed`
    CoverOpen(bool),
    /// `cutter jam|ok`
    Jammed(bool),
    /// `mute on|off`
    Mute(bool),
    /// `slow BYTES|off`, bytes a second.
    Slow(Option<u32>),
    /// `out-after BYTES|off`
    OutAfter(Option<u64>),
    /// `reset-after BYTES|off`
    ResetAfter(Option<u64>),
    /// `roll MM|endless`
    RollMm(Option<u32>),
    /// `status`: how everything stands.
    Status,
}

/// A line that is no order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no order; write paper full|low|out, cover open|closed, cutter jam|ok, mute on|off, \
     slow N|off, out-after N|off, reset-after N|off, roll MM|endless or status"
)]
pub struct ControlError(String);

impl FromStr for Control {
    type Err = ControlError;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let wrong = || ControlError(line.trim().chars().take(60).collect());
        let words: Vec<&str> = line.split_whitespace().collect();
        fn number<T: FromStr>(word: &str, none: &str) -> Option<Option<T>> {
            if word == none {
                Some(None)
            } else {
                word.parse().ok().map(Some)
            }
        }
        Ok(match words.as_slice() {
            ["paper", "full"] => Self::Paper(Roll::Full),
            ["paper", "low"] => Self::Paper(Roll::Low),
            ["paper", "out"] => Self::Paper(Roll::Empty),
            ["cover", "open"] => Self::CoverOpen(true),
            ["cover", "closed"] => Self::CoverOpen(false),
            ["cutter", "jam"] => Self::Jammed(true),
            ["cutter", "ok"] => Self::Jammed(false),
            ["mute", "on"] => Self::Mute(true),
            ["mute", "off"] => Self::Mute(false),
            ["slow", rate] => Self::Slow(number(rate, "off").ok_or_else(wrong)?),
            ["out-after", bytes] => Self::OutAfter(number(bytes, "off").ok_or_else(wrong)?),
            ["reset-after", bytes] => Self::ResetAfter(number(bytes, "off").ok_or_else(wrong)?),
            ["roll", mm] => Self::RollMm(number(mm, "endless").ok_or_else(wrong)?),
            ["status"] => Self::Status,
            _ => return Err(wrong()),
        })
    }
}

impl Control {
    /// Does it, and says how everything stands then.
    pub fn apply(self, simulator: &Simulator) -> String {
        simulator.set(|switches| match self {
            Self::Paper(roll) => switches.roll = roll,
            Self::CoverOpen(open) => switches.cover_open = open,
            Self::Jammed(jammed) => switches.jammed = jammed,
            Self::Mute(mute) => switches.mute = mute,
            Self::Slow(rate) => switches.slow = rate,
            Self::OutAfter(bytes) => switches.out_after = bytes,
            Self::ResetAfter(bytes) => switches.reset_after = bytes,
            Self::RollMm(mm) => switches.roll_mm = mm,
            Self::Status => {}
        });
        let switches = simulator.switches();
        let roll = match switches.roll {
            Roll::Full => "full",
            Roll::Low => "low",
            Roll::Empty => "out",
        };
        format!(
            "paper {roll}, cover {}, cutter {}, {}{} sheets, {} bytes waiting",
            if switches.cover_open { "open" } else { "closed" },
            if switches.jammed { "jam" } else { "ok" },
            if switches.mute { "mute, " } else { "" },
            simulator.sheets().len(),
            simulator.waiting_bytes(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::printer::Profile;
    use crate::devices::printer::sim::Build;

    #[test]
    fn orders_turn_switches_and_anything_else_says_what_there_is() {
        let simulator = Simulator::new(Build::new(Profile::wide()));
        for (order, expected) in [
            ("paper out", "paper out, cover closed, cutter ok, 0 sheets"),
            ("cover open", "paper out, cover open, cutter ok, 0 sheets"),
            ("mute on", "mute, 0 sheets"),
            ("slow 200", "0 bytes waiting"),
            ("slow off", "0 bytes waiting"),
            ("status", "paper out, cover open"),
        ] {
            let order: Control = order.parse().expect(order);
            let answer = order.apply(&simulator);
            assert!(answer.contains(expected), "{answer}");
        }
        for line in ["", "paper", "paper none", "slow x", "roll -1", "explode"] {
            let error = line.parse::<Control>().expect_err(line);
            assert!(error.to_string().contains("paper full|low|out"));
        }
    }
}
