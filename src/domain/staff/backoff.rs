//! How long somebody who guesses passwords waits.
//!
//! Five tries are free, for people mistype. Then one waits 15 s, each wrong one doubles the wait, and at fifteen an account is shut
//! until somebody unlocks it. The count is kept on the disk: a restart is no way around it.
//! An address is never shut for good and waits four minutes at the most, because a whole office may stand behind one.

use jiff::{SignedDuration, Timestamp};

/// Wrong tries that cost nothing.
pub const FREE_TRIES: u32 = 5;
/// Wrong tries that shut an account.
pub const LOCK_TRIES: u32 = 15;
/// Wait after the first try that is not free.
pub const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(15);
/// How often the wait of an address doubles: to four minutes, because a whole office may stand behind it, and whoever
/// was just unlocked must not wait for hours. That is some 360 tries a day over all accounts.
const ADDRESS_DOUBLINGS: u32 = 4;
/// A count is forgotten this long after the last wrong try, unless the account is shut.
pub const FORGET_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// What is guarded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject {
    /// An account, wherever the tries come from.
    Account,
    /// An address, whichever accounts it tries.
    Address,
}

/// Whether another try is let through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gate {
    /// Now.
    Open,
    /// Not before this moment.
    Wait(Timestamp),
    /// Not before somebody unlocks the account.
    Locked,
}

/// The wait after `failures` wrong tries in a row.
pub fn wait_after(subject: Subject, failures: u32) -> SignedDuration {
    let most = match subject {
        Subject::Account => LOCK_TRIES - FREE_TRIES - 1,
        Subject::Address => ADDRESS_DOUBLINGS,
    };
    match failures.checked_sub(FREE_TRIES) {
        None => SignedDuration::ZERO,
        Some(doublings) => FIRST_WAIT * 2_i32.pow(doublings.min(most)),
    }
}

/// Whether a try at `now` is let through after `failures` wrong ones, the newest at `last`.
pub fn gate(subject: Subject, failures: u32, last: Timestamp, now: Timestamp) -> Gate {
    if subject == Subject::Account && failures >= LOCK_TRIES {
        return Gate::Locked;
    }
    let since = now.duration_since(last);
    // A clock that was set back must not shut an office out for hours; the count stands all the same.
    if since.is_negative() || since >= FORGET_AFTER {
        return Gate::Open;
    }
    let wait = wait_after(subject, failures);
    if since >= wait {
        Gate::Open
    } else {
        Gate::Wait(last.checked_add(wait).unwrap_or(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_are_free_then_the_wait_doubles_and_fifteen_shut_the_account() {
        let waits: Vec<i64> = (0..=16)
            .map(|n| wait_after(Subject::Account, n).as_secs())
            .collect();
        assert_eq!(
            waits,
            [
                0, 0, 0, 0, 0, 15, 30, 60, 120, 240, 480, 960, 1920, 3840, 7680, 7680, 7680
            ]
        );
        let last = Timestamp::UNIX_EPOCH;
        let at = |seconds| last + SignedDuration::from_secs(seconds);
        let account = |failures, now| gate(Subject::Account, failures, last, now);
        assert_eq!(account(4, at(0)), Gate::Open);
        assert_eq!(account(5, at(14)), Gate::Wait(at(15)));
        assert_eq!(account(5, at(15)), Gate::Open);
        assert_eq!(account(15, at(1_000_000)), Gate::Locked);
        assert_eq!(gate(Subject::Address, 15, last, at(60)), Gate::Wait(at(240)));
        assert_eq!(account(9, at(-60)), Gate::Open, "a clock set back");
    }
}
