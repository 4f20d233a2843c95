//! Which PINs and passwords are good enough for whom.
//!
//! An agent types a PIN many times a day at a counter that others see, so six digits are allowed there, and guessing
//! is stopped by [`super::backoff`]. Whoever has more rights has a longer password. Nothing has to be changed every
//! three months: that makes people write them down.

use super::Role;

/// Digits a PIN has at least.
pub const PIN_MIN: usize = 6;
/// Characters an agent's password has at least, when it is no PIN.
pub const AGENT_MIN: usize = 8;
/// Characters of the password of a supervisor, an auditor or a technician.
pub const STAFF_MIN: usize = 10;
/// Characters of an administrator's password.
pub const ADMIN_MIN: usize = 12;
/// Longer ones are refused, so that nobody makes us hash a book.
pub const SECRET_MAX: usize = 128;
/// Different characters a password has at least.
const VARIETY: usize = 5;

/// Why a PIN or a password is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Weak {
    /// Too short for the role.
    #[error("The password is too short; this role needs {0} characters")]
    Short(usize),
    /// Longer than anybody types.
    #[error("The password is longer than {SECRET_MAX} characters; choose a shorter one")]
    Long,
    /// Digits only, and fewer than a PIN has.
    #[error("The PIN is too short; it needs {PIN_MIN} digits")]
    ShortPin,
    /// A PIN that is tried first by anybody who guesses.
    #[error("The PIN is one of the first that anybody tries, such as 123456 or a date; choose another one")]
    EasyPin,
    /// Too few different characters, or a word that is tried first.
    #[error("The password is easy to guess; use several words that do not belong together")]
    Easy,
    /// It holds the login.
    #[error("The password contains the login; choose another one")]
    HoldsLogin,
}

/// Beginnings of what is tried first, letters only, small.
const COMMON: [&str; 10] = [
    "password",
    "contrasena",
    "contraseña",
    "clave",
    "qwerty",
    "asdf",
    "admin",
    "ventanilla",
    "municipio",
    "ecuador",
];

/// Characters the secret of `role` has at least, when it is a password.
pub fn shortest(role: Role) -> usize {
    match role {
        Role::Agent => AGENT_MIN,
        Role::Supervisor | Role::Auditor | Role::Technician => STAFF_MIN,
        Role::Admin => ADMIN_MIN,
    }
}

/// Whether `secret` is good enough for somebody of `role` who logs in as `login`.
///
/// # Errors
/// Why it is not.
pub fn check(role: Role, login: &str, secret: &str) -> Result<(), Weak> {
    let length = secret.chars().count();
    if length > SECRET_MAX {
        return Err(Weak::Long);
    }
    if role == Role::Agent && !secret.is_empty() && secret.bytes().all(|b| b.is_ascii_digit()) {
        return check_pin(secret);
    }
    if length < shortest(role) {
        return Err(Weak::Short(shortest(role)));
    }
    let small = secret.to_lowercase();
    if login.chars().count() >= 3 && small.contains(&login.to_lowercase()) {
        return Err(Weak::HoldsLogin);
    }
    let mut different: Vec<char> = small.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < VARIETY {
        return Err(Weak::Easy);
    }
    // «Clave2026!!» is one word and what people put behind it.
    let letters: String = small.chars().filter(|c| c.is_alphabetic()).collect();
    if COMMON.iter().any(|word| {
        letters
            .strip_prefix(word)
            .is_some_and(|rest| rest.chars().count() < 4)
    }) {
        return Err(Weak::Easy);
    }
    Ok(())
}

fn check_pin(pin: &str) -> Result<(), Weak> {
    let digits: Vec<i32> = pin.bytes().map(|b| i32::from(b - b'0')).collect();
    if digits.len() < PIN_MIN {
        return Err(Weak::ShortPin);
    }
    let steps: Vec<i32> = digits
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).rem_euclid(10))
        .collect();
    // 111111, 123456, 987654, 246802: every step the same.
    let even = steps.windows(2).all(|pair| pair[0] == pair[1]);
    // 121212, 123123: a block again and again.
    let repeats = (1..=digits.len() / 2).any(|n| {
        digits
            .iter()
            .zip(digits.iter().skip(n))
            .all(|(digit, later)| digit == later)
    });
    // 112233, 110022: pairs.
    let pairs = digits.len().is_multiple_of(2) && digits.chunks(2).all(|pair| pair[0] == pair[1]);
    // 123321: there and back.
    let back = digits.iter().eq(digits.iter().rev());
    // 147258, 159753: ways over the keypad.
    let keypad = [
        "147258", "258369", "159753", "159357", "753951", "789456", "456789",
    ]
    .iter()
    .any(|way| pin.starts_with(way));
    if even || repeats || pairs || back || keypad || is_date(&digits) {
        return Err(Weak::EasyPin);
    }
    Ok(())
}

/// Day, month and year of somebody alive, in six or eight digits.
fn is_date(digits: &[i32]) -> bool {
    let two = |at: usize| digits[at] * 10 + digits[at + 1];
    let day_month = |day: i32, month: i32| (1..=31).contains(&day) && (1..=12).contains(&month);
    let year = |at: usize| (19..=20).contains(&two(at));
    match digits.len() {
        8 => (year(4) && day_month(two(0), two(2))) || (year(0) && day_month(two(6), two(4))),
        // Six digits are a date too often to refuse them all: only years of people at work, 50 to 09.
        6 => day_month(two(0), two(2)) && !(10..50).contains(&two(4)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn takes(role: Role, secret: &str, wanted: Result<(), Weak>) {
        assert_eq!(check(role, "ana.p", secret), wanted, "{role:?} {secret}");
    }

    #[test]
    fn a_pin_is_six_digits_that_nobody_tries_first_and_only_agents_have_one() {
        takes(Role::Agent, "739164", Ok(()));
        takes(Role::Agent, "7391640", Ok(()));
        takes(Role::Agent, "73916", Err(Weak::ShortPin));
        for easy in [
            "111111", "123456", "654321", "135791", "121212", "123123", "112233", "123321", "147258",
            "240785", "24071985", "19850724",
        ] {
            takes(Role::Agent, easy, Err(Weak::EasyPin));
        }
        takes(Role::Supervisor, "739164", Err(Weak::Short(STAFF_MIN)));
    }

    #[test]
    fn more_rights_need_a_longer_password() {
        takes(Role::Agent, "perro az", Ok(()));
        takes(Role::Agent, "perro a", Err(Weak::Short(AGENT_MIN)));
        for role in [Role::Supervisor, Role::Auditor, Role::Technician] {
            takes(role, "tres gato", Err(Weak::Short(STAFF_MIN)));
            takes(role, "tres gatos", Ok(()));
        }
        takes(Role::Admin, "tres gatos 1", Ok(()));
        takes(Role::Admin, "tres gatos", Err(Weak::Short(ADMIN_MIN)));
        takes(Role::Admin, "soy Ana.P y mando", Err(Weak::HoldsLogin));
        takes(Role::Admin, "aaaaaaaaaaaab", Err(Weak::Easy));
        takes(Role::Supervisor, "Clave2026!!", Err(Weak::Easy));
        takes(Role::Admin, &"ab cd ef".repeat(30), Err(Weak::Long));
    }
}
