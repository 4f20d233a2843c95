//! What the voice of the waiting room says for a call, as words: «Turno te, cero dieciocho. Ventanilla cuatro.»
//!
//! Letters and numbers are written out here, because a synthesizer reads «T-018» as it likes. The words themselves
//! are in the catalogue of words; here is only how they are put together. Begin at [`spoken`].

use super::ticket::CounterNumber;
use crate::i18n::{self, Language};

/// Numbers above are read digit by digit; no office comes near.
const LARGEST: u32 = 999_999;

/// The sentence for a call; `number` is as shown, such as `T-018`. Kichwa is spoken in Spanish, never made up.
pub fn spoken(language: Language, number: &str, counter: CounterNumber) -> String {
    let (series, digits) = number.split_once('-').unwrap_or(("", number));
    let letters: Vec<String> = series.chars().map(|c| letter(language, c)).collect();
    i18n::fill(
        language,
        "voice-call",
        &[
            ("series", &letters.join(" ")),
            ("number", &digits_in_words(language, digits)),
            ("counter", &number_in_words(language, u32::from(counter.0))),
        ],
    )
}

/// The name of a letter; what is no letter of the alphabet stays as it is.
fn letter(language: Language, letter: char) -> String {
    let upper = letter.to_ascii_uppercase();
    if !upper.is_ascii_uppercase() {
        return letter.to_string();
    }
    word(language, "voice-letters", u32::from(upper) - u32::from('A'))
}

/// The digits of a ticket as they are shown: each leading zero is heard, then the number.
pub fn digits_in_words(language: Language, digits: &str) -> String {
    let rest = digits.trim_start_matches('0');
    let zeros = digits.len() - rest.len();
    let mut words = vec![word(language, "voice-units", 0); zeros];
    match rest.parse::<u32>() {
        Ok(number) => words.push(number_in_words(language, number)),
        Err(_) => words.extend(rest.chars().map(|digit| {
            digit
                .to_digit(10)
                .map_or_else(String::new, |n| word(language, "voice-units", n))
        })),
    }
    words.join(" ").trim().to_owned()
}

/// A whole number in words.
pub fn number_in_words(language: Language, number: u32) -> String {
    let below = |number: u32| number_in_words(language, number);
    match number {
        0..=29 => word(language, "voice-units", number),
        30..=99 => {
            let tens = word(language, "voice-tens", number / 10 - 3);
            match number % 10 {
                0 => tens,
                unit => format!("{tens}{}{}", i18n::say(language, "voice-and-unit"), below(unit)),
            }
        }
        100 => i18n::say(language, "voice-hundred"),
        101..=999 => {
            let hundreds = word(language, "voice-hundreds", number / 100 - 1);
            match number % 100 {
                0 => hundreds,
                rest => format!("{hundreds} {}", below(rest)),
            }
        }
        1000..=LARGEST => {
            let thousands = match number / 1000 {
                1 => i18n::say(language, "voice-one-thousand"),
                many => i18n::fill(
                    language,
                    "voice-thousand",
                    &[("n", &before_noun(language, below(many)))],
                ),
            };
            match number % 1000 {
                0 => thousands,
                rest => format!("{thousands} {}", below(rest)),
            }
        }
        _ => number.to_string(),
    }
}

/// Spanish shortens «uno» before another word: veintiún mil, treinta y un mil.
fn before_noun(language: Language, words: String) -> String {
    match (language, words.strip_suffix("uno")) {
        (Language::Spanish | Language::Kichwa, Some(stem)) if stem.ends_with("veinti") => format!("{stem}ún"),
        (Language::Spanish | Language::Kichwa, Some(stem)) => format!("{stem}un"),
        (Language::English, _) | (_, None) => words,
    }
}

/// One word of a list of the catalogue.
fn word(language: Language, list: &str, index: u32) -> String {
    let words = i18n::say(language, list);
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    words.split('|').nth(index).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_read_as_people_say_it() {
        let say = |language, number, counter| spoken(language, number, CounterNumber(counter));
        for (number, counter, es, en) in [
            (
                "T-018",
                4,
                "Turno te, cero dieciocho. Ventanilla cuatro.",
                "Ticket tee, zero eighteen. Counter four.",
            ),
            (
                "QT-001",
                12,
                "Turno cu te, cero cero uno. Ventanilla doce.",
                "Ticket cue tee, zero zero one. Counter twelve.",
            ),
            (
                "W-100",
                21,
                "Turno doble uve, cien. Ventanilla veintiuno.",
                "Ticket double you, one hundred. Counter twenty-one.",
            ),
            (
                "C-531",
                1,
                "Turno ce, quinientos treinta y uno. Ventanilla uno.",
                "Ticket see, five hundred thirty-one. Counter one.",
            ),
            (
                "N-1204",
                30,
                "Turno ene, mil doscientos cuatro. Ventanilla treinta.",
                "Ticket en, one thousand two hundred four. Counter thirty.",
            ),
        ] {
            assert_eq!(say(Language::Spanish, number, counter), es);
            assert_eq!(say(Language::English, number, counter), en);
            assert_eq!(say(Language::Kichwa, number, counter), es);
        }
    }

    #[test]
    fn every_number_has_words_of_its_own() {
        for language in [Language::Spanish, Language::English] {
            let mut seen = std::collections::HashSet::new();
            for number in 0..=9999 {
                let words = number_in_words(language, number);
                assert!(
                    !words.contains(|c: char| c.is_ascii_digit()) && !words.contains("  "),
                    "{words}"
                );
                assert!(seen.insert(words), "{number} sounds like another number");
            }
        }
        assert_eq!(number_in_words(Language::Spanish, 21_000), "veintiún mil");
        assert_eq!(number_in_words(Language::Spanish, 31_001), "treinta y un mil uno");
    }

    #[test]
    fn every_letter_has_a_name() {
        for language in Language::ALL {
            for letter_ in 'A'..='Z' {
                assert!(!letter(language, letter_).is_empty());
            }
        }
    }
}
