//! What a technician wants to know: whether the printers of a kiosk are ready, with a sample to look at.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::kiosk::{KioskConfig, PrintingConfig};
use crate::devices::printer::{Look, Outcome, Printer, PrinterSpec, Probe, Profile, Proof, Status, compose};
use crate::domain::document::{Document, Pair, ReadinessPaper, readiness};
use crate::i18n::{self, Language};

/// Every letter the country writes with, then some that no page has and must be drawn.
const LETTERS: [&str; 4] = [
    "á é í ó ú ü ñ Á É Í Ó Ú Ü Ñ ¿? ¡!",
    "«Pingüino» 1.º 2.ª 50 % USD 1,00 · • ½ °",
    "Ñukanchik llakta. Ishkay, kimsa, chusku.",
    "ẽ ĩ ũ ỹ ŝ ā",
];

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub name: String,
    /// Whether it is well; nothing when nobody can tell.
    pub ok: Option<bool>,
    /// What was seen, and the way out where it is not well.
    pub detail: String,
}

impl Check {
    fn new(name: impl Into<String>, ok: Option<bool>, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ok,
            detail: detail.into(),
        }
    }
}

/// Where and when a sample is printed.
#[derive(Clone, Debug)]
pub struct Occasion {
    /// «Quitumbe».
    pub place: String,
    /// «Administración Zonal».
    pub office_kind: String,
    /// «Kiosco 2».
    pub device: String,
    /// When.
    pub at: Timestamp,
    /// Whose time is printed.
    pub zone: TimeZone,
    /// In which language.
    pub language: Language,
}

impl Occasion {
    /// The occasion of a kiosk's settings.
    pub fn of(config: &KioskConfig, at: Timestamp) -> Self {
        let name = [("name", config.name.as_str())];
        Self {
            place: config.place.name.clone(),
            office_kind: config.place.kind.clone(),
            device: i18n::fill(Language::Spanish, "kiosk-name", &name),
            at,
            zone: TimeZone::get(&config.place.zone).unwrap_or(TimeZone::UTC),
            language: Language::Spanish,
        }
    }
}

/// A paper with everything on it, for the eyes of a technician.
pub fn sample(occasion: &Occasion, profile: &Profile, probe: Option<&Probe>) -> Document {
    let say = |key: &str| i18n::say(occasion.language, key);
    let yes_no = |yes: bool| say(if yes { "paper-test-yes" } else { "paper-test-no" });
    let mut checks = vec![Pair::new(say("paper-test-model"), &profile.name)];
    let (dots, columns) = (profile.width_dots.to_string(), profile.columns().to_string());
    let width = [("dots", dots.as_str()), ("columns", columns.as_str())];
    checks.push(Pair::new(
        say("paper-test-width"),
        i18n::fill(occasion.language, "paper-test-dots", &width),
    ));
    if let Some(probe) = probe {
        if let Some(name) = &probe.name {
            checks.push(Pair::new(say("paper-test-printer"), name));
        }
        let status = match probe.status {
            Status::Ready => "paper-test-ready",
            Status::PaperLow => "paper-test-low",
            Status::Trouble(_) => "paper-test-trouble",
            Status::Unknown => "paper-test-unknown",
        };
        checks.push(Pair::new(say("paper-test-status"), say(status)));
        let proves = yes_no(probe.proof != Proof::None);
        checks.push(Pair::new(say("paper-test-proof"), proves));
    }
    paper(occasion, profile, "paper-test", checks)
}

/// The report of a self-test: what was looked at, then letters and a square to judge.
pub fn report(occasion: &Occasion, profile: &Profile, checks: &[(String, String)]) -> Document {
    let checks = checks.iter().map(|(name, state)| Pair::new(name, state));
    paper(occasion, profile, "service-test-title", checks.collect())
}

fn paper(occasion: &Occasion, profile: &Profile, title: &str, checks: Vec<Pair>) -> Document {
    let say = |key: &str| i18n::say(occasion.language, key);
    readiness(&ReadinessPaper {
        place: occasion.place.clone(),
        office_kind: occasion.office_kind.clone(),
        title: say(title),
        checks,
        letters_title: say("paper-test-letters"),
        letters: LETTERS.iter().map(|line| (*line).to_owned()).collect(),
        number: "A-042".to_owned(),
        code: "QT7M-4K2P".to_owned(),
        qr: format!("VENTANILLA-TEST:{}:0123456789ABCDEF", profile.name),
        judge: say("paper-test-look"),
        device: occasion.device.clone(),
        printed: occasion
            .at
            .to_zoned_datetime(occasion.zone.clone())
            .strftime("%d/%m/%Y %H:%M")
            .to_string(),
    })
}

/// The printers of a kiosk's settings, each with its profile.
///
/// # Errors
/// The checks that say what is wrong with the settings.
pub fn printers(config: &KioskConfig) -> Result<Vec<(&'static str, PrinterSpec, Profile)>, Vec<Check>> {
    let printing = &config.printing;
    let mut named = vec![("printer", &config.printer, &printing.profile)];
    if let Some(second) = &printing.second {
        named.push(("second printer", &second.printer, &second.profile));
    }
    let (mut printers, mut wrong) = (Vec::new(), Vec::new());
    for (name, place, profile) in named {
        match settings(place, profile, printing) {
            Ok((spec, profile)) => printers.push((name, spec, profile)),
            Err(problem) => wrong.push(Check::new(name, Some(false), problem)),
        }
    }
    if wrong.is_empty() {
        Ok(printers)
    } else {
        Err(wrong)
    }
}

fn settings(place: &str, profile: &str, printing: &PrintingConfig) -> Result<(PrinterSpec, Profile), String> {
    let spec = place
        .parse::<PrinterSpec>()
        .map_err(|problem| problem.to_string())?;
    let mut profile = Profile::find(profile).map_err(|problem| problem.to_string())?;
    match printing.look.as_deref() {
        None => {}
        Some("raster") => profile.look = Look::Raster,
        Some("text") => profile.look = Look::Text,
        Some(other) => return Err(format!("There is no look {other}; write raster or text")),
    }
    Ok((spec, profile))
}

/// Asks a printer everything and, when `prints`, prints a sample on it. Takes some seconds.
pub fn check_printer(
    name: &str,
    spec: &PrinterSpec,
    profile: &Profile,
    occasion: &Occasion,
    prints: bool,
) -> Vec<Check> {
    let mut printer = Printer::open(spec, profile.clone());
    let probe = printer.probe();
    let status = probe
        .as_ref()
        .map_or_else(|| printer.status(), |probe| probe.status.clone());
    let mut checks = vec![match &status {
        Status::Ready => Check::new(name, Some(true), format!("{spec} is ready")),
        Status::PaperLow => Check::new(
            name,
            Some(true),
            format!("{spec} is ready; its roll is nearly finished"),
        ),
        Status::Trouble(trouble) => Check::new(name, Some(false), format!("{spec}: {trouble}")),
        Status::Unknown if profile.answers_status => Check::new(
            name,
            Some(false),
            format!(
                "{spec} does not say how it is; where it never does, its profile says answers_status = false"
            ),
        ),
        Status::Unknown => Check::new(name, None, format!("{spec} cannot say how it is")),
    }];
    if let Some(probe) = &probe {
        checks.extend(abilities(name, profile, probe));
    }
    if prints && !matches!(status, Status::Trouble(_)) {
        let paper = sample(occasion, profile, probe.as_ref());
        let bytes = compose(&paper, profile);
        let job = format!("sample-{}", occasion.at.as_second());
        checks.push(
            match printer.print_transcribed(&job, &bytes, Some(&paper.to_text())) {
                Outcome::Printed => Check::new(
                    format!("{name} sample"),
                    Some(true),
                    "printed, and the printer proved it; look at the letters and the square",
                ),
                Outcome::Sent => Check::new(
                    format!("{name} sample"),
                    None,
                    "sent; this printer proves nothing, so look at the paper",
                ),
                Outcome::NotReady(trouble) | Outcome::Unknown(trouble) => {
                    Check::new(format!("{name} sample"), Some(false), trouble.to_string())
                }
            },
        );
    }
    checks
}

/// Where the profile and the printer do not agree.
fn abilities(name: &str, profile: &Profile, probe: &Probe) -> Vec<Check> {
    if !probe.answers_status || matches!(probe.status, Status::Trouble(_)) {
        return Vec::new();
    }
    let mut wishes = Vec::new();
    if probe.proof != profile.proof {
        let word = match probe.proof {
            Proof::None => "none",
            Proof::PaperStatus => "paper-status",
            Proof::ProcessId => "process-id",
        };
        wishes.push(format!("proof = \"{word}\""));
    }
    if probe.pushes_status != profile.pushes_status {
        wishes.push(format!("pushes_status = {}", probe.pushes_status));
    }
    if probe.clears != profile.clears {
        wishes.push(format!("clears = {}", probe.clears));
    }
    // A profile that asks for less than there is only proves less; one that asks for more never prints well.
    let asks_too_much = (profile.proof != Proof::None && probe.proof == Proof::None)
        || (profile.proof == Proof::ProcessId && probe.proof != Proof::ProcessId)
        || (profile.pushes_status && !probe.pushes_status);
    let detail = if wishes.is_empty() {
        format!("{} fits what it answers", profile.name)
    } else {
        format!(
            "{} does not fit; it answers like {}",
            profile.name,
            wishes.join(", ")
        )
    };
    vec![Check::new(
        format!("{name} profile"),
        Some(!asks_too_much),
        detail,
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::printer::Paper;
    use crate::devices::printer::sim::{Build, Roll, Simulator, serve};

    fn occasion() -> Occasion {
        Occasion {
            place: "Quitumbe".into(),
            office_kind: "Administración Zonal".into(),
            device: "Kiosco 2".into(),
            at: Timestamp::from_second(1_795_531_200).expect("a time"),
            zone: TimeZone::UTC,
            language: Language::Spanish,
        }
    }

    #[test]
    fn a_sample_prints_on_every_profile_without_a_fault() {
        for profile in Profile::all() {
            let paper = Paper::print(&compose(&sample(&occasion(), profile, None), profile), profile);
            assert_eq!(paper.faults, Vec::<String>::new(), "{}", profile.name);
        }
    }

    #[test]
    fn a_printer_is_asked_and_printed_on_and_its_trouble_has_a_way_out() {
        let profile = Profile::named("simulator").expect("the house's own");
        let simulator = Simulator::new(Build::new(profile.clone()));
        let served = serve(&simulator, ([127, 0, 0, 1], 0).into()).expect("a free port");
        let spec: PrinterSpec = format!("tcp:{}", served.address()).parse().expect("a place");
        let check = |profile: &Profile| check_printer("printer", &spec, profile, &occasion(), true);
        let checks = check(&profile);
        assert!(checks.iter().all(|check| check.ok == Some(true)), "{checks:#?}");
        assert_eq!(checks.len(), 3);
        assert_eq!(simulator.sheets().len(), 1);
        let text = simulator.paper(&simulator.sheets()[0]).text;
        assert!(
            text.contains("Ventanilla Simulator") && text.contains("[QR VENTANILLA-TEST:"),
            "{text}"
        );
        let plain = Profile::named("generic-80").expect("the house's own");
        let checks = check(&plain);
        assert!(checks[1].detail.contains("proof = \"process-id\""), "{checks:#?}");
        assert_eq!(checks[1].ok, Some(true), "asking for less is allowed");
        simulator.set(|it| it.roll = Roll::Empty);
        let checks = check(&profile);
        assert_eq!((checks.len(), checks[0].ok), (1, Some(false)));
        assert!(checks[0].detail.contains("load a roll"), "{checks:#?}");
    }
}
