//! Finding a procedure by the words people have for it.
//!
//! A citizen writes "exhoneracion", "predail" or "mascota", not the official name; accents, spelling by ear, a wrong
//! letter and everyday words are all forgiven.
//! The index is built once from the catalogue and never changes; nothing here remembers what was searched.
//! Begin at [`SearchIndex::search`].

mod lines;

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::procedure::{Catalogue, Procedure, ProcedureId};
use crate::i18n::Language;

pub use lines::Lines;

/// Every word of the catalogue, with the procedures it leads to.
#[derive(Clone, Debug, Default)]
pub struct SearchIndex {
    words: Vec<Word>,
    procedures: Vec<Indexed>,
}

/// A procedure that answers a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Which one.
    pub procedure: ProcedureId,
    /// How well it answers; only good for comparing hits of one query.
    pub score: f32,
}

#[derive(Clone, Debug)]
struct Indexed {
    id: ProcedureId,
    /// What breaks ties: the rank first, then the alphabet.
    tie: (u16, String),
    /// The words of the short name, for queries that say it whole.
    short: String,
}

#[derive(Clone, Debug)]
struct Word {
    text: String,
    /// How it sounds in Ecuador; see [`by_ear`].
    sound: Vec<char>,
    /// Which letters the sound has, for a cheap first look.
    letters: u32,
    /// How much this word tells: a word of many procedures tells little.
    weight: f32,
    /// Where it stands and how prominently.
    places: Vec<(usize, f32)>,
}

// How prominent a word is where it stands.
const IN_SHORT_NAME: f32 = 1.0;
const IN_KEYWORDS: f32 = 0.9;
const IN_NAME: f32 = 0.8;
const IN_CATEGORY: f32 = 0.35;
const IN_DESCRIPTION: f32 = 0.3;

// How well a word of the query meets a word of the catalogue.
const SAME: f32 = 1.0;
const SOUNDS_THE_SAME: f32 = 0.95;
const BEGINS: f32 = 0.8;
const ONE_SLIP: f32 = 0.7;
const TWO_SLIPS: f32 = 0.45;

// How much more a procedure of the most asked counts than another that answers as well.
const OFTEN_ASKED: f32 = 1.08;

/// Words of a question that say nothing about the answer, already folded.
const EMPTY_WORDS: [&str; 58] = [
    "a", "al", "and", "ante", "como", "con", "cuando", "de", "debo", "del", "donde", "e", "el", "en", "es",
    "esta", "for", "hacer", "hago", "how", "i", "la", "las", "le", "lo", "los", "me", "mi", "mis", "my",
    "necesito", "o", "of", "para", "por", "puedo", "que", "quiero", "quisiera", "sacar", "se", "si", "sin",
    "sobre", "soy", "su", "sus", "the", "to", "tramite", "tramites", "un", "una", "unos", "voy", "y", "ya",
    "yo",
];

impl SearchIndex {
    /// Indexes the procedures a citizen may see.
    pub fn new(catalogue: &Catalogue) -> Self {
        let mut words: BTreeMap<String, BTreeMap<usize, f32>> = BTreeMap::new();
        let mut procedures = Vec::new();
        for procedure in catalogue.procedures().iter().filter(|p| !p.internal) {
            let at = procedures.len();
            for (text, prominence) in texts(catalogue, procedure) {
                for word in query_words(text) {
                    let place = words.entry(word).or_default().entry(at).or_default();
                    *place = place.max(prominence);
                }
            }
            procedures.push(Indexed {
                id: procedure.identifier.clone(),
                tie: (
                    procedure.rank.unwrap_or(u16::MAX),
                    fold(procedure.list_name(Language::Spanish)),
                ),
                short: query_words(procedure.list_name(Language::Spanish)).join(" "),
            });
        }
        let total = procedures.len() as f32;
        let words = words.into_iter().map(|(text, places)| {
            let sound = by_ear(&text);
            Word {
                letters: letters(&sound),
                weight: 1.0 + (total / places.len() as f32).ln(),
                places: places.into_iter().collect(),
                sound,
                text,
            }
        });
        Self {
            words: words.collect(),
            procedures,
        }
    }

    /// The best `limit` procedures for what a person wrote, the best first; none when nothing is near.
    ///
    /// The last word may be unfinished, so that results can follow the typing.
    pub fn search(&self, query: &str, limit: usize) -> Vec<Hit> {
        let words = query_words(query);
        if words.is_empty() {
            return Vec::new();
        }
        let mut scores = vec![(0.0_f32, 0_u8); self.procedures.len()];
        for word in &words {
            for (at, score) in self.meet(word) {
                scores[at].0 += score;
                scores[at].1 += 1;
            }
        }
        let whole = words.join(" ");
        self.ranked(limit, |at| {
            let (score, met) = scores[at];
            // Who answers two words of three is better than who answers one of them very well.
            let share = f32::from(met) / words.len() as f32;
            let bonus = if self.procedures[at].short == whole {
                2.0
            } else {
                1.0
            };
            // Between equals, what most people come for.
            let asked = if self.procedures[at].tie.0 == u16::MAX {
                1.0
            } else {
                OFTEN_ASKED
            };
            score * share * bonus * asked
        })
    }

    /// The `count` procedures whose words look most like the query, however far, for «no encontramos».
    pub fn nearest(&self, query: &str, count: usize) -> Vec<Hit> {
        let sounds: Vec<String> = query_words(query)
            .iter()
            .map(|word| by_ear(word).into_iter().collect())
            .collect();
        let mut scores = vec![0.0_f32; self.procedures.len()];
        for word in &self.words {
            let sound: String = word.sound.iter().collect();
            let near = sounds
                .iter()
                .map(|query| strsim::jaro_winkler(query, &sound) as f32)
                .fold(0.0, f32::max);
            for &(at, prominence) in &word.places {
                let score = near * (0.5 + prominence / 2.0);
                scores[at] = scores[at].max(score);
            }
        }
        // With nothing to go by, the most asked procedures.
        self.ranked(count, |at| scores[at] + f32::MIN_POSITIVE)
    }

    /// The procedures a word of the query leads to, each with its best score.
    fn meet(&self, query: &str) -> BTreeMap<usize, f32> {
        let sound = by_ear(query);
        let bits = letters(&sound);
        let slips = match sound.len() {
            0..=3 => 0,
            4..=6 => 1,
            _ => 2,
        };
        let mut best = BTreeMap::new();
        let mut note = |word: &Word, quality: f32| {
            for &(at, prominence) in &word.places {
                let score = quality * prominence * word.weight;
                let place: &mut f32 = best.entry(at).or_default();
                *place = place.max(score);
            }
        };
        let mut close = false;
        for word in &self.words {
            let quality = if word.text == query {
                SAME
            } else if word.sound == sound {
                SOUNDS_THE_SAME
            } else if sound.len() >= 3 && word.sound.starts_with(&sound) {
                BEGINS * (0.7 + 0.3 * sound.len() as f32 / word.sound.len() as f32)
            } else {
                continue;
            };
            close = true;
            note(word, quality);
        }
        // Slips are only looked for when nobody writes the word like this; "casa" is not a slip of "caso".
        if !close && slips > 0 {
            for word in &self.words {
                let far = (bits ^ word.letters).count_ones() as usize > 2 * slips;
                if far || word.sound.len().abs_diff(sound.len()) > slips || word.sound.len() < 4 {
                    continue;
                }
                match slips_between(&sound, &word.sound) {
                    0 | 1 => note(word, ONE_SLIP),
                    2 if slips == 2 => note(word, TWO_SLIPS),
                    _ => {}
                }
            }
        }
        best
    }

    fn ranked(&self, limit: usize, score: impl Fn(usize) -> f32) -> Vec<Hit> {
        let mut found: Vec<_> = (0..self.procedures.len())
            .map(|at| (at, score(at)))
            .filter(|hit| hit.1 > 0.0)
            .collect();
        found.sort_by(|a, b| {
            b.1.total_cmp(&a.1)
                .then_with(|| self.procedures[a.0].tie.cmp(&self.procedures[b.0].tie))
        });
        // A hit far below the best one is noise: it shares an ordinary word.
        let floor = found.first().map_or(0.0, |hit| hit.1 * 0.2);
        let hits = found.into_iter().filter(|hit| hit.1 >= floor).take(limit);
        hits.map(|(at, score)| Hit {
            procedure: self.procedures[at].id.clone(),
            score,
        })
        .collect()
    }
}

fn texts<'a>(catalogue: &'a Catalogue, procedure: &'a Procedure) -> impl Iterator<Item = (&'a str, f32)> {
    let category = catalogue.category(&procedure.thematic_area).map(|c| &c.name);
    let texts = [
        (Some(&procedure.short_name), IN_SHORT_NAME),
        (Some(&procedure.name), IN_NAME),
        (Some(&procedure.description), IN_DESCRIPTION),
        (category, IN_CATEGORY),
    ];
    let texts = texts.into_iter().flat_map(|(text, prominence)| {
        text.into_iter()
            .flat_map(move |t| t.all().map(move |w| (w, prominence)))
    });
    texts.chain(procedure.keywords.iter().map(|word| (word.as_str(), IN_KEYWORDS)))
}

/// Small letters without accents: what is equal for the eye of a searcher; ñ becomes n, as a foreign keyboard writes it.
pub fn fold(text: &str) -> String {
    text.nfd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect()
}

/// The words that matter, folded and without the mark of the plural.
fn query_words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let words = folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty());
    let (mut kept, mut all) = (Vec::new(), Vec::new());
    for word in words {
        let stem = singular(word);
        if !EMPTY_WORDS.contains(&word) {
            kept.push(stem.to_owned());
        }
        all.push(stem.to_owned());
    }
    // "Qué hacer" is all empty words; then they are what we have.
    if kept.is_empty() { all } else { kept }
}

fn singular(word: &str) -> &str {
    let long = word.chars().count() > 4;
    let stem = match word.strip_suffix("es") {
        // Only after a consonant that cannot end a Spanish plural in -s: árboles, exoneraciones, redes, but not clases.
        Some(stem) if long && stem.ends_with(['l', 'n', 'r', 'd', 'j']) => stem,
        _ if long => word.strip_suffix('s').unwrap_or(word),
        _ => word,
    };
    if stem.is_empty() { word } else { stem }
}

/// A word as it sounds in Ecuador, where b and v, s, z and soft c, or y and ll are one, and h is silent.
fn by_ear(word: &str) -> Vec<char> {
    let letters: Vec<char> = word.chars().collect();
    let mut sound = Vec::with_capacity(letters.len());
    let mut at = 0;
    while at < letters.len() {
        let next = letters.get(at + 1).copied();
        let soft = matches!(next, Some('e' | 'i'));
        let mut taken = 1;
        let heard = match (letters[at], next) {
            ('c', Some('h')) => {
                taken = 2;
                Some('ĉ')
            }
            ('l', Some('l')) => {
                taken = 2;
                Some('y')
            }
            ('q', Some('u')) => {
                taken = 2;
                Some('k')
            }
            ('g', Some('u')) if matches!(letters.get(at + 2), Some('e' | 'i')) => {
                taken = 2;
                Some('g')
            }
            ('h', _) => None,
            ('v', _) => Some('b'),
            ('z', _) => Some('s'),
            ('c', _) if soft => Some('s'),
            ('c' | 'q', _) => Some('k'),
            ('g', _) if soft => Some('j'),
            ('w', _) => Some('u'),
            (other, _) => Some(other),
        };
        // A doubled letter sounds once, except rr, which is another sound.
        if let Some(heard) = heard
            && (sound.last() != Some(&heard) || heard == 'r')
        {
            sound.push(heard);
        }
        at += taken;
    }
    sound
}

fn letters(sound: &[char]) -> u32 {
    sound.iter().fold(0, |bits, &c| bits | 1 << (u32::from(c) % 32))
}

/// How many letters are missing, too many, wrong or swapped (optimal string alignment).
fn slips_between(a: &[char], b: &[char]) -> usize {
    strsim::generic_damerau_levenshtein(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::procedure::quito;

    fn index() -> SearchIndex {
        let (catalogue, findings) = Catalogue::parse(&quito::FILES);
        assert_eq!(findings, []);
        SearchIndex::new(&catalogue)
    }

    fn ids(hits: &[Hit]) -> Vec<&str> {
        hits.iter().map(|hit| hit.procedure.as_str()).collect()
    }

    /// Each query must have its procedure first; every miss is shown, not only the first one.
    #[track_caller]
    fn check_first<'a>(index: &SearchIndex, table: impl IntoIterator<Item = (&'a str, &'a str)>) {
        let mut misses = Vec::new();
        for (query, expected) in table {
            let hits = index.search(query, 5);
            if ids(&hits).first() != Some(&expected) {
                misses.push(format!("«{query}» gave {:?}, not {expected}", ids(&hits)));
            }
        }
        assert!(misses.is_empty(), "{}", misses.join("\n"));
    }

    #[test]
    fn people_find_it_with_their_own_words() {
        let index = index();
        let table = [
            ("predial", "consulta-impuesto-predial"),
            ("impuesto predial", "consulta-impuesto-predial"),
            ("pagar predial", "pago-impuesto-predial"),
            ("cuánto debo de mi casa", "consulta-impuesto-predial"),
            ("luae", "luae-nueva"),
            ("renovar luae", "luae-renovacion"),
            ("permiso de funcionamiento", "luae-nueva"),
            ("mascota", "registro-mascota"),
            ("castrar perra", "esterilizacion"),
            ("patente", "patente-inscripcion"),
            ("clave patente", "recuperar-clave-patente"),
            ("ruido", "denuncia-ruido"),
            ("ruido vecino", "denuncia-ruido"),
            ("bulla", "denuncia-ruido"),
            ("vereda ocupada", "denuncia-espacio-publico"),
            ("tercera edad", "exoneracion-predial-adulto-mayor"),
            ("exoneración", "exoneracion-predial-adulto-mayor"),
            ("gravamen", "certificado-gravamen"),
            ("hipoteca", "certificado-gravamen"),
            ("vender en la calle", "puca-nuevo"),
            ("cortar un árbol", "poda-tala-privado"),
            ("hueco en la calle", "bacheo"),
            ("me robaron el medidor", "robo-medidor"),
            ("planilla de agua muy alta", "reclamo-consumo-agua"),
            ("revisión del carro", "cita-rtv"),
            ("colegio", "cupo-uem"),
            ("no adeudar", "certificado-no-adeudar"),
            ("me pegan", "violencia-genero"),
            ("turno", "turno-balcon"),
            ("cómo va mi trámite", "consulta-estado-tramite"),
            ("noise", "denuncia-ruido"),
            ("PREDIAL", "consulta-impuesto-predial"),
        ];
        check_first(&index, table);
    }

    #[test]
    fn spelling_by_ear_and_slips_of_the_finger_are_forgiven() {
        let index = index();
        let table = [
            ("predail", "consulta-impuesto-predial"),
            ("perdial", "consulta-impuesto-predial"),
            ("pedrial", "consulta-impuesto-predial"),
            ("inpuesto predial", "consulta-impuesto-predial"),
            ("exhoneracion", "exoneracion-predial-adulto-mayor"),
            ("exoneracion por hedad", "exoneracion-predial-adulto-mayor"),
            ("masqota", "registro-mascota"),
            ("bulya", "denuncia-ruido"),
            ("vulla", "denuncia-ruido"),
            ("patennte", "patente-inscripcion"),
            ("grabamen", "certificado-gravamen"),
            ("esterilisacion", "esterilizacion"),
            ("ceramiento", "cerramiento"),
            ("pred", "consulta-impuesto-predial"),
            ("exon", "exoneracion-predial-adulto-mayor"),
        ];
        check_first(&index, table);
    }

    #[test]
    fn a_word_of_several_procedures_offers_each_of_them() {
        let index = index();
        let table: [(&str, &[&str]); 6] = [
            ("multa", &["consulta-valores-vehiculo", "impugnacion-multa"]),
            (
                "perro",
                &["registro-mascota", "esterilizacion", "adopcion-animal"],
            ),
            ("allku", &["registro-mascota", "esterilizacion"]),
            ("dog", &["registro-mascota", "esterilizacion"]),
            ("hescombros", &["escombros", "denuncia-escombros"]),
            ("yaku", &["pago-agua", "fuga-agua"]),
        ];
        for (query, expected) in table {
            let hits = index.search(query, 8);
            let found = ids(&hits);
            assert!(
                expected.iter().all(|id| found.contains(id)),
                "«{query}» gave {found:?}"
            );
        }
    }

    #[test]
    fn nonsense_finds_nothing_but_three_are_near() {
        let index = index();
        assert_eq!(index.search("xqwzzt", 5), []);
        assert_eq!(index.search("", 5), []);
        assert_eq!(index.search("¿?", 5), []);
        assert_eq!(index.nearest("xqwzzt", 3).len(), 3);
        assert_eq!(ids(&index.nearest("", 3))[0], "consulta-impuesto-predial");
        let near = index.nearest("perrrritoss", 3);
        assert!(ids(&near).contains(&"registro-mascota"), "{:?}", ids(&near));
    }

    #[test]
    fn what_is_between_offices_is_never_found() {
        let index = index();
        assert!(!ids(&index.search("predios municipales", 50)).contains(&"predios-municipales"));
    }

    #[test]
    fn every_procedure_is_found_by_its_own_short_name() {
        let (catalogue, _) = Catalogue::parse(&quito::FILES);
        let index = SearchIndex::new(&catalogue);
        let all = catalogue.alphabetical(Language::Spanish);
        check_first(
            &index,
            all.iter()
                .map(|p| (p.list_name(Language::Spanish), p.identifier.as_str())),
        );
    }

    #[test]
    fn words_sound_as_in_ecuador() {
        let same = [
            ("vaca", "baca"),
            ("calle", "caye"),
            ("hoja", "oja"),
            ("cita", "sita"),
            ("queja", "keja"),
            ("zona", "sona"),
        ];
        for (a, b) in same {
            assert_eq!(by_ear(a), by_ear(b), "{a} {b}");
        }
        assert_ne!(by_ear("perro"), by_ear("pero"));
        assert_eq!(fold("Ñandú Ávila"), "nandu avila");
        assert_eq!(
            query_words("las exoneraciones de los árboles"),
            ["exoneracion", "arbol"]
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_query(query in ".{0,40}") {
            let index = SearchIndex::default();
            assert_eq!(index.search(&query, 5), []);
            let _ = (by_ear(&fold(&query)), query_words(&query));
        }
    }
}
