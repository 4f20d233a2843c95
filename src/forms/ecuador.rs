//! Ecuadorian documents: what can be said about a number from the number alone.
//!
//! Nothing here proves that a person, a company or a property exists. A doubt is a warning, never a refusal: companies
//! are registered today with numbers that no checksum explains. Begin with [`cedula`] and [`ruc`].

use jiff::civil::Date;

/// A taxpayer number of the right structure.
#[derive(Clone, PartialEq, Eq)]
pub struct Ruc {
    /// Thirteen digits.
    pub number: String,
    /// Whether the check digit agrees. The tax office has issued numbers where it does not, so `false` asks the citizen
    /// to look again and no more.
    pub sure: bool,
}

/// A telephone of Ecuador.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone {
    /// `+593...`
    pub e164: String,
    /// Whether a text message can reach it.
    pub mobile: bool,
}

/// What a plate is screwed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlateKind {
    /// Three letters and four digits, or an official series.
    Car,
    /// Two letters, three digits, one letter.
    Motorcycle,
}

/// A vehicle plate.
#[derive(Clone, PartialEq, Eq)]
pub struct Plate {
    /// Capitals and digits, without the hyphen; three digits are padded with a zero.
    pub written: String,
    /// Car or motorcycle.
    pub kind: PlateKind,
}

/// The ten digits of a cédula, when its structure and check digit are right.
pub fn cedula(text: &str) -> Option<String> {
    let digits = bare(text);
    let d = figures(&digits, 10)?;
    let province = d[0] * 10 + d[1];
    // 30 is for Ecuadorians registered abroad. Third digit 6 is issued to foreign residents.
    let right = (matches!(province, 1..=24) || province == 30)
        && d[2] <= 6
        && d.iter().any(|x| *x != d[0])
        && check_mod_10(&d[..9]) == d[9];
    right.then_some(digits)
}

fn check_mod_10(digits: &[u32]) -> u32 {
    let sum: u32 = digits
        .iter()
        .enumerate()
        .map(|(i, d)| {
            let product = if i % 2 == 0 { d * 2 } else { *d };
            if product > 9 { product - 9 } else { product }
        })
        .sum();
    (10 - sum % 10) % 10
}

/// The thirteen digits of a RUC of the right structure.
pub fn ruc(text: &str) -> Option<Ruc> {
    let number = bare(text);
    let d = figures(&number, 13)?;
    let province = d[0] * 10 + d[1];
    if !(matches!(province, 1..=24) || province == 30) {
        return None;
    }
    let person = number[10..] != *"000" && cedula(&number[..10]).is_some();
    let sure = match d[2] {
        0..=5 if person => true,
        6 => {
            let public =
                check_mod_11(&d[..8], &[3, 2, 7, 6, 5, 4, 3, 2]) == Some(d[8]) && number[9..] != *"0000";
            if number[9..] == *"0000" && !person {
                return None;
            }
            public || person
        }
        9 if number[10..] != *"000" => check_mod_11(&d[..9], &[4, 3, 2, 7, 6, 5, 4, 3, 2]) == Some(d[9]),
        _ => return None,
    };
    Some(Ruc { number, sure })
}

/// The check digit, or nothing where the residue has none.
fn check_mod_11(digits: &[u32], weights: &[u32]) -> Option<u32> {
    let sum: u32 = digits.iter().zip(weights).map(|(d, w)| d * w).sum();
    match sum % 11 {
        0 => Some(0),
        1 => None,
        rest => Some(11 - rest),
    }
}

/// A mobile or landline number, however it was typed.
pub fn phone(text: &str) -> Option<Phone> {
    let bare: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.'))
        .collect();
    let rest = bare.strip_prefix("+593").or_else(|| bare.strip_prefix("00593"));
    let rest = rest
        .or_else(|| bare.strip_prefix("593").filter(|r| r.len() >= 8))
        .unwrap_or(&bare);
    let national = rest.strip_prefix('0').unwrap_or(rest);
    if !national.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let first = national.bytes().next()?;
    let mobile = national.len() == 9 && first == b'9';
    let second = national.as_bytes().get(1).copied()?;
    let landline = national.len() == 8 && matches!(first, b'2'..=b'7') && matches!(second, b'2'..=b'7');
    // 093 to 099 and 0959… are in use; a row of zeros is a way of not answering.
    let empty = national.bytes().skip(1).all(|b| b == b'0');
    ((mobile || landline) && !empty).then(|| Phone {
        e164: format!("+593{national}"),
        mobile,
    })
}

/// A vehicle plate, however it was typed.
pub fn plate(text: &str) -> Option<Plate> {
    let written: String = bare(text).to_uppercase();
    if !written.is_ascii() {
        return None;
    }
    let letters = written.bytes().take_while(u8::is_ascii_uppercase).count();
    let digits = written
        .bytes()
        .skip(letters)
        .take_while(u8::is_ascii_digit)
        .count();
    let rest = written.len() - letters - digits;
    let official = matches!(written.get(..2), Some("CC" | "CD" | "OI" | "AT" | "IT"));
    match (letters, digits, rest) {
        (2, 3, 1) if written.ends_with(|c: char| c.is_ascii_uppercase()) => Some(Plate {
            written,
            kind: PlateKind::Motorcycle,
        }),
        // No province has D or F.
        (3, 3 | 4, 0) if !written.starts_with(['D', 'F']) => {
            let padded = format!("{}{:0>4}", &written[..3], &written[3..]);
            Some(Plate {
                written: padded,
                kind: PlateKind::Car,
            })
        }
        (2, 3 | 4, 0) if official => {
            let padded = format!("{}{:0>4}", &written[..2], &written[2..]);
            Some(Plate {
                written: padded,
                kind: PlateKind::Car,
            })
        }
        _ => None,
    }
}

/// The month (1–12) in which a vehicle is due for inspection: last digit 1 in February, 0 in November.
pub fn plate_month(text: &str) -> Option<u8> {
    let last = plate(text)?.written.bytes().rfind(u8::is_ascii_digit)? - b'0';
    Some(if last == 0 { 11 } else { last + 1 })
}

/// A property number: one to eight digits, not zero. No checksum is published, so none is invented.
pub fn predio(text: &str) -> Option<String> {
    let number = text.trim();
    let right = (1..=8).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
        && number.bytes().any(|b| b != b'0');
    right.then(|| number.to_owned())
}

/// Cents of an amount in dollars, with decimal comma or point, or nothing when it is not an amount.
///
/// `1.234` is refused: half of the readers take it for a thousand.
pub fn money_cents(text: &str) -> Option<u64> {
    let text = text
        .trim()
        .trim_start_matches("USD")
        .trim_start_matches('$')
        .trim();
    let whole_and_cents = match text.rfind(['.', ',']) {
        None => (text.to_owned(), String::new()),
        Some(at) => {
            let (whole, cents) = (&text[..at], &text[at + 1..]);
            let mark = text.as_bytes()[at];
            let thousands = if mark == b'.' { ',' } else { '.' };
            let groups: Vec<&str> = whole.split(thousands).collect();
            let grouped = groups.len() > 1;
            let well_grouped = groups[0].len() <= 3 && groups[1..].iter().all(|g| g.len() == 3);
            if cents.is_empty() || cents.len() > 2 || grouped && !well_grouped {
                return None;
            }
            (groups.concat(), cents.to_owned())
        }
    };
    let (whole, cents) = whole_and_cents;
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || !digits(&whole) || !digits(&cents) {
        return None;
    }
    let cents: u64 = format!("{cents:0<2}").parse().ok()?;
    Some(whole.parse::<u64>().ok()? * 100 + cents)
}

/// `USD 1.234,50`, as amounts are printed in Ecuador.
pub fn money_text(cents: u64) -> String {
    let whole = (cents / 100).to_string();
    let mut grouped = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            grouped.push('.');
        }
        grouped.push(c);
    }
    format!("USD {grouped},{:02}", cents % 100)
}

/// The printed form of a calculated amount (`12.5`, `12.345` rounds) or of a typed one.
pub fn money_text_of(text: &str) -> Option<String> {
    if let Some(cents) = money_cents(text) {
        return Some(money_text(cents));
    }
    let value: f64 = text.trim().parse().ok()?;
    let cents = super::xpath::value::round_at(value, 2) * 100.0;
    (0.0..1e14)
        .contains(&cents)
        .then(|| money_text(cents.round() as u64))
}

/// Reads a day typed as `24/11/2026` (or stored as `2026-11-24`), refusing days that do not exist.
pub fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    if let Ok(date) = text.parse::<Date>() {
        return Some(date);
    }
    let mut parts = text.split(['/', '-', '.']);
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// Without the spaces and hyphens that people put between groups.
fn bare(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, ' ' | '-')).collect()
}

fn figures(digits: &str, length: usize) -> Option<Vec<u32>> {
    let out: Vec<u32> = digits
        .chars()
        .map_while(|c| c.is_ascii_digit().then(|| c.to_digit(10)).flatten())
        .collect();
    (out.len() == length && digits.len() == length).then_some(out)
}

#[cfg(test)]
mod tests;
