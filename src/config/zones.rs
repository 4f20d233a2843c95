//! Waiting zones of an office: rooms with a board and speakers of their own, each for some counters.
//!
//! A zone is only about who sees and hears a call. It changes nothing in the queue: who is next is decided without
//! it. An office that writes no zones is one zone with all its counters.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::office::OfficeConfig;

/// Longest id of a zone: it stands in addresses.
const ID_MAX: usize = 32;

/// One zone as it is written.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneConfig {
    /// Name for programs and addresses, such as `sala-a`.
    pub id: String,
    /// Name for people, such as `Sala A`.
    pub name: String,
    /// Numbers of its counters; each counter of the office stands in one zone.
    pub counters: Vec<u16>,
}

impl OfficeConfig {
    /// Checks that each counter stands in exactly one zone.
    pub(super) fn check_zones(&self) -> Result<(), String> {
        let mut placed = BTreeSet::new();
        for (at, zone) in self.zones.iter().enumerate() {
            let id = &zone.id;
            let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
            if id.is_empty() || id.len() > ID_MAX || !id.bytes().all(fits) {
                return Err(format!(
                    "zone {id} has an id that does not fit into an address; write small letters, digits and hyphens"
                ));
            }
            if self.zones[..at].iter().any(|other| other.id == *id) {
                return Err(format!("zone {id} stands there twice; write it once"));
            }
            for number in &zone.counters {
                if !self.counters.iter().any(|counter| counter.number == *number) {
                    return Err(format!("zone {id} names counter {number}, which does not exist"));
                }
                if !placed.insert(*number) {
                    return Err(format!(
                        "counter {number} stands in two zones; a call is heard in one"
                    ));
                }
            }
        }
        let lost = self.counters.iter().find(|c| !placed.contains(&c.number));
        match lost {
            Some(counter) if !self.zones.is_empty() => Err(format!(
                "counter {} stands in no zone, so nobody would hear its calls; add it to one",
                counter.number
            )),
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
listen = "127.0.0.1:0"
data = "/tmp/x"
office = { id = "quitumbe", name = "Quitumbe", kind = "Administración Zonal", room = "Sala A" }
queues = [{ id = "tributos", name = "Tributos", series = "T" }]
counters = [{ number = 4, serves = ["tributos"] }, { number = 5, serves = ["tributos"] }]
"#;

    fn with(zones: &str) -> OfficeConfig {
        crate::config::parse("o.toml".as_ref(), &format!("{zones}\n{TEXT}")).expect("parses")
    }

    #[test]
    fn an_older_file_is_one_zone_with_every_counter() {
        let zones = with("").setup().expect("fits").zones;
        assert_eq!(zones.len(), 1);
        assert_eq!((zones[0].id.as_str(), zones[0].name.as_str()), ("sala", "Sala A"));
        assert_eq!(zones[0].counters.len(), 2);
    }

    #[test]
    fn every_counter_stands_in_one_zone() {
        let refused = |zones: &str| with(zones).setup().expect_err("refused");
        let one = "{ id = 'sala-a', name = 'Sala A', counters = [4] }";
        let two = "{ id = 'sala-b', name = 'Sala B', counters = [5] }";
        assert!(with(&format!("zones = [{one}, {two}]")).setup().is_ok());
        assert!(refused(&format!("zones = [{one}]")).contains("counter 5 stands in no zone"));
        assert!(refused(&format!("zones = [{one}, {one}]")).contains("twice"));
        let again = two.replace("[5]", "[5, 4]");
        assert!(refused(&format!("zones = [{one}, {again}]")).contains("two zones"));
        assert!(refused(&format!("zones = [{}]", one.replace("[4]", "[9]"))).contains("counter 9"));
        assert!(refused(&format!("zones = [{}]", one.replace("sala-a", "Sala A"))).contains("address"));
    }
}
