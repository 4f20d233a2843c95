//! Finding a line of a long list: a parish, a street, a trade, as somebody writes it by ear.
//!
//! It forgives what [`super::SearchIndex`] forgives, and knows nothing but the lines. Begin at [`Lines::find`].

use std::collections::BTreeMap;

use super::{
    BEGINS, ONE_SLIP, SAME, SOUNDS_THE_SAME, TWO_SLIPS, by_ear, fold, letters, singular, slips_between,
};

/// A list prepared for searching; the lines are known by their place in it.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    words: Vec<Word>,
    /// Each line folded, to prefer the one that begins as the query does.
    folded: Vec<String>,
}

#[derive(Clone, Debug)]
struct Word {
    text: String,
    sound: Vec<char>,
    letters: u32,
    lines: Vec<usize>,
}

// A line that is or begins with the query comes before one that has it inside.
const WHOLE: f32 = 3.0;
const AT_THE_START: f32 = 1.5;

impl Lines {
    /// Prepares the lines; 5,000 take a few milliseconds.
    pub fn new<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let folded: Vec<String> = lines.into_iter().map(|line| words_of(line).join(" ")).collect();
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, line) in folded.iter().enumerate() {
            for word in line.split(' ').filter(|word| !word.is_empty()) {
                let lines = places.entry(word).or_default();
                if lines.last() != Some(&at) {
                    lines.push(at);
                }
            }
        }
        let words = places
            .into_iter()
            .map(|(text, lines)| {
                let sound = by_ear(singular(text));
                Word {
                    letters: letters(&sound),
                    text: text.to_owned(),
                    sound,
                    lines,
                }
            })
            .collect();
        Self { words, folded }
    }

    /// The lines that answer what a person wrote, the best first, and in the order of the list among equals.
    ///
    /// Every word must be met; the last one may be unfinished. Nothing written finds nothing.
    pub fn find(&self, query: &str) -> Vec<usize> {
        let words = words_of(query);
        let whole = words.join(" ");
        if words.is_empty() {
            return Vec::new();
        }
        let mut scores: BTreeMap<usize, f32> = BTreeMap::new();
        for (at, word) in words.iter().enumerate() {
            let met = self.meet(word);
            if at == 0 {
                scores = met;
            } else {
                // Only what meets this word, too.
                scores = met
                    .into_iter()
                    .filter_map(|(line, score)| Some((line, scores.get(&line)? + score)))
                    .collect();
            }
        }
        let mut found: Vec<(usize, f32)> = scores
            .into_iter()
            .map(|(line, score)| {
                let text = &self.folded[line];
                let place = match text.strip_prefix(&whole) {
                    Some("") => WHOLE,
                    Some(_) => AT_THE_START,
                    None => 1.0,
                };
                (line, score * place)
            })
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.into_iter().map(|(line, _)| line).collect()
    }

    /// Lines with a word like this one, each with its best score.
    fn meet(&self, query: &str) -> BTreeMap<usize, f32> {
        let sound = by_ear(singular(query));
        let bits = letters(&sound);
        let mut best: BTreeMap<usize, f32> = BTreeMap::new();
        let mut note = |word: &Word, quality: f32| {
            for line in &word.lines {
                let score = best.entry(*line).or_default();
                *score = score.max(quality);
            }
        };
        let mut close = false;
        for word in &self.words {
            let quality = if word.text == query {
                SAME
            } else if word.sound == sound {
                SOUNDS_THE_SAME
            } else if word.text.starts_with(query) || (sound.len() >= 3 && word.sound.starts_with(&sound)) {
                BEGINS
            } else {
                continue;
            };
            close = true;
            note(word, quality);
        }
        let slips = match sound.len() {
            0..=3 => 0,
            4..=6 => 1,
            _ => 2,
        };
        if close || slips == 0 {
            return best;
        }
        for word in &self.words {
            // An unfinished word is compared with as much of the other.
            let head = &word.sound[..word.sound.len().min(sound.len())];
            let far = (bits & !word.letters).count_ones() as usize > slips;
            if far || head.len() + slips < sound.len() {
                continue;
            }
            match slips_between(&sound, &word.sound).min(slips_between(&sound, head)) {
                0 | 1 => note(word, ONE_SLIP),
                2 if slips == 2 => note(word, TWO_SLIPS),
                _ => {}
            }
        }
        best
    }
}

fn words_of(text: &str) -> Vec<String> {
    fold(text)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARISHES: [&str; 10] = [
        "Belisario Quevedo",
        "Calderón",
        "Chillogallo",
        "Guayllabamba",
        "La Ecuatoriana",
        "Quitumbe",
        "San Juan",
        "San Juan de Calderón",
        "Ñaquito",
        "Zámbiza",
    ];

    #[track_caller]
    fn check(query: &str, first: &[&str]) {
        let lines = Lines::new(PARISHES);
        let found: Vec<&str> = lines.find(query).into_iter().map(|at| PARISHES[at]).collect();
        assert_eq!(found, first, "«{query}»");
    }

    #[test]
    fn a_parish_is_found_as_it_is_said() {
        check("quitumbe", &["Quitumbe"]);
        check("kitumbe", &["Quitumbe"]);
        check("QUITUNBE", &["Quitumbe"]);
        check("guallabamba", &["Guayllabamba"]);
        check("sambisa", &["Zámbiza"]);
        check("chiyogayo", &["Chillogallo"]);
        check("belizario", &["Belisario Quevedo"]);
        check("naquito", &["Ñaquito"]);
        check("ecua", &["La Ecuatoriana"]);
        check("q", &["Quitumbe", "Belisario Quevedo"]);
    }

    #[test]
    fn the_whole_name_comes_before_a_longer_one() {
        check("san juan", &["San Juan", "San Juan de Calderón"]);
        check("calderon", &["Calderón", "San Juan de Calderón"]);
        check("juan calderon", &["San Juan de Calderón"]);
    }

    #[test]
    fn nonsense_finds_nothing() {
        check("xyzzy", &[]);
        check("", &[]);
        check("¿?", &[]);
        check("quitumbe xyzzy", &[]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_query(query in ".{0,40}") {
            let found = Lines::new(PARISHES).find(&query);
            proptest::prop_assert!(found.iter().all(|at| *at < PARISHES.len()));
        }

        #[test]
        fn every_line_finds_itself(at in 0..PARISHES.len()) {
            proptest::prop_assert_eq!(Lines::new(PARISHES).find(PARISHES[at])[0], at);
        }
    }
}
