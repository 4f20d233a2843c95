//! What a sheet says in one row and a form in several: tables, loops, `or_other`, the form's own fields.

use super::choices::{Choice, List};
use super::element::{Element, Kind, Survey};
use super::types::{self, Source};
use super::words::Words;
use super::{Settings, says_yes};
use crate::forms::finding::Finding;
use crate::forms::limits;

/// The note that carries label and hint of a table, which a group of a table cannot show.
pub(super) fn table_label(group: &mut Element) -> Option<Element> {
    let (label, hint) = (group.words.remove("label"), group.words.remove("hint"));
    if label.is_none() && hint.is_none() {
        return None;
    }
    let name = format!("generated_table_list_label_{}", group.row);
    let mut note = Element::new(name, Kind::Question(&types::NOTE), group.row);
    note.words.extend(label.map(|l| ("label".to_owned(), l)));
    note.words.extend(hint.map(|h| ("hint".to_owned(), h)));
    Some(note)
}

/// The first row of a table: the choices' labels above their columns.
pub(super) fn table_header(first: &Element, control: &'static str, list: &str) -> Element {
    let name = format!("reserved_name_for_field_list_labels_{}", first.row);
    let kind = Kind::Select {
        control,
        list: list.to_owned(),
        from: Source::Sheet,
    };
    Element::new(name, kind, first.row)
        .with_cell("appearance", "label")
        .with_words("label", Words::Plain(" ".to_owned()))
}

/// Adds the choice `other` to a list, in every language the list has.
pub(super) fn other_choice(survey: &mut Survey, list: &str, row: u32) {
    let Some(list) = survey.lists.find(list) else {
        return;
    };
    if list.choices.iter().any(|c| c.name == "other") {
        return;
    }
    let label = match languages(list) {
        none if none.is_empty() => Words::Plain("Other".to_owned()),
        some => Words::In(some.into_iter().map(|l| (l, "Other".to_owned())).collect()),
    };
    list.choices.push(Choice {
        name: "other".to_owned(),
        label,
        media: vec![],
        extra: vec![],
        row,
    });
}

fn languages(list: &List) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for choice in &list.choices {
        if let Words::In(all) = &choice.label {
            for (language, _) in all
                .iter()
                .filter(|(l, _)| !out.contains(l))
                .cloned()
                .collect::<Vec<_>>()
            {
                out.push(language);
            }
        }
    }
    out
}

/// The question for the words of who chose `other`.
pub(super) fn specify_other(name: &str, row: u32) -> Element {
    Element::new(format!("{name}_other"), Kind::Question(&types::TEXT), row)
        .with_cell("relevant", format!("selected(../{name}, 'other')"))
        .with_words("label", Words::Plain("Specify other.".to_owned()))
}

/// The group of the form's own fields; it is made when it is first needed.
fn meta_group(survey: &mut Survey) -> usize {
    let found = survey.elements.iter().position(|e| matches!(e.kind, Kind::Meta));
    found.unwrap_or_else(|| {
        survey.elements.push(Element::new("meta", Kind::Meta, 0));
        survey.elements.len() - 1
    })
}

pub(super) fn meta_child(survey: &mut Survey, element: Element) {
    let meta = meta_group(survey);
    survey.push(meta, element);
}

/// Hangs the form's own fields at the end of the form.
pub(super) fn meta(survey: &mut Survey, settings: &Settings) {
    let own = |name: &str, row| Element::new(name, Kind::Question(&types::CALCULATE), row);
    if !settings.get("omit_instanceid").is_some_and(|v| says_yes(v)) {
        let preload = settings.get("instance_id").map_or("uid", String::as_str);
        let id = own("instanceID", 0)
            .with_cell("readonly", "true()")
            .with_cell("bind::jr:preload", preload);
        meta_child(survey, id);
    }
    if let Some(expression) = settings.get("instance_name") {
        meta_child(
            survey,
            own("instanceName", 2).with_cell("calculation", expression.as_str()),
        );
    }
    let Some(meta) = survey.elements.iter().position(|e| matches!(e.kind, Kind::Meta)) else {
        return;
    };
    survey.elements[meta].parent = Some(0);
    survey.elements[0].children.push(meta);
}

/// Replaces what a loop holds by a group for each choice, with `%(label)s` and `%(name)s` filled in.
pub(super) fn write_out_loops(survey: &mut Survey, findings: &mut Vec<Finding>) {
    // Loops are written out from the outside in; each pass may free loops inside.
    while let Some(at) = survey
        .in_order()
        .into_iter()
        .find(|at| matches!(survey.elements[*at].kind, Kind::Loop { .. }))
    {
        let Kind::Loop { list } = std::mem::replace(&mut survey.elements[at].kind, Kind::Group) else {
            return;
        };
        let pattern = std::mem::take(&mut survey.elements[at].children);
        let choices: Vec<(String, Words)> = match survey.lists.find(&list) {
            Some(list) => {
                list.used = true;
                list.choices
                    .iter()
                    .map(|c| (c.name.clone(), c.label.clone()))
                    .collect()
            }
            None => vec![],
        };
        for (name, label) in choices.iter().filter(|(name, _)| name != "none") {
            let row = survey.elements[at].row;
            if !super::choices::is_xml_name(name) {
                let message =
                    format!("The loop makes a group of `{name}`, which cannot be a name; rename the choice");
                findings.push(Finding::error(message).at(&survey.sheet.clone(), row, "type"));
            }
            let group = Element::new(name.as_str(), Kind::Group, row).with_words("label", label.clone());
            let group = survey.push(at, group);
            for child in &pattern {
                copy(survey, *child, group, (name, label));
            }
            if survey.elements.len() > limits::FIELDS {
                let message = format!(
                    "The loop makes more than {} fields; shorten its list",
                    limits::FIELDS
                );
                findings.push(Finding::error(message).at(&survey.sheet.clone(), row, "type"));
                return;
            }
        }
    }
}

fn copy(survey: &mut Survey, from: usize, parent: usize, choice: (&str, &Words)) {
    let (name, label) = choice;
    let mut element = survey.elements[from].clone();
    let children = std::mem::take(&mut element.children);
    let fill = |text: &str, language: &str| {
        let own = label.by_language("").into_iter().find(|(l, _)| *l == language);
        let shown = own
            .or_else(|| label.by_language("").into_iter().next())
            .map_or(name, |(_, t)| t);
        text.replace("%(label)s", shown)
            .replace("%(name)s", name)
            .replace("%%", "%")
    };
    for text in element.cells.values_mut() {
        *text = fill(text, "");
    }
    for words in element.words.values_mut() {
        *words = words.map(|language, text| fill(text, language));
    }
    let at = survey.push(parent, element);
    if survey.elements.len() > limits::FIELDS {
        return;
    }
    for child in children {
        copy(survey, child, at, choice);
    }
}

/// The setting `flat`: groups keep their place on the screen and leave no trace in the answers.
pub(super) fn flatten(survey: &mut Survey) {
    fn walk(survey: &mut Survey, at: usize, above: &str) {
        for child in survey.elements[at].children.clone() {
            let element = &mut survey.elements[child];
            if matches!(element.kind, Kind::Meta) {
                continue;
            }
            let own = element.cell("relevant").unwrap_or("");
            let relevant = match (above, own) {
                ("", own) => own.to_owned(),
                (above, "") => above.to_owned(),
                (above, own) => format!("{above} and ({own})"),
            };
            if element.children.is_empty() {
                if !relevant.is_empty() {
                    element.cells.insert("relevant".to_owned(), relevant);
                }
            } else {
                element.flat = true;
                walk(survey, child, &relevant);
            }
        }
    }
    walk(survey, 0, "");
}
