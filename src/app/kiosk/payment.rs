//! The payment order that a form asks for.
//!
//! A form says what to pay with in the calculation `pay_number`, and where it knows them the amount in `pay_amount` and
//! the last day in `pay_until` (`catalogue/quito/README.md`). An empty `pay_number` means that nothing is to be paid.

use jiff::Timestamp;
use jiff::civil::Date;
use roxmltree::Document as Xml;

use super::papers::{Paper, stamp};
use crate::devices::printer::Profile;
use crate::domain::document::{Pair, PaymentPaper, PaymentWords, payment};
use crate::domain::procedure::{ChannelKind, Procedure};
use crate::domain::session::{Setup, SubmitRequest};
use crate::forms::ecuador;
use crate::i18n;

/// What is to be paid, as the form says it.
#[derive(Debug, PartialEq, Eq)]
struct Due {
    number: String,
    amount: Option<String>,
    until: Option<String>,
}

/// The order of a submission, or nothing where its form names no number to pay with.
pub(super) fn paper(
    setup: &Setup,
    request: &SubmitRequest,
    at: Timestamp,
    copy: Option<u32>,
    profile: &Profile,
) -> Option<Paper> {
    let due = due(request.instance.reveal())?;
    let procedure = setup.catalogue.procedure(&request.procedure)?;
    let language = request.language;
    let say = |key: &str| i18n::say(language, key);
    let mut facts = Vec::new();
    let mut notes = Vec::new();
    match due.amount {
        Some(amount) => facts.push(Pair::new(say("paper-payment-amount"), amount)),
        None => notes.push(say("paper-payment-unknown")),
    }
    facts.extend(due.until.map(|day| Pair::new(say("paper-payment-due"), day)));
    notes.push(say("paper-payment-receipt"));
    let place = if at_a_bank(procedure) {
        "paper-payment-at-bank"
    } else {
        "paper-payment-at-counter"
    };
    let document = payment(&PaymentPaper {
        place: setup.place.clone(),
        office_kind: setup.office_kind.clone(),
        subject: procedure.printed_name(language).to_owned(),
        qr: Some(due.number.clone()),
        code: due.number,
        facts,
        steps: vec![say(place), say("paper-payment-proof")],
        device: i18n::fill(language, "kiosk-name", &[("name", &setup.kiosk)]),
        printed: stamp(at, &setup.zone),
        copy,
        words: PaymentWords {
            title: say("paper-payment"),
            code: say("paper-payment-code"),
            how: say("paper-payment-how"),
            beside_qr: vec![say("paper-payment-scan")],
            notes,
            copy: say("paper-copy"),
        },
    });
    Some(Paper::of(document, profile))
}

/// Whether a source says that banks take the payment.
fn at_a_bank(procedure: &Procedure) -> bool {
    procedure
        .has_channel
        .iter()
        .any(|channel| channel.kind == ChannelKind::Bank && channel.confirmed)
}

fn due(instance: &str) -> Option<Due> {
    let xml = Xml::parse(instance).ok()?;
    let value = |name: &str| {
        xml.root_element()
            .children()
            .find(|child| child.tag_name().name() == name)
            .and_then(|child| child.text())
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    Some(Due {
        number: value("pay_number")?,
        // An amount that cannot be read is not printed: no amount is a question, a wrong one is money.
        amount: value("pay_amount").and_then(|amount| ecuador::money_text_of(&amount)),
        until: value("pay_until")
            .and_then(|day| day.parse::<Date>().ok())
            .map(|day| day.strftime("%d/%m/%Y").to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(fields: &str, wanted: Option<(&str, Option<&str>, Option<&str>)>) {
        let xml = format!("<data xmlns=\"http://example.org\" id=\"predial\">{fields}</data>");
        let wanted = wanted.map(|(number, amount, until)| Due {
            number: number.into(),
            amount: amount.map(str::to_owned),
            until: until.map(str::to_owned),
        });
        assert_eq!(due(&xml), wanted, "{fields}");
    }

    #[test]
    fn an_order_is_what_the_form_calculates() {
        check("<pay_number>512034</pay_number>", Some(("512034", None, None)));
        check(
            "<pay_number>512034</pay_number><pay_amount>1084.2</pay_amount><pay_until>2026-12-31</pay_until>",
            Some(("512034", Some("USD 1.084,20"), Some("31/12/2026"))),
        );
    }

    #[test]
    fn nothing_to_pay_with_is_no_order() {
        check("<numero_predio>512034</numero_predio>", None);
        check("<pay_number/><pay_amount>10</pay_amount>", None);
    }

    #[test]
    fn what_cannot_be_read_is_not_printed() {
        check(
            "<pay_number>7</pay_number><pay_amount>mucho</pay_amount><pay_until>pronto</pay_until>",
            Some(("7", None, None)),
        );
        assert_eq!(due("<data>"), None);
    }
}
