//! Questions, the review and the consent.

use ventanilla::domain::session::view::{
    Block, Button, DatePart, Face, Fact, Item, KeyboardKind, Tone, View, Words,
};

use super::{Numbers, base, button, fact, in_form, item, keyboard, line, words};

pub fn question_choice() -> View {
    let n = &mut Numbers(0);
    let mut view = base(n, Face::Question, "¿Cuál es su estado civil?");
    in_form(n, &mut view, "Exoneración del predial", "Pregunta 3 de 8", 2, 8);
    view.help = "El que consta en su cédula.".into();
    let mut items: Vec<Item> = [
        "Soltera o soltero",
        "Casada o casado",
        "En unión de hecho",
        "Divorciada o divorciado",
        "Viuda o viudo",
    ]
    .iter()
    .map(|text| item(n, "", text, ""))
    .collect();
    items[4].chosen = true;
    view.blocks = vec![
        Block::Choices {
            several: false,
            items,
            chosen_word: "Elegido".into(),
        },
        Block::Buttons(vec![button(n, "question", "¿Por qué lo preguntan?")]),
    ];
    view.primary = Some(button(n, "arrow-right", "Continuar"));
    view
}

/// The same with Kichwa words and the Spanish beside them.
pub fn question_kichwa() -> View {
    let mut view = question_choice();
    view.language = "qu";
    view.title = Words {
        text: "¿Imashinatak kawsanki?".into(),
        beside: "¿Cuál es su estado civil?".into(),
    };
    if let Some(Block::Choices { items, .. }) = view.blocks.first_mut() {
        let kichwa = [
            "Sapalla",
            "Sawarishka",
            "Tantalla kawsak",
            "Rakirishka",
            "Sapayashka",
        ];
        for (one, text) in items.iter_mut().zip(kichwa) {
            one.words = Words {
                text: text.into(),
                beside: one.words.text.clone(),
            };
        }
    }
    view
}

pub fn question_text() -> View {
    let n = &mut Numbers(0);
    let mut view = base(n, Face::Question, "¿Cómo se llama su perro?");
    in_form(n, &mut view, "Registro de mascota", "Pregunta 4 de 9", 3, 9);
    view.help = "Escriba el nombre que usa en casa.".into();
    view.blocks = vec![
        Block::Field {
            label: "Nombre del perro".into(),
            value: "Ñusta".into(),
            placeholder: String::new(),
            counter: "5 letras de 40".into(),
            wrong: false,
        },
        Block::Text("Si todavía no tiene nombre, escriba «sin nombre».".into()),
    ];
    view.keyboard = Some(keyboard(KeyboardKind::Text));
    view.primary = Some(button(n, "arrow-right", "Continuar"));
    view
}

pub fn question_number() -> View {
    let n = &mut Numbers(0);
    let mut view = base(n, Face::Question, "¿Cuál es su número de cédula?");
    in_form(n, &mut view, "Exoneración del predial", "Pregunta 1 de 8", 0, 8);
    view.blocks = vec![
        Block::Field {
            label: "Cédula".into(),
            value: "171 034 719".into(),
            placeholder: String::new(),
            counter: "9 de 10 números".into(),
            wrong: true,
        },
        Block::Note {
            tone: Tone::Bad,
            icon: "warning-circle",
            title: "Falta 1 número.".into(),
            text: "La cédula tiene 10.".into(),
        },
    ];
    view.keyboard = Some(keyboard(KeyboardKind::Digits));
    view.primary = Some(button(n, "arrow-right", "Continuar"));
    view
}

/// An address, with digits in the top row.
pub fn question_email() -> View {
    let mut view = question_text();
    view.title = words("¿Cuál es su correo?");
    view.help = "Si no tiene, toque «No tengo».".into();
    view.secondary = Some(button(&mut Numbers(90), "", "No tengo"));
    view.blocks = vec![Block::Field {
        label: "Correo electrónico".into(),
        value: "rosa.quishpe.1955@correo-municipal.example.ec".into(),
        placeholder: String::new(),
        counter: String::new(),
        wrong: false,
    }];
    view.keyboard = Some(keyboard(KeyboardKind::Email));
    view
}

pub fn question_money() -> View {
    let mut view = question_number();
    view.title = words("¿Cuánto recibe al mes, más o menos?");
    view.blocks = vec![Block::Field {
        label: "Dólares al mes".into(),
        value: String::new(),
        placeholder: "0,00".into(),
        counter: String::new(),
        wrong: false,
    }];
    view.keyboard = Some(keyboard(KeyboardKind::Money));
    view
}

pub fn question_date() -> View {
    let n = &mut Numbers(0);
    let mut view = base(n, Face::Question, "¿Qué día nació su perro?");
    in_form(n, &mut view, "Registro de mascota", "Pregunta 5 de 9", 4, 9);
    let mut part = |label: &str, value: &str| DatePart {
        label: label.into(),
        value: value.into(),
        more: n.next(),
        less: n.next(),
        more_word: "Más".into(),
        less_word: "Menos".into(),
    };
    view.blocks = vec![Block::Date(vec![
        part("Día", "24"),
        part("Mes", "noviembre"),
        part("Año", "2025"),
    ])];
    view.primary = Some(button(n, "arrow-right", "Continuar"));
    view
}

pub fn review() -> View {
    let n = &mut Numbers(0);
    let mut view = base(n, Face::Review, "Revise sus respuestas");
    in_form(n, &mut view, "Exoneración del predial", "Revisión", 8, 8);
    view.clock = "10:12".into();
    let rows = [
        ("Cédula", "17••••7103"),
        ("Año", "2026"),
        ("Estado civil", "Viuda"),
        ("Su predio", "N.º 512034, Quitumbe"),
        ("Ingreso al mes", "USD 470,00"),
        ("Patrimonio", "USD 38.500,00"),
        ("¿Vive en ese predio?", "Sí"),
    ]
    .map(|(label, value)| Fact {
        change: n.next(),
        ..fact("", label, value)
    });
    view.blocks = vec![
        Block::Review {
            rows: rows.into(),
            change_word: "Cambiar".into(),
        },
        Block::Note {
            tone: Tone::Good,
            icon: "seal-check",
            title: "Le corresponde exoneración total".into(),
            text: "Ingreso: 470, de un tope de 2.350.\nPatrimonio: 38.500, de un tope de 235.000.".into(),
        },
    ];
    view.primary = Some(button(n, "check", "Todo está bien"));
    view
}

pub fn consent() -> View {
    let n = &mut Numbers(0);
    let mut view = base(n, Face::Consent, "Lea y marque lo que acepta");
    in_form(n, &mut view, "Exoneración del predial", "Último paso", 8, 8);
    view.clock = "10:14".into();
    view.blocks = vec![
        Block::Panel {
            title: String::new(),
            lines: vec![
                line("files", "Qué enviamos.", "Sus 7 respuestas, al Municipio."),
                line(
                    "lock-key",
                    "Quién las ve.",
                    "Solo quien resuelve su trámite. Esta máquina no puede volver a leerlas.",
                ),
                line(
                    "scales",
                    "Sus derechos.",
                    "Puede ver, corregir o borrar sus datos: llame al 1800 510 510.",
                ),
            ],
            columns: false,
            button: Some(button(n, "file-text", "Leer el aviso completo")),
        },
        Block::Choices {
            several: true,
            items: vec![
                Item {
                    chosen: true,
                    ..item(
                        n,
                        "",
                        "Declaro que mis respuestas son verdaderas",
                        "Necesario para enviar",
                    )
                },
                item(
                    n,
                    "",
                    "Acepto que el Municipio use estos datos para este trámite",
                    "Necesario para enviar",
                ),
                item(
                    n,
                    "",
                    "Quiero avisos por mensaje al 09••••4821",
                    "Opcional. Puede decir que no.",
                ),
            ],
            chosen_word: String::new(),
        },
    ];
    view.primary = Some(button(n, "paper-plane-tilt", "Enviar mi solicitud"));
    view
}

/// A form without the network: the chip, and a button that is not available.
pub fn offline() -> View {
    let mut view = question_choice();
    view.offline = "Sin conexión: se guarda aquí".into();
    if let Some(Block::Buttons(buttons)) = view.blocks.last_mut() {
        buttons[0] = Button {
            icon: "printer",
            words: words("Sin papel"),
            action: None,
        };
    }
    view
}
