//! Golden papers, laws for any words, and a reader held over the QR code.

use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;

use super::command::{self, real_time};
use super::*;
use crate::domain::document::{
    Air, Block, ChecklistPaper, ChecklistWords, Document, DocumentKind, Pair, PaymentPaper, PaymentWords,
    ReadinessPaper, ReceiptPaper, ReceiptWords, TurnPaper, TurnWords, checklist, payment, readiness, receipt,
    turn_ticket,
};

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn pairs(rows: &[(&str, &str)]) -> Vec<Pair> {
    rows.iter()
        .map(|(label, value)| Pair::new(*label, *value))
        .collect()
}

fn turn_paper() -> TurnPaper {
    TurnPaper {
        place: "Quitumbe".into(),
        office_kind: "Administración Zonal".into(),
        number: "T-018".into(),
        queue: "Tributos".into(),
        ahead: Some("6 turnos".into()),
        wait: Some("20 a 30 minutos".into()),
        taken: "24/11/2026 10:15".into(),
        qr: Some("http://10.8.0.1/t/0193f6a27c1e84d0".into()),
        hours: Some("Atención de 08:00 a 16:30".into()),
        device: "Kiosco 2".into(),
        check: "T-018 · 0412-6".into(),
        copy: None,
        words: TurnWords {
            your_turn: "Su turno".into(),
            ahead: "Antes que usted".into(),
            wait: "Espera".into(),
            taken: "Tomado".into(),
            beside_qr: strings(&[
                "Mire y escuche la pantalla de la sala.",
                "El cuadro abre su turno en el teléfono, dentro de la oficina.",
            ]),
            notes: strings(&[
                "¿Lo llamaron y no estaba? Toque «Tengo un código» en el kiosco antes de 30 minutos.",
                "El turno es gratis. No se vende ni se presta.",
            ]),
            copy: "COPIA".into(),
        },
    }
}

fn receipt_paper() -> ReceiptPaper {
    ReceiptPaper {
        place: "Quitumbe".into(),
        office_kind: "Administración Zonal".into(),
        procedure: "Exoneración del impuesto predial para adultos mayores".into(),
        code: "QT7M-4K2P".into(),
        facts: pairs(&[
            ("Registrada", "24/11/2026 10:15"),
            ("Cédula", "17••••7103"),
            ("Año", "2026"),
            ("Predio", "N.º 512034"),
            ("Costo", "Gratis"),
            ("Resultado", "Exoneración total"),
        ]),
        declared: pairs(&[("Ingreso al mes", "USD 470,00"), ("Patrimonio", "USD 38.500,00")]),
        next: strings(&[
            "Espere su turno T-018.",
            "Lleve su cédula a la ventanilla.",
            "Guarde este papel.",
        ]),
        qr: Some("VENTANILLA:1:QT7M-4K2P:9F3A61C0B7D248E5".into()),
        seal: Some("Firma 9F3A 61C0 B7D2 48E5".into()),
        device: "Kiosco 2 · formulario v7".into(),
        copy: None,
        words: ReceiptWords {
            title: "Comprobante de solicitud".into(),
            code: "Código".into(),
            declared: "Lo que declaró".into(),
            next: "Lo que sigue".into(),
            beside_qr: strings(&[
                "Vale como prueba de entrega, también sin internet.",
                "Consulte en un kiosco o llame al 1800\u{a0}510\u{a0}510.",
            ]),
            original: "Original".into(),
            copy: "COPIA".into(),
        },
    }
}

fn payment_paper() -> PaymentPaper {
    PaymentPaper {
        place: "Quitumbe".into(),
        office_kind: "Administración Zonal".into(),
        subject: "Impuesto predial urbano 2026".into(),
        code: "4510-0932".into(),
        facts: pairs(&[
            ("Valor", "USD 84,20"),
            ("Pague hasta", "31/12/2026"),
            ("Cédula", "17••••7103"),
        ]),
        steps: strings(&[
            "Diga este número en la ventanilla de pagos o en un banco.",
            "Reciba la factura por su pago.",
        ]),
        qr: Some("45100932".into()),
        device: "Kiosco 2".into(),
        printed: "24/11/2026 10:15".into(),
        copy: None,
        words: PaymentWords {
            title: "Orden de pago".into(),
            code: "Número para pagar".into(),
            how: "Cómo pagar".into(),
            beside_qr: strings(&["El cuadro dice el mismo número."]),
            notes: strings(&["Este papel no es un comprobante de pago."]),
            copy: "COPIA".into(),
        },
    }
}

fn checklist_paper() -> ChecklistPaper {
    ChecklistPaper {
        place: "Quitumbe".into(),
        office_kind: "Administración Zonal".into(),
        procedure: "Exoneración del impuesto predial para adultos mayores".into(),
        items: strings(&[
            "Su cédula de identidad, original.",
            "La carta del impuesto predial de este año, o el número de predio.",
            "Si va otra persona: poder notariado y la cédula de ella.",
        ]),
        facts: pairs(&[
            ("Costo", "Gratis"),
            ("Se demora", "15 minutos"),
            ("Dónde", "Cualquier administración"),
        ]),
        qr: None,
        device: "Kiosco 2".into(),
        printed: "24/11/2026 10:15".into(),
        words: ChecklistWords {
            title: "Lo que debe traer".into(),
            beside_qr: Vec::new(),
            notes: strings(&["También puede empezar aquí mismo, en el kiosco."]),
        },
    }
}

/// Kichwa and Spanish with every letter and mark that papers need.
fn letters() -> Document {
    let blocks = vec![
        Block::Title("Ñukanchik llakta".into()),
        Block::Text("Kallarina. Shuk ñawpa yupaytami charinki, kaypi shuyay.".into()),
        Block::Text("¿Cómo está? ¡Bienvenido! «Pingüino» á é í ó ú ü ñ Á É Í Ó Ú Ü Ñ 1.º 2.ª • ≤ ½ €".into()),
        Block::Text("Waorani ä ë ï ö; guaraní ẽ ĩ ũ ỹ; 中文".into()),
        Block::Pairs {
            rows: pairs(&[("Año ẽ", "17••••7103"), ("Ñan", "USD 1,00")]),
            air: Air::Normal,
        },
    ];
    Document {
        kind: DocumentKind::Receipt,
        blocks,
    }
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/paper")
        .join(name)
}

fn pixels(png: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png))
        .read_info()
        .expect("a png");
    let mut pixels = vec![0; reader.output_buffer_size().expect("it fits")];
    let frame = reader.next_frame(&mut pixels).expect("a frame");
    (frame.width, frame.height, pixels)
}

/// Compares paper and commands with the files; `UPDATE_GOLDEN=1` writes them anew.
#[track_caller]
fn check(name: &str, document: &Document, profile: &Profile) {
    let bytes = compose(document, profile);
    let paper = Paper::print(&bytes, profile);
    assert_eq!(paper.faults, Vec::<String>::new());
    let (picture, commands) = (
        golden(&format!("{name}.png")),
        golden(&format!("{name}.commands.txt")),
    );
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(golden("")).expect("a folder");
        std::fs::write(&picture, paper.to_png()).expect("a file");
        std::fs::write(&commands, dump(&bytes)).expect("a file");
    }
    let is_same = pixels(&std::fs::read(&picture).expect("the golden picture")) == pixels(&paper.to_png());
    if !is_same {
        let actual = std::env::temp_dir().join(format!("{name}.actual.png"));
        std::fs::write(&actual, paper.to_png()).expect("a file");
        panic!(
            "{name} looks different: see {} and {}",
            picture.display(),
            actual.display()
        );
    }
    assert_eq!(
        std::fs::read_to_string(&commands).expect("the golden commands"),
        dump(&bytes)
    );
}

#[test]
fn a_turn_ticket_looks_as_designed() {
    check("turn-80", &turn_ticket(&turn_paper()), &Profile::wide());
    check("turn-58", &turn_ticket(&turn_paper()), &Profile::narrow());
    check("turn-80-text", &turn_ticket(&turn_paper()), &Profile::wide_text());
    check(
        "turn-80-copy",
        &turn_ticket(&TurnPaper {
            copy: Some(1),
            ..turn_paper()
        }),
        &Profile::wide(),
    );
}

#[test]
fn a_receipt_looks_as_designed() {
    check("receipt-80", &receipt(&receipt_paper()), &Profile::wide());
    check("receipt-58", &receipt(&receipt_paper()), &Profile::narrow());
    check(
        "receipt-80-text",
        &receipt(&receipt_paper()),
        &Profile::wide_text(),
    );
    check(
        "receipt-58-text-copy",
        &receipt(&ReceiptPaper {
            copy: Some(2),
            ..receipt_paper()
        }),
        &Profile::narrow_text(),
    );
}

#[test]
fn a_checklist_looks_as_designed() {
    check("checklist-80", &checklist(&checklist_paper()), &Profile::wide());
}

#[test]
fn a_payment_order_looks_as_designed() {
    check("payment-80", &payment(&payment_paper()), &Profile::wide());
    check(
        "payment-58-text",
        &payment(&payment_paper()),
        &Profile::narrow_text(),
    );
}

#[test]
fn a_technicians_sample_looks_as_designed() {
    let paper = ReadinessPaper {
        place: "Quitumbe".into(),
        office_kind: "Administración Zonal".into(),
        title: "Prueba de impresora".into(),
        checks: pairs(&[
            ("Modelo", "TM-T20II"),
            ("Estado", "Lista"),
            ("Confirma lo impreso", "Sí"),
        ]),
        letters_title: "Letras".into(),
        letters: strings(&[
            "á é í ó ú ü ñ Á É Í Ó Ú Ü Ñ ¿? ¡!",
            "Ñukanchik llakta.",
            "ẽ ĩ ũ ỹ",
        ]),
        number: "A-042".into(),
        code: "QT7M-4K2P".into(),
        qr: "VENTANILLA-TEST:0123456789ABCDEF".into(),
        judge: "Si ve todas las letras, el número entero y el cuadro completo, la impresora está lista."
            .into(),
        device: "Kiosco 2".into(),
        printed: "24/11/2026 10:15".into(),
    };
    let named = |name| Profile::named(name).expect("the house's own");
    check("sample-80-text", &readiness(&paper), &named("simulator"));
    check("sample-58", &readiness(&paper), &named("58-raster"));
}

#[test]
fn the_letters_of_the_country_are_printed() {
    check("letters-80", &letters(), &Profile::wide());
    check("letters-80-text", &letters(), &Profile::wide_text());
}

#[test]
fn a_name_with_commands_in_it_prints_no_commands() {
    let evil = "Ana\x1b@\x1dV0\x10\x14\u{202e}";
    let paper = TurnPaper {
        queue: evil.into(),
        ahead: Some(evil.into()),
        ..turn_paper()
    };
    for profile in [Profile::wide(), Profile::wide_text()] {
        let bytes = compose(&turn_ticket(&paper), &profile);
        assert_eq!(bytes.windows(2).filter(|pair| pair == b"\x1b@").count(), 1);
        assert_eq!(bytes.windows(3).filter(|cut| cut == b"\x1dV0").count(), 0);
        assert_eq!(real_time(&bytes), None);
        assert_eq!(Paper::print(&bytes, &profile).faults, Vec::<String>::new());
    }
}

#[test]
fn a_job_begins_clean_and_ends_cut() {
    let bytes = compose(&turn_ticket(&turn_paper()), &Profile::wide());
    assert_eq!(bytes[..7], [0x1b, 0x40, 0x1c, 0x2e, 0x1b, 0x74, 16]);
    assert_eq!(bytes[bytes.len() - 4..], [0x1d, 0x56, 0x42, 0x00]);
}

#[test]
fn the_words_of_a_paper_can_be_read_aloud() {
    insta::assert_snapshot!(turn_ticket(&turn_paper()).to_text(), @r"
    Quitumbe
    Administración Zonal
    ────────────────────────────────────────────
    Su turno
    T-018
    Tributos
    ────────────────────────────────────────────
    Antes que usted                     6 turnos
    Espera                       20 a 30 minutos
    Tomado                      24/11/2026 10:15
    ────────────────────────────────────────────
    [QR http://10.8.0.1/t/0193f6a27c1e84d0]
    Mire y escuche la pantalla de la sala.
    El cuadro abre su turno en el teléfono,
    dentro de la oficina.
    ────────────────────────────────────────────
    ¿Lo llamaron y no estaba? Toque «Tengo un
    código» en el kiosco antes de 30 minutos.
    El turno es gratis. No se vende ni se
    presta.
    - - - - - - - - - - - - - - - - - - - - - -
    Atención de 08:00 a 16:30
    Kiosco 2                      T-018 · 0412-6
    ");
}

#[test]
fn the_qr_code_of_every_paper_can_be_read() {
    if Command::new("zbarimg").arg("--version").output().is_err() {
        eprintln_skip();
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let turn = turn_paper();
    let receipt_paper = receipt_paper();
    let long = format!("http://10.8.0.1/c/{}", "0123456789abcdef".repeat(6));
    let long_turn = TurnPaper {
        qr: Some(long.clone()),
        ..turn_paper()
    };
    for profile in [
        Profile::wide(),
        Profile::narrow(),
        Profile::wide_text(),
        Profile::narrow_text(),
    ] {
        for (name, document, payload) in [
            ("turn", turn_ticket(&turn), turn.qr.clone()),
            ("receipt", receipt(&receipt_paper), receipt_paper.qr.clone()),
            ("long", turn_ticket(&long_turn), Some(long.clone())),
        ] {
            let picture = folder.path().join(format!("{name}-{}.png", profile.name));
            let paper = Paper::print(&compose(&document, &profile), &profile);
            std::fs::write(&picture, paper.to_png()).expect("a file");
            let output = Command::new("zbarimg")
                .args(["-q", "--raw"])
                .arg(&picture)
                .output()
                .expect("zbarimg runs");
            let read = String::from_utf8_lossy(&output.stdout);
            assert_eq!(
                read.trim_end(),
                payload.expect("these papers have a code"),
                "{name} {}",
                profile.name
            );
        }
    }
}

#[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
fn eprintln_skip() {
    eprintln!("zbarimg is not installed: the QR codes were not read");
}

#[test]
fn what_the_printer_writes_itself_can_be_read_from_the_bytes() {
    let profile = Profile::wide_text();
    let paper = Paper::print(&compose(&receipt(&receipt_paper()), &profile), &profile);
    for words in [
        "Año",
        "N.º 512034",
        "2. Lleve su cédula a la ventanilla.",
        "[QR VENTANILLA:1:",
        "Original",
    ] {
        assert!(paper.text.contains(words), "{words} in {}", paper.text);
    }
}

#[test]
fn the_paper_shows_what_wrong_bytes_do() {
    let profile = Profile::wide();
    let print = |bytes: &[u8]| Paper::print(bytes, &profile);
    let two = print(b"\x1b@\x1bt\x10uno\n\x1dVB\x00\x1b@\x1bt\x10dos\n\x1dVB\x00");
    assert_eq!(
        (two.text.as_str(), two.faults.len()),
        ("uno\n--- cut ---\ndos\n", 0)
    );
    // The crate's own QR model, a page nobody set, a real-time order inside a picture, a lost end.
    assert_eq!(
        print(b"\x1d(k\x04\x001A1\x00").faults,
        ["Byte 0: QR model 49 instead of 2"]
    );
    assert_eq!(
        print(b"\x1bt\x63").faults,
        ["Byte 0: page slot 99 is not in the profile"]
    );
    assert_eq!(
        print(b"\x1dv0\x00\x02\x00\x01\x00\x10\x14").faults,
        ["Real-time command at byte 8"]
    );
    assert_eq!(
        print(b"\x1dv0\x00\x02\x00\x01\x00\x10").faults,
        ["Byte 0: command without its end"]
    );
    assert_eq!(print("año\n".as_bytes()).faults.len(), 2, "UTF-8 is not a page");
}

#[test]
fn a_profile_can_be_a_file() {
    for profile in [Profile::wide(), Profile::narrow_text()] {
        let file = toml::to_string(&profile).expect("a profile is plain data");
        assert_eq!(
            toml::from_str::<Profile>(&file).expect("it was written by us"),
            profile
        );
        assert_eq!(Profile::named(&profile.name), Some(profile));
    }
}

#[test]
fn a_printer_can_be_given_to_its_thread() {
    fn check_send<T: Send>() {}
    check_send::<Printer>();
}

fn any_document() -> impl Strategy<Value = Document> {
    let words = || prop_oneof![any::<String>(), "[a-zñáé \u{1b}\u{1d}\u{10}\u{4}@V]{0,90}"];
    (prop::collection::vec(words(), 9), any::<bool>()).prop_map(|(words, is_turn)| {
        let [a, b, c, d, e, f, g, h, i]: [String; 9] = words.try_into().expect("nine");
        if is_turn {
            let texts = TurnWords {
                your_turn: g,
                beside_qr: vec![h],
                notes: vec![i],
                ..turn_paper().words
            };
            let qr = Some(e);
            turn_ticket(&TurnPaper {
                place: a,
                number: b,
                queue: c,
                wait: Some(d),
                qr,
                check: f,
                words: texts,
                ..turn_paper()
            })
        } else {
            let facts = vec![Pair::new(a, b)];
            receipt(&ReceiptPaper {
                procedure: c,
                code: d,
                facts,
                next: vec![e, f],
                seal: Some(g),
                device: h,
                qr: Some(i),
                ..receipt_paper()
            })
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_words_print_without_a_command_of_their_own(document in any_document()) {
        for profile in [Profile::wide(), Profile::narrow_text()] {
            let bytes = compose(&document, &profile);
            prop_assert_eq!(real_time(&bytes), None);
            prop_assert_eq!(&bytes, &compose(&document, &profile));
            let paper = Paper::print(&bytes, &profile);
            prop_assert_eq!(paper.faults, Vec::<String>::new());
            let cuts = command::parse(&bytes).into_iter()
                .filter(|placed| matches!(placed.command, command::Command::Cut(_))).count();
            prop_assert_eq!(cuts, usize::from(profile.cut == Cut::Partial));
            prop_assert!(document.to_text().lines().all(|line| !line.chars().any(char::is_control)));
        }
    }

    #[test]
    fn any_bytes_can_be_printed(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        Paper::print(&bytes, &Profile::wide());
    }
}
