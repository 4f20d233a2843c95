//! Takes the contents of a procedure out: as JSON, or as a table with a column for each question.
//!
//! Needs the key; what goes out is put on record before. Cells that a spreadsheet would run are made harmless.
//! Begin at [`gather`], which the API and `ventanilla central export` share; [`csv`] writes the table.

use std::collections::BTreeSet;

use serde::Serialize;
use tracing::warn;
use zeroize::Zeroizing;

use super::{CentralApp, FormBook};
use crate::domain::desk::CentralEvent;
use crate::domain::seal::{OpeningKey, open};
use crate::domain::submission::Content;
use crate::forms::review::{answers_of, by_column, columns_of};
use crate::store::desk::CaseRow;
use crate::store::inbox::{InboxRow, Wanted};
use crate::store::municipal::Municipal;
use crate::store::{StoreError, chain, desk};

/// Most submissions in one answer.
pub const LIMIT_MAX: u32 = 1000;

/// Who takes out what, and why.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Which procedure.
    pub procedure: String,
    /// Only what came after this place.
    pub after: i64,
    /// Most submissions.
    pub limit: u32,
    /// `csv` or `json`, for the record.
    pub format: &'static str,
    /// Why, in the person's words.
    pub reason: String,
    /// Name for the record.
    pub who: String,
    /// Address for the record.
    pub from: Option<String>,
}

/// A submission that was taken out.
pub struct Taken {
    row: InboxRow,
    case: CaseRow,
    content: Option<Content>,
}

/// What was taken out.
#[derive(Default)]
pub struct Export {
    taken: Vec<Taken>,
    /// The place to go on after; nothing where this was the end.
    pub next: Option<i64>,
}

impl Export {
    /// Adds the next page.
    pub fn extend(&mut self, page: Self) {
        self.taken.extend(page.taken);
        self.next = page.next;
    }

    /// How many submissions.
    pub fn len(&self) -> usize {
        self.taken.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }
}

/// Opens what is asked for; the record is written first.
///
/// # Errors
/// When the store does not answer, or an envelope is damaged.
pub async fn gather(
    store: &Municipal,
    key: &OpeningKey,
    asked: &Asked,
    now: jiff::Timestamp,
) -> Result<Export, StoreError> {
    let limit = asked.limit.clamp(1, LIMIT_MAX);
    let wanted = Wanted {
        after: asked.after,
        limit,
        procedure: Some(asked.procedure.clone()),
        office: None,
    };
    let rows = store.list(wanted).await?;
    let next = rows
        .last()
        .filter(|_| rows.len() >= limit as usize)
        .map(|row| row.server_seq);
    let event = CentralEvent::Exported {
        procedure: asked.procedure.clone(),
        format: asked.format.to_owned(),
        submissions: u64::try_from(rows.len()).unwrap_or(u64::MAX),
        from: rows.first().map_or(asked.after, |row| row.server_seq),
        to: rows.last().map_or(asked.after, |row| row.server_seq),
        reason: asked.reason.chars().take(500).collect(),
    };
    let (who, from) = (asked.who.clone(), asked.from.clone());
    let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
    let mut cases = store
        .change(move |sql| {
            chain::append(sql, now, Some(&who), from.as_deref(), &event)?;
            desk::cases(sql, &ids)
        })
        .await?;
    let mut taken = Vec::with_capacity(rows.len());
    for row in rows {
        let case = cases.remove(&row.id.to_string()).unwrap_or_default();
        let content = store.sealed(row.id).await?.and_then(|item| {
            let opened = open(&item.envelope, key)
                .inspect_err(|problem| warn!(submission = %row.id, %problem, "not taken out"))
                .ok()?;
            Content::from_bytes(&opened.plain)
        });
        taken.push(Taken { row, case, content });
    }
    Ok(Export { taken, next })
}

/// One submission as JSON.
#[derive(Serialize)]
struct Case<'a> {
    seq: i64,
    id: String,
    code: String,
    office: &'a str,
    device: &'a str,
    created_at: String,
    received_at: String,
    status: &'static str,
    review: Option<&'static str>,
    /// Nothing where it was erased or does not open with this key.
    content: Option<&'a Content>,
}

impl Taken {
    fn case(&self) -> Case<'_> {
        Case {
            seq: self.row.server_seq,
            id: self.row.id.to_string(),
            code: self.row.code.to_string(),
            office: &self.row.office,
            device: &self.row.device_id,
            created_at: self.row.created_at.to_string(),
            received_at: self.row.received_at.to_string(),
            status: super::api::status_word(&self.case),
            review: self.case.review.as_ref().map(|(review, _)| review.code()),
            content: self.content.as_ref(),
        }
    }
}

/// All of it as JSON: `{"submissions": […], "next": …}`.
pub fn json(export: &Export) -> Zeroizing<String> {
    #[derive(Serialize)]
    struct All<'a> {
        submissions: Vec<Case<'a>>,
        next: Option<i64>,
    }
    let all = All {
        submissions: export.taken.iter().map(Taken::case).collect(),
        next: export.next,
    };
    Zeroizing::new(serde_json::to_string(&all).unwrap_or_default())
}

const HEAD: [&str; 9] = [
    "seq",
    "id",
    "code",
    "office",
    "device",
    "created_at",
    "received_at",
    "status",
    "review",
];

/// All of it as a table (RFC 4180, UTF-8): the columns of the form in its order, then what it does not know.
pub fn csv(export: &Export, forms: &FormBook) -> Zeroizing<String> {
    let answers: Vec<_> = export
        .taken
        .iter()
        .map(|one| {
            let content = one.content.as_ref();
            by_column(
                content
                    .and_then(|c| answers_of(c.instance_xml.reveal()))
                    .unwrap_or_default(),
            )
        })
        .collect();
    let form = export
        .taken
        .iter()
        .filter_map(|one| forms.newest(&one.row.form_id))
        .next_back();
    let mut columns = form.map(|form| columns_of(form)).unwrap_or_default();
    let known: BTreeSet<String> = columns.iter().cloned().collect();
    let more: BTreeSet<&String> = answers.iter().flat_map(|row| row.keys()).collect();
    columns.extend(
        more.into_iter()
            .filter(|column| !known.contains(*column))
            .cloned(),
    );
    let mut text = Zeroizing::new(String::new());
    let head = HEAD.iter().map(|name| (*name).to_owned());
    line(&mut text, head.chain(columns.iter().map(|column| title(column))));
    for (one, answers) in export.taken.iter().zip(&answers) {
        let case = one.case();
        let head = [
            case.seq.to_string(),
            case.id,
            case.code,
            case.office.to_owned(),
            case.device.to_owned(),
            case.created_at,
            case.received_at,
            case.status.to_owned(),
            case.review.unwrap_or_default().to_owned(),
        ];
        let values = columns.iter().map(|column| {
            answers
                .get(column)
                .map(|values| values.join("\n"))
                .unwrap_or_default()
        });
        line(&mut text, head.into_iter().chain(values));
    }
    text
}

/// The path without the root, as a person knows it: `persona/cedula`.
fn title(column: &str) -> String {
    column.splitn(3, '/').nth(2).unwrap_or(column).to_owned()
}

fn line(text: &mut String, cells: impl Iterator<Item = String>) {
    for (n, value) in cells.enumerate() {
        if n > 0 {
            text.push(',');
        }
        cell(text, &value);
    }
    text.push_str("\r\n");
}

/// Writes a cell; one that a spreadsheet would take for a formula begins with an apostrophe, a number does not.
fn cell(text: &mut String, value: &str) {
    let runs = value.starts_with(['=', '+', '-', '@', '\t', '\r']) && value.parse::<f64>().is_err();
    text.push('"');
    if runs {
        text.push('\'');
    }
    for c in value.chars() {
        if c == '"' {
            text.push('"');
        }
        if c != '\0' {
            text.push(c);
        }
    }
    text.push('"');
}

impl CentralApp {
    /// [`gather`] with the key that is unlocked here; nothing while it is locked.
    pub(super) async fn gather(&self, asked: &Asked) -> Option<Result<Export, StoreError>> {
        let key = self.opening_key()?;
        Some(gather(&self.store, &key, asked, self.clock.now()).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        let shown = |value: &str| {
            let mut text = String::new();
            cell(&mut text, value);
            text
        };
        for bad in [
            "=1+1",
            "+A1",
            "-2+3",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "=HYPERLINK(\"x\")",
        ] {
            assert!(shown(bad).starts_with("\"'"), "{bad}");
        }
        assert_eq!(shown("-12.5"), "\"-12.5\"");
        assert_eq!(shown("a\"b,\r\nc"), "\"a\"\"b,\r\nc\"");
        assert_eq!(title("/data/persona/cedula"), "persona/cedula");
    }
}
