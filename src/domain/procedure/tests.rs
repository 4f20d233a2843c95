use std::collections::BTreeSet;

use super::*;

mod sheets;

const HEAD: &str = r#"
title = "Prueba"
compiled = "2026-11-24"
sources = "Ninguna."

[[queue]]
identifier = "tributos"
series = "T"
name = "Tributos"

[[category]]
identifier = "tributos"
name = { es = "Tributos", en = "Taxes" }
icon = "money"
queues = ["tributos"]

[[life_event]]
identifier = "casa"
name = "Mi casa"
icon = "house-line"
procedures = ["uno"]
"#;

const AREA: &str = "thematic_area = \"tributos\"\n";

fn entry(id: &str, extra: &str) -> String {
    format!(
        r#"
[[procedure]]
identifier = "{id}"
name = "Trámite {id}"
description = "Sirve de ejemplo."
has_competent_authority = "Nadie"
kiosk_mode = "info"
needs_turn = false
has_cost = {{ free = true }}
processing_time = {{ unconfirmed = true }}
has_input = []
has_channel = []
produces = "Nada"
source = {{ url = "https://example.org", scope = "typical" }}
{extra}
"#
    )
}

/// Parses `HEAD` and one file of procedures; gives the identifiers that loaded and the findings as text.
fn parse(procedures: &str) -> (Vec<String>, Vec<String>) {
    let (catalogue, findings) =
        Catalogue::parse(&[("catalogue.toml", HEAD), ("procedures/tributos.toml", procedures)]);
    let ids = catalogue
        .procedures()
        .iter()
        .map(|p| p.identifier.to_string())
        .collect();
    (ids, findings.iter().map(ToString::to_string).collect())
}

/// The second of three entries is broken: the others load, and the finding says where and how to cure it.
#[track_caller]
fn check_broken(broken: &str, expected: &str) {
    let file = format!("{AREA}{}{broken}{}", entry("uno", ""), entry("tres", ""));
    let (ids, findings) = parse(&file);
    assert_eq!(ids, ["uno", "tres"]);
    assert_eq!(findings, [expected]);
}

fn quito() -> Catalogue {
    let (catalogue, findings) = Catalogue::parse(&quito::FILES);
    assert_eq!(findings, []);
    catalogue
}

#[test]
fn an_unknown_key_is_named_and_only_its_entry_is_left_out() {
    check_broken(
        &entry("dos", "has_costs = { free = true }"),
        "procedures/tributos.toml:31: The key has_costs is not known; the procedure dos is left out; \
         perhaps it is has_cost; there are identifier, name, short_name, description, neutral_label, \
         neutral_on_screen, has_competent_authority, is_for, eligibility, kiosk_mode, internal, queue, needs_turn, \
         rank, form, minutes_here, has_cost, processing_time, has_input, has_channel, produces, has_legal_resource, \
         advice, keywords, official_code, source, note",
    );
    check_broken(
        &entry("dos", "advice = { es = \"Lleve agua\", unconfirmd = true }"),
        "procedures/tributos.toml:31: The key unconfirmd is not known; the procedure dos is left out; \
         perhaps it is unconfirmed; there are es, en, qu, unconfirmed",
    );
}

#[test]
fn a_broken_line_spoils_one_entry_only() {
    let broken = entry("dos", "").replace("\"Nada\"", "\"Nada");
    let (ids, findings) = parse(&format!(
        "{AREA}{}{broken}{}",
        entry("uno", ""),
        entry("tres", "")
    ));
    assert_eq!(ids, ["uno", "tres"]);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(
        findings[0].starts_with("procedures/tributos.toml:29: This line cannot be read ("),
        "{findings:?}"
    );
    assert!(
        findings[0].contains("the procedure dos is left out"),
        "{findings:?}"
    );
}

#[test]
fn a_missing_key_is_named() {
    check_broken(
        &entry("dos", "").replace("needs_turn = false\n", ""),
        "procedures/tributos.toml:18: The key needs_turn is missing; the procedure dos is left out; \
         add it; README.md says what it is",
    );
}

#[test]
fn a_value_that_is_none_of_the_known_ones_is_refused() {
    check_broken(
        &entry("dos", "").replace("\"info\"", "\"infos\""),
        "procedures/tributos.toml:23: The value \"infos\" is not known; the procedure dos is left out; \
         perhaps it is info; there are form, query, pay_reference, info_turn, turn, info",
    );
}

#[test]
fn references_to_nothing_are_refused() {
    check_broken(
        &entry("dos", "queue = \"tributo\""),
        "procedures/tributos.toml:31: The queue tributo does not exist; the procedure dos is left out; \
         perhaps it is tributos; there are tributos",
    );
    let (ids, findings) = parse(&format!("thematic_area = \"tributo\"\n{}", entry("uno", "")));
    assert_eq!(ids, [""; 0]);
    assert_eq!(
        findings,
        [
            "procedures/tributos.toml:1: The category tributo does not exist; the procedures of this file are left \
             out; perhaps it is tributos; there are tributos",
            "catalogue.toml:21: The life event casa names the procedure uno, which is not there; it goes on without \
             it; write the identifier of a procedure of this catalogue",
        ]
    );
}

#[test]
fn the_second_of_two_equal_identifiers_is_refused() {
    let (ids, findings) = parse(&format!("{AREA}{}{}", entry("uno", "rank = 1"), entry("uno", "")));
    assert_eq!(ids, ["uno"]);
    assert_eq!(
        findings,
        [
            "procedures/tributos.toml:19: The identifier uno stands twice; the second procedure is left out; \
          give it another identifier or remove it"
        ]
    );
}

#[test]
fn a_rank_given_twice_is_kept_by_the_first() {
    let (ids, findings) = parse(&format!(
        "{AREA}{}{}",
        entry("uno", "rank = 1"),
        entry("dos", "rank = 1")
    ));
    assert_eq!(ids, ["uno", "dos"]);
    assert_eq!(
        findings,
        [
            "procedures/tributos.toml:31: The rank 1 of dos is taken; dos keeps its place in the lists but has no rank; \
          give each procedure of the home screen its own rank"
        ]
    );
}

#[test]
fn a_fact_must_say_something_or_say_that_nobody_knows() {
    check_broken(
        &entry("dos", "").replace("{ free = true }", "{ }"),
        "procedures/tributos.toml:25: The key has_cost says nothing; the procedure dos is left out; \
         write free = true, es = \"…\" or unconfirmed = true",
    );
}

#[test]
fn holders_forms_and_identifiers_are_checked() {
    check_broken(
        &entry("dos", "").replace(
            "has_input = []",
            "has_input = [{ name = \"RUC\", who_has_it = \"sri\" }]",
        ),
        "procedures/tributos.toml:27: Nobody knows who \"sri\" is; the procedure dos is left out; \
         write \"citizen\" or \"state:\" and the entity",
    );
    check_broken(
        &entry("dos", "form = \"../dos.xlsx\""),
        "procedures/tributos.toml:31: The form \"../dos.xlsx\" is not the name of an .xlsx file; \
         the procedure dos is left out; write the name of a file in the folder procedures",
    );
    check_broken(
        &entry("Dos Más", ""),
        "procedures/tributos.toml:19: The identifier \"Dos Más\" has other characters than a–z, 0–9 and hyphens; \
         the procedure is left out; write it like exoneracion-predial-adulto-mayor",
    );
    check_broken(
        "\n[[procedur]]\nidentifier = \"dos\"\n",
        "procedures/tributos.toml:18: An entry [[procedur]] means nothing in this file and is left out; \
         this file has procedure",
    );
}

#[test]
fn a_folder_without_its_head_says_so() {
    let (catalogue, findings) = Catalogue::parse(&[("README.md", "")]);
    assert!(catalogue.procedures().is_empty());
    assert_eq!(
        findings[0].to_string(),
        "catalogue.toml:1: The catalogue has no file catalogue.toml, so no category is known; \
         put it beside the folder procedures"
    );
}

#[test]
fn a_missing_language_falls_back_to_spanish() {
    let text = Text::new("Impuesto".into(), Some("Tax".into()), Some(" ".into()));
    assert_eq!(
        Language::ALL.map(|language| text.get(language)),
        ["Impuesto", "Impuesto", "Tax"]
    );
    assert_eq!(text.own(Language::Kichwa), None);
}

#[test]
fn facts_keep_apart_what_is_sure_and_what_is_not() {
    let file = format!(
        "{AREA}{}",
        entry("uno", "advice = { es = \"Lleve agua\", unconfirmed = true }")
    );
    let (catalogue, findings) = Catalogue::parse(&[("catalogue.toml", HEAD), ("procedures/a.toml", &file)]);
    assert_eq!(findings, []);
    let procedure = catalogue.procedure(&ProcedureId::new("uno")).unwrap();
    assert_eq!(procedure.has_cost, Fact::Confirmed(Cost::Free));
    assert_eq!(procedure.processing_time, Fact::Unknown);
    assert_eq!(
        procedure.advice,
        Some(Fact::Unconfirmed(Text::spanish("Lleve agua")))
    );
    assert_eq!(procedure.produces.confirmed(), Some(&Text::spanish("Nada")));
    assert!(procedure.processing_time.needs_confirming());
}

#[test]
fn quito_is_whole() {
    let catalogue = quito();
    assert_eq!(catalogue.procedures().len(), 182);
    assert_eq!(catalogue.categories().len(), 14);
    assert_eq!(catalogue.life_events().len(), 6);
    assert_eq!(catalogue.compiled(), Some(jiff::civil::date(2026, 11, 24)));
    let series: String = catalogue.queues().iter().map(|queue| queue.series).collect();
    assert_eq!(series, "TCNMS");

    let ranks: Vec<_> = catalogue
        .top_ranked(usize::MAX)
        .iter()
        .filter_map(|p| p.rank)
        .collect();
    assert_eq!(ranks, (1..=24).collect::<Vec<_>>());
    assert_eq!(
        catalogue.procedures().iter().filter(|p| p.needs_turn).count(),
        110
    );
    let by_category: usize = catalogue
        .categories()
        .iter()
        .map(|c| catalogue.in_category(&c.identifier).count())
        .sum();
    assert_eq!(by_category, 181, "all but the one between offices");
    let by_queue: usize = catalogue
        .queues()
        .iter()
        .map(|q| catalogue.for_queue(&q.identifier).count())
        .sum();
    assert_eq!(by_queue, 182);
    for event in catalogue.life_events() {
        assert!(
            catalogue.in_life_event(&event.identifier).len() >= 4,
            "{}",
            event.identifier
        );
    }
}

#[test]
fn what_no_page_says_is_never_confirmed() {
    for procedure in quito().procedures() {
        let id = &procedure.identifier;
        if procedure.source.scope == SourceScope::PartialOrFull {
            continue;
        }
        assert!(procedure.has_cost.needs_confirming(), "{id}");
        assert!(procedure.processing_time.needs_confirming(), "{id}");
        assert!(procedure.produces.needs_confirming(), "{id}");
        assert!(procedure.is_for.needs_confirming(), "{id}");
        assert!(procedure.eligibility.needs_confirming(), "{id}");
        assert!(
            procedure.advice.as_ref().is_none_or(Fact::needs_confirming),
            "{id}"
        );
        assert!(procedure.has_input.iter().all(|input| !input.confirmed), "{id}");
        assert!(
            procedure.has_channel.iter().all(|channel| !channel.confirmed),
            "{id}"
        );
    }
}

#[test]
fn no_gap_is_filled_with_the_words_of_a_gap() {
    for (file, text) in quito::FILES {
        assert!(!text.contains("no consta"), "{file}");
    }
}

#[test]
fn forms_icons_and_words_are_there() {
    let catalogue = quito();
    let forms: Vec<_> = catalogue.forms().iter().map(|form| form.as_str()).collect();
    let shipped: Vec<_> = quito::FORMS.iter().map(|(name, _)| *name).collect();
    assert_eq!(forms, shipped);
    for (name, bytes) in quito::FORMS {
        assert!(bytes.starts_with(b"PK"), "{name} is an .xlsx file");
    }
    let (_, parishes) = quito::LISTS[0];
    let codes: BTreeSet<_> = parishes
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').next())
        .collect();
    assert_eq!(codes.len(), 65);
    assert!(
        codes
            .iter()
            .all(|code| code.len() == 6 && code.starts_with("1701"))
    );

    for procedure in catalogue.top_ranked(24) {
        let id = &procedure.identifier;
        for text in [&procedure.name, &procedure.short_name, &procedure.description] {
            assert!(text.own(Language::English).is_some(), "{id}");
        }
        assert!(procedure.eligibility.value().is_some(), "{id}");
        assert!(!procedure.keywords.is_empty(), "{id}");
    }
    for procedure in catalogue.procedures() {
        let width = procedure.list_name(Language::Spanish).chars().count();
        assert!(
            width <= 44,
            "{} has {width} characters in its row",
            procedure.identifier
        );
    }
}

#[test]
fn a_sensitive_name_stays_off_paper_and_screen() {
    let catalogue = quito();
    let procedure = catalogue
        .procedure(&ProcedureId::new("violencia-genero"))
        .unwrap();
    assert_eq!(procedure.kiosk_mode, KioskMode::Turn);
    assert_eq!(procedure.has_input, []);
    for language in Language::ALL {
        let shown = [
            procedure.shown_name(language),
            procedure.list_name(language),
            procedure.printed_name(language),
        ];
        assert!(
            shown.iter().all(|name| !name.to_lowercase().contains("violen")),
            "{shown:?}"
        );
    }
    let disability = catalogue
        .procedure(&ProcedureId::new("exoneracion-predial-discapacidad"))
        .unwrap();
    assert_eq!(
        disability.printed_name(Language::Spanish),
        "Exoneración del predial"
    );
}

#[test]
fn a_cost_and_a_time_fit_their_panel() {
    for procedure in quito().procedures() {
        let cost = match procedure.has_cost.value() {
            Some(Cost::Described(text)) => text.all().collect(),
            Some(Cost::Free) | None => Vec::new(),
        };
        let time = match procedure.processing_time.value() {
            Some(ProcessingTime::Described(text)) => text.all().collect(),
            Some(ProcessingTime::Immediate) | None => Vec::new(),
        };
        for words in cost.iter().chain(&time) {
            let long = words.chars().count() > 26;
            assert!(
                !long,
                "{}: put the rest of «{words}» into advice",
                procedure.identifier
            );
        }
    }
}
