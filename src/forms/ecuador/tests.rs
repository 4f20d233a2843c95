//! Vectors from published examples and synthetic numbers; nobody's document.
use super::*;

/// kind, input, normal form, policy
const DOCUMENTS: &[(&str, &str, &str, &str)] = &[
    ("cedula", "1700000175", "1700000175", "accept"),
    ("ruc", "1793189906001", "1793189906001", "warn"),
    ("cedula", "2300001647", "2300001647", "accept"),
    ("cedula", "171430710A", "171430710A", "reject"),
    ("ruc", "0993370026001", "0993370026001", "warn"),
    ("ruc", "0960000300001", "0960000300001", "accept"),
    ("cedula", "1714307103", "1714307103", "accept"),
    ("ruc", "2590000010001", "2590000010001", "reject"),
    ("ruc", "0160000430001", "0160000430001", "accept"),
    ("cedula", "3000000178", "3000000178", "accept"),
    ("ruc", "1793221293001", "1793221293001", "warn"),
    ("ruc", "0960000123001", "0960000123001", "accept"),
    ("ruc", "1790085783001", "1790085783001", "accept"),
    ("ruc", "1760000150001", "1760000150001", "accept"),
    ("cedula", " 1714307103 ", "1714307103", "accept"),
    ("ruc", "1790000001000", "1790000001000", "reject"),
    ("ruc", "", "", "reject"),
    ("ruc", "3000000178001", "3000000178001", "accept"),
    ("cedula", "0500000385", "0500000385", "accept"),
    ("cedula", "1714307130", "1714307130", "reject"),
    ("ruc", "1780000010001", "1780000010001", "reject"),
    ("ruc", "1760001550001", "1760001550001", "accept"),
    ("cedula", "2400001711", "2400001711", "accept"),
    ("cedula", "1000000735", "1000000735", "accept"),
    ("ruc", "1714307104001", "1714307104001", "reject"),
    ("ruc", "1790011674001", "1790011674001", "accept"),
    ("ruc", "9999999999999", "9999999999999", "reject"),
    ("ruc", "0993381661001", "0993381661001", "warn"),
    ("ruc", "0190000036001", "0190000036001", "accept"),
    ("cedula", "1300000948", "1300000948", "accept"),
    ("cedula", "171430710-3", "1714307103", "accept"),
    ("ruc", "1792060346001", "1792060346001", "accept"),
    ("ruc", "1790000029001", "1790000029001", "warn"),
    ("ruc", "1790000028001", "1790000028001", "accept"),
    ("cedula", "0000000000", "0000000000", "reject"),
    ("cedula", "2222222222", "2222222222", "reject"),
    ("ruc", "1793189624001", "1793189624001", "warn"),
    ("cedula", "17143071033", "17143071033", "reject"),
    ("ruc", "1770000010001", "1770000010001", "reject"),
    ("ruc", "1760000160001", "1760000160001", "warn"),
    ("cedula", "1714307104", "1714307104", "reject"),
    ("cedula", "1700001223", "1700001223", "accept"),
    ("cedula", "0100000108", "0100000108", "accept"),
    ("cedula", "0014307103", "0014307103", "reject"),
];

/// kind, input, normal form, class
const FORMATS: &[(&str, &str, &str, &str)] = &[
    ("plate", "pba 1234", "PBA1234", "car"),
    ("predio", "594", "594", "accept"),
    ("predio", "12345678901", "12345678901", "reject"),
    ("money_usd", "$ 12", "", "12.00"),
    ("plate", "P8A-1234", "P8A1234", "reject"),
    ("plate", "PBAA-123", "PBAA123", "reject"),
    ("phone", "032345678", "+59332345678", "landline"),
    ("phone", "0981234567", "+593981234567", "mobile"),
    ("plate", "1234-PBA", "1234PBA", "reject"),
    ("plate", "IS-123H", "IS123H", "motorcycle"),
    ("money_usd", "1.234,50", "", "1234.50"),
    ("date", "2026-11-24", "", "accept (API only)"),
    ("phone", "042345678", "+59342345678", "landline"),
    ("phone", "099-123-4567", "+593991234567", "mobile"),
    ("plate", "FBA-1234", "FBA1234", "reject"),
    ("date", "24/11/2026", "", "accept"),
    ("predio", "5787654", "5787654", "accept"),
    ("plate", "DBA-1234", "DBA1234", "reject"),
    ("predio", "0", "0", "reject"),
    ("phone", "072345678", "+59372345678", "landline"),
    ("date", "24/11/1850", "", "reject"),
    ("plate", "PBA-1234", "PBA1234", "car"),
    ("plate", "PBA1234", "PBA1234", "car"),
    ("phone", "593991234567", "+593991234567", "mobile"),
    ("phone", "0961234567", "+593961234567", "mobile"),
    ("phone", "023952300", "+59323952300", "landline"),
    ("plate", "IS123H", "IS123H", "motorcycle"),
    ("money_usd", "12,50", "", "12.50"),
    ("plate", "PB-1234", "PB1234", "reject"),
    ("phone", "1800510510", "+5931800510510", "reject"),
    ("phone", "099 123 4567", "+593991234567", "mobile"),
    ("plate", "IT000G", "IT000G", "motorcycle"),
    ("date", "29/02/2023", "", "reject"),
    ("phone", "+593991234567", "+593991234567", "mobile"),
    ("phone", "0931234567", "+593931234567", "mobile"),
    ("plate", "", "", "reject"),
    ("phone", "0000000000", "", "reject"),
    ("phone", "0891234567", "", "reject"),
    ("money_usd", "-5", "", "reject"),
    ("phone", "082345678", "", "reject"),
];

#[test]
fn documents_follow_the_policy() {
    for (kind, input, normal, policy) in DOCUMENTS {
        let (found, verdict) = match *kind {
            "cedula" => (cedula(input), "accept"),
            _ => match ruc(input) {
                Some(r) => {
                    let verdict = if r.sure { "accept" } else { "warn" };
                    (Some(r.number), verdict)
                }
                None => (None, "reject"),
            },
        };
        let verdict = if found.is_some() { verdict } else { "reject" };
        assert_eq!(verdict, *policy, "{kind} {input}");
        if let Some(found) = found {
            assert_eq!(found, *normal, "{kind} {input}");
        }
    }
}

#[test]
fn formats_follow_the_policy() {
    for (kind, input, normal, class) in FORMATS {
        match *kind {
            "plate" => {
                let found = plate(input);
                let kind = found.as_ref().map_or("reject", |p| match p.kind {
                    PlateKind::Car => "car",
                    PlateKind::Motorcycle => "motorcycle",
                });
                assert_eq!(kind, *class, "plate {input}");
                if let Some(p) = found {
                    assert_eq!(p.written, *normal, "plate {input}");
                }
            }
            "phone" => {
                let found = phone(input);
                let kind = found
                    .as_ref()
                    .map_or("reject", |p| if p.mobile { "mobile" } else { "landline" });
                assert_eq!(kind, *class, "phone {input}");
                if let Some(p) = found {
                    assert_eq!(p.e164, *normal, "phone {input}");
                }
            }
            "predio" => assert_eq!(predio(input).is_some(), *class == "accept", "predio {input}"),
            "money_usd" => {
                let found = money_cents(input).map(|c| format!("{}.{:02}", c / 100, c % 100));
                assert_eq!(found.as_deref().unwrap_or("reject"), *class, "money {input}");
            }
            "date" => {
                // Whether a birth date is plausible is a matter of the form's constraint.
                let plausible = date(input).is_some_and(|d| d.year() > 1900);
                assert_eq!(plausible, class.starts_with("accept"), "date {input}");
            }
            other => panic!("no test for {other}"),
        }
    }
}

#[test]
fn amounts_print_with_comma() {
    assert_eq!(money_text(123_450), "USD 1.234,50");
    assert_eq!(money_text(5), "USD 0,05");
    assert_eq!(money_text_of("12.5").as_deref(), Some("USD 12,50"));
    assert_eq!(money_text_of("12.345").as_deref(), Some("USD 12,35"));
    assert_eq!(money_text_of("no"), None);
}

#[test]
fn inspection_month_follows_the_last_digit() {
    assert_eq!(plate_month("PBA-1231"), Some(2));
    assert_eq!(plate_month("PBA-1230"), Some(11));
    assert_eq!(plate_month("IS-123H"), Some(4));
}
