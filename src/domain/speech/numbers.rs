//! Numbers, dates, money, times, turns and codes in words, as a person would read them aloud.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::i18n::{self, Language};

/// A text as it is said: the shown words, with everything that only eyes understand put into words.
pub fn spoken(text: &str, language: Language) -> String {
    let mut text = text
        .replace(['«', '»', '“', '”', '…'], "")
        .replace(" · ", ", ")
        .replace('\n', ", ");
    for (pattern, words) in READERS.iter() {
        text = pattern
            .replace_all(&text, |found: &Captures<'_>| words(found, language))
            .into_owned();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

type Reader = fn(&Captures<'_>, Language) -> String;

/// In this order: what is longer and clearer first.
static READERS: LazyLock<Vec<(Regex, Reader)>> = LazyLock::new(|| {
    let readers: [(&str, Reader); 9] = [
        (r"USD\s?(\d[\d.]*)(?:,(\d{1,2}))?", money),
        (r"\b([0-9A-Z]{4})-([0-9A-Z]{4})\b", code),
        (r"\b([A-Z]{1,2})-(\d{3,4})\b", turn),
        (r"\d{2}•+(\d{2})(\d{2})", masked),
        (r"\b(\d{1,2}):(\d{2})\b", time),
        (r"\b(\d{1,2})\s?/\s?(\d{1,2})(?:\s?/\s?(\d{4}))?\b", date),
        (r"\b\d{1,3}(?:\.\d{3})+\b", grouped),
        (r"\b\d{5,}\b", digits),
        (r"\b\d{1,4}\b", number),
    ];
    readers
        .into_iter()
        .map(|(pattern, reader)| (Regex::new(pattern).expect("our own patterns are sound"), reader))
        .collect()
});

fn part(found: &Captures<'_>, at: usize) -> String {
    found
        .get(at)
        .map(|part| part.as_str().to_owned())
        .unwrap_or_default()
}

/// A number as English voices read it, and as Spanish ones are told to.
fn words(n: u32, language: Language) -> String {
    match language {
        Language::English => n.to_string(),
        Language::Spanish | Language::Kichwa => spanish(n),
    }
}

fn plain(text: &str) -> u32 {
    text.replace('.', "").parse().unwrap_or(u32::MAX)
}

fn money(found: &Captures<'_>, language: Language) -> String {
    let (whole, cents) = (plain(&part(found, 1)), part(found, 2));
    let cents = format!("{cents:0<2}").parse::<u32>().unwrap_or(0);
    let counted = |n: u32, one: &str, many: &str| {
        let unit = i18n::say(language, if n == 1 { one } else { many });
        format!("{} {unit}", shortened(&words(n, language), language))
    };
    let dollars = counted(whole, "voice-dollar", "voice-dollars");
    if cents == 0 {
        return dollars;
    }
    let cents = counted(cents, "voice-cent", "voice-cents");
    i18n::fill(
        language,
        "voice-money",
        &[("dollars", &dollars), ("cents", &cents)],
    )
}

/// «uno» before a noun is «un».
fn shortened(words: &str, language: Language) -> String {
    if language == Language::English {
        return words.to_owned();
    }
    match words.strip_suffix("veintiuno") {
        Some(head) => format!("{head}veintiún"),
        None => words
            .strip_suffix("uno")
            .map_or_else(|| words.to_owned(), |head| format!("{head}un")),
    }
}

fn code(found: &Captures<'_>, language: Language) -> String {
    let (head, tail) = (part(found, 1), part(found, 2));
    format!("{}. {}", letters(&head, language), letters(&tail, language))
}

fn turn(found: &Captures<'_>, language: Language) -> String {
    let (series, digits) = (part(found, 1), part(found, 2));
    let zeros = digits.len() - digits.trim_start_matches('0').len();
    let zeros = zeros.min(digits.len() - 1);
    let mut said = vec![words(0, language); zeros];
    said.push(words(plain(&digits), language));
    format!("{}, {}", letters(&series, language), said.join(" "))
}

fn masked(found: &Captures<'_>, language: Language) -> String {
    // The two halves apart, as they are printed: «71 03».
    let half = |at: usize| {
        let digits = part(found, at);
        if digits.starts_with('0') {
            format!("{} {}", words(0, language), words(plain(&digits), language))
        } else {
            words(plain(&digits), language)
        }
    };
    let (first, second) = (half(1), half(2));
    i18n::fill(language, "voice-masked", &[("end", &format!("{first} {second}"))])
}

fn time(found: &Captures<'_>, language: Language) -> String {
    let (hour, minute) = (plain(&part(found, 1)), plain(&part(found, 2)));
    match (language, minute) {
        (Language::English, _) => format!("{hour}:{minute:02}"),
        (_, 0) => i18n::fill(language, "voice-oclock", &[("hour", &feminine(hour))]),
        _ => format!("{} y {}", feminine(hour), spanish(minute)),
    }
}

/// Hours are feminine: «la una», «las veintiuna».
fn feminine(hour: u32) -> String {
    let said = spanish(hour);
    said.strip_suffix("uno")
        .map_or_else(|| said.clone(), |head| format!("{head}una"))
}

fn date(found: &Captures<'_>, language: Language) -> String {
    let (day, month, year) = (plain(&part(found, 1)), plain(&part(found, 2)), part(found, 3));
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return found
            .get(0)
            .map(|all| all.as_str().to_owned())
            .unwrap_or_default();
    }
    let month = i18n::say(language, MONTHS[month as usize - 1]);
    let day = words(day, language);
    if year.is_empty() {
        i18n::fill(language, "voice-day", &[("day", &day), ("month", &month)])
    } else {
        let year = words(plain(&year), language);
        i18n::fill(
            language,
            "voice-date",
            &[("day", &day), ("month", &month), ("year", &year)],
        )
    }
}

fn grouped(found: &Captures<'_>, language: Language) -> String {
    words(plain(&part(found, 0)), language)
}

fn number(found: &Captures<'_>, language: Language) -> String {
    let text = part(found, 0);
    if text.len() > 1 && text.starts_with('0') {
        return digits(found, language);
    }
    words(plain(&text), language)
}

fn digits(found: &Captures<'_>, language: Language) -> String {
    part(found, 0)
        .chars()
        .filter_map(|digit| digit.to_digit(10))
        .map(|digit| words(digit, language))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Letter by letter, each by its name.
pub(super) fn letters(text: &str, language: Language) -> String {
    text.chars()
        .map(|letter| match (letter.to_digit(10), language) {
            (Some(digit), _) => words(digit, language),
            (None, Language::English) => letter.to_uppercase().collect(),
            (None, Language::Spanish | Language::Kichwa) => name(letter),
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn name(letter: char) -> String {
    let lower: String = letter.to_lowercase().collect();
    NAMES
        .iter()
        .find(|(one, _)| *one == lower)
        .map_or(lower.clone(), |(_, name)| (*name).to_owned())
}

/// Names of the letters in Spanish, and what keys with signs are called.
const NAMES: [(&str, &str); 42] = [
    ("a", "a"),
    ("á", "a con tilde"),
    ("b", "be"),
    ("c", "ce"),
    ("d", "de"),
    ("e", "e"),
    ("é", "e con tilde"),
    ("f", "efe"),
    ("g", "ge"),
    ("h", "hache"),
    ("i", "i"),
    ("í", "i con tilde"),
    ("j", "jota"),
    ("k", "ka"),
    ("l", "ele"),
    ("m", "eme"),
    ("n", "ene"),
    ("ñ", "eñe"),
    ("o", "o"),
    ("ó", "o con tilde"),
    ("p", "pe"),
    ("q", "cu"),
    ("r", "erre"),
    ("s", "ese"),
    ("t", "te"),
    ("u", "u"),
    ("ú", "u con tilde"),
    ("ü", "u con diéresis"),
    ("v", "uve"),
    ("w", "doble uve"),
    ("x", "equis"),
    ("y", "ye"),
    ("z", "zeta"),
    ("@", "arroba"),
    (".", "punto"),
    (",", "coma"),
    ("-", "guion"),
    ("_", "guion bajo"),
    ("/", "barra"),
    ("?", "pregunta"),
    ("!", "exclamación"),
    ("+", "más"),
];

const MONTHS: [&str; 12] = [
    "month-1", "month-2", "month-3", "month-4", "month-5", "month-6", "month-7", "month-8", "month-9",
    "month-10", "month-11", "month-12",
];

const SMALL: [&str; 30] = [
    "cero",
    "uno",
    "dos",
    "tres",
    "cuatro",
    "cinco",
    "seis",
    "siete",
    "ocho",
    "nueve",
    "diez",
    "once",
    "doce",
    "trece",
    "catorce",
    "quince",
    "dieciséis",
    "diecisiete",
    "dieciocho",
    "diecinueve",
    "veinte",
    "veintiuno",
    "veintidós",
    "veintitrés",
    "veinticuatro",
    "veinticinco",
    "veintiséis",
    "veintisiete",
    "veintiocho",
    "veintinueve",
];
const TENS: [&str; 10] = [
    "",
    "",
    "",
    "treinta",
    "cuarenta",
    "cincuenta",
    "sesenta",
    "setenta",
    "ochenta",
    "noventa",
];
const HUNDREDS: [&str; 10] = [
    "",
    "ciento",
    "doscientos",
    "trescientos",
    "cuatrocientos",
    "quinientos",
    "seiscientos",
    "setecientos",
    "ochocientos",
    "novecientos",
];

/// Spanish cardinal; what is beyond a thousand million stays in digits.
fn spanish(n: u32) -> String {
    let joined = |head: String, rest: u32| {
        if rest == 0 {
            head
        } else {
            format!("{head} {}", spanish(rest))
        }
    };
    match n {
        0..=29 => SMALL[n as usize].to_owned(),
        30..=99 if n.is_multiple_of(10) => TENS[n as usize / 10].to_owned(),
        30..=99 => format!("{} y {}", TENS[n as usize / 10], SMALL[n as usize % 10]),
        100 => "cien".to_owned(),
        101..=999 => joined(HUNDREDS[n as usize / 100].to_owned(), n % 100),
        1000..=1999 => joined("mil".to_owned(), n % 1000),
        2000..=999_999 => {
            let thousands = shortened(&spanish(n / 1000), Language::Spanish);
            joined(format!("{thousands} mil"), n % 1000)
        }
        1_000_000..=1_999_999 => joined("un millón".to_owned(), n % 1_000_000),
        2_000_000..=999_999_999 => {
            let millions = shortened(&spanish(n / 1_000_000), Language::Spanish);
            joined(format!("{millions} millones"), n % 1_000_000)
        }
        _ => n.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(shown: &str, said: &str) {
        assert_eq!(spoken(shown, Language::Spanish), said);
    }

    #[test]
    fn what_only_eyes_understand_is_put_into_words() {
        check(
            "Su turno, Tributos: T-018",
            "Su turno, Tributos: te, cero dieciocho",
        );
        check("C-501", "ce, quinientos uno");
        check("T-1000", "te, mil");
        check("QT7M-4K2P", "cu te siete eme. cuatro ka dos pe");
        check(
            "Cédula: 17••••7103",
            "Cédula: número terminado en setenta y uno cero tres",
        );
        check("USD 2.350,00", "dos mil trescientos cincuenta dólares");
        check("USD 1,50", "un dólar con cincuenta centavos");
        check(
            "USD 21.001,01 de patrimonio",
            "veintiún mil un dólares con un centavo de patrimonio",
        );
        check("a las 10:42", "a las diez y cuarenta y dos");
        check("a las 08:00", "a las ocho en punto");
        check("a las 21:05", "a las veintiuna y cinco");
        check("24/11/2026", "veinticuatro de noviembre de dos mil veintiséis");
        check(
            "05 / 08 / 1954",
            "cinco de agosto de mil novecientos cincuenta y cuatro",
        );
        check("20 a 30 minutos", "veinte a treinta minutos");
        check("Predio 512034", "Predio cinco uno dos cero tres cuatro");
        check("1800 510 510", "mil ochocientos quinientos diez quinientos diez");
        check("«Continuar» · Gratis…", "Continuar, Gratis");
        check("31 personas", "treinta y uno personas");
    }

    #[test]
    fn english_voices_read_numbers_themselves() {
        assert_eq!(
            spoken("Your turn: T-018", Language::English),
            "Your turn: T, 0 18"
        );
        assert_eq!(spoken("USD 2.350,00", Language::English), "2350 dollars");
    }

    #[test]
    fn every_number_has_words_and_no_two_the_same() {
        let mut seen = std::collections::HashSet::new();
        for n in (0..3000).chain((3000..2_000_000).step_by(997)) {
            let said = spanish(n);
            assert!(!said.contains(|c: char| c.is_ascii_digit()), "{n}: {said}");
            assert!(seen.insert(said.clone()), "{n}: {said}");
        }
    }
}
