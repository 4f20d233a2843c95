//! The profiles the program knows by name, and those an office writes itself.

use std::path::Path;
use std::sync::OnceLock;

use serde::Deserialize;

use super::profile::Profile;

const HOUSE: &str = include_str!("profiles/house.toml");
/// CC BY 4.0, see `profiles/ATTRIBUTION.md`.
const SHARED: &str = include_str!("profiles/escpos-printer-db.toml");

/// A profile that is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// No profile has this name and no file is there.
    #[error(
        "There is no printer profile {0}; `ventanilla printer list` names them, and a path to a .toml file is good too"
    )]
    Unknown(String),
    /// The file cannot be read.
    #[error("Profile {path} cannot be read")]
    Read {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not a profile.
    #[error("Profile {path} is not one; see the profiles that `ventanilla printer list` names for its shape")]
    Shape {
        /// The file.
        path: String,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
}

#[derive(Deserialize)]
struct File {
    profile: Vec<Profile>,
}

impl Profile {
    /// Every profile the program knows, the house's own first; no two have one name.
    pub fn all() -> &'static [Self] {
        static ALL: OnceLock<Vec<Profile>> = OnceLock::new();
        ALL.get_or_init(|| {
            let mut all = vec![
                Self::wide(),
                Self::wide_text(),
                Self::narrow(),
                Self::narrow_text(),
            ];
            for text in [HOUSE, SHARED] {
                let file: File = toml::from_str(text).expect("the program's own profiles are read in a test");
                for profile in file.profile {
                    if !all.iter().any(|known| known.is_named(&profile.name)) {
                        all.push(profile);
                    }
                }
            }
            all
        })
    }

    /// A profile by its name, capitals or not.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().iter().find(|profile| profile.is_named(name)).cloned()
    }

    /// A profile by its name, or from a file.
    ///
    /// # Errors
    /// When there is neither, or the file is no profile.
    pub fn find(name: &str) -> Result<Self, ProfileError> {
        if let Some(known) = Self::named(name) {
            return Ok(known);
        }
        if Path::new(name).extension().is_none_or(|ending| ending != "toml") {
            return Err(ProfileError::Unknown(name.to_owned()));
        }
        let text = std::fs::read_to_string(name).map_err(|source| ProfileError::Read {
            path: name.to_owned(),
            source,
        })?;
        toml::from_str(&text).map_err(|source| ProfileError::Shape {
            path: name.to_owned(),
            source: Box::new(source),
        })
    }

    fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::printer::{Cut, Page, Proof, QrBy};

    #[test]
    fn every_profile_can_be_printed_with() {
        assert!(Profile::all().len() > 25);
        for profile in Profile::all() {
            assert!((256..=1024).contains(&profile.width_dots), "{}", profile.name);
            assert_eq!(profile.width_dots % 8, 0, "{}", profile.name);
            assert!(!profile.pages.is_empty(), "{}", profile.name);
        }
    }

    #[test]
    fn slots_and_abilities_are_those_of_the_model() {
        let named = |name| Profile::named(name).expect(name);
        assert_eq!(named("TH230").pages[0].slot, 8);
        assert_eq!(named("tm-t88v").proof, Proof::ProcessId, "the house's entry wins");
        assert_eq!(named("POS-5890").qr, QrBy::Raster);
        assert_eq!(named("ZJ-5870").cut, Cut::Tear);
        assert!(named("T-1").pages.iter().all(|page| page.page != Page::Wpc1252));
        assert_eq!(Profile::named("SP2000"), None, "Star's language is another");
    }

    #[test]
    fn an_office_may_write_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mine.toml");
        std::fs::write(&path, "name = \"mine\"\nwidth_dots = 400\n").expect("a file");
        let name = path.to_string_lossy();
        assert_eq!(Profile::find(&name).expect("it is one").width_dots, 400);
        std::fs::write(&path, "name = \"mine\"\nwith_dots = 400\n").expect("a file");
        assert!(matches!(Profile::find(&name), Err(ProfileError::Shape { .. })));
        assert!(matches!(Profile::find("tm-t99"), Err(ProfileError::Unknown(_))));
        assert!(matches!(
            Profile::find("/nowhere/x.toml"),
            Err(ProfileError::Read { .. })
        ));
    }
}
