//! Ways of answering that are more than a touch, and every widget in every state.

use ventanilla::domain::session::view::{
    Block, Button, Card, Face, Fact, Item, KeyboardKind, Ranked, Scale, Tone, View,
};

use super::{Numbers, base, button, fact, in_form, item, keyboard, line, words};

fn asked(n: &mut Numbers, title: &str, help: &str) -> View {
    let mut view = base(n, Face::Question, title);
    in_form(n, &mut view, "Permiso de poda", "Pregunta 4 de 9", 3, 9);
    view.help = help.into();
    view.primary = Some(button(n, "arrow-right", "Continuar"));
    view
}

fn off(icon: &'static str, text: &str) -> Button {
    Button {
        icon,
        words: words(text),
        action: None,
    }
}

pub fn long_list() -> View {
    let n = &mut Numbers(0);
    let mut view = asked(n, "¿En qué parroquia vive?", "");
    let parishes = ["Belisario Quevedo", "Calacalí", "Calderón"];
    let mut items: Vec<Item> = parishes.iter().map(|name| item(n, "", name, "")).collect();
    items[2].chosen = true;
    view.blocks = vec![
        Block::SearchBox(item(n, "magnifying-glass", "Buscar en la lista", "")),
        Block::Choices {
            several: false,
            items,
            chosen_word: "Elegido".into(),
        },
        Block::Pager {
            before: button(n, "caret-up", "Antes"),
            place: "2 de 13".into(),
            after: button(n, "caret-down", "Más"),
        },
    ];
    view
}

pub fn long_list_search() -> View {
    let n = &mut Numbers(0);
    let mut view = asked(n, "¿En qué parroquia vive?", "");
    view.blocks = vec![
        Block::Field {
            label: String::new(),
            value: "san".into(),
            placeholder: "Escriba el nombre".into(),
            counter: "5 encontrados".into(),
            wrong: false,
        },
        Block::Choices {
            several: false,
            items: ["San Antonio", "San Bartolo", "San Isidro del Inca"]
                .iter()
                .map(|name| item(n, "", name, ""))
                .collect(),
            chosen_word: String::new(),
        },
    ];
    view.keyboard = Some(keyboard(KeyboardKind::Text));
    view.primary = Some(button(n, "list", "Ver la lista"));
    view
}

pub fn ranking() -> View {
    let n = &mut Numbers(0);
    let mut view = asked(
        n,
        "¿Qué es lo más urgente para su barrio?",
        "Ponga primero lo más importante. Use los botones Subir y Bajar.",
    );
    let choices = [
        "Arreglar las veredas",
        "Más alumbrado público",
        "Un parque para los niños",
        "Más buses",
    ];
    let ranked = choices
        .iter()
        .enumerate()
        .map(|(at, name)| Ranked {
            place: (at + 1).to_string(),
            words: (*name).into(),
            up: (at > 0).then(|| n.next()).flatten(),
            down: (at < 3).then(|| n.next()).flatten(),
            up_word: "Subir".into(),
            down_word: "Bajar".into(),
        })
        .collect();
    view.blocks = vec![Block::Ranking(ranked)];
    view
}

pub fn scale() -> View {
    let n = &mut Numbers(0);
    let mut view = asked(n, "¿Cómo califica la atención?", "De 0 a 10.");
    view.blocks = vec![scale_of(n, Some(4))];
    view
}

fn scale_of(n: &mut Numbers, at: Option<u32>) -> Block {
    Block::Scale(Scale {
        value: at.map_or_else(|| "–".to_owned(), |at| at.to_string()),
        less: if at.is_some_and(|at| at > 0) {
            button(n, "minus", "Menos")
        } else {
            off("minus", "Menos")
        },
        more: if at == Some(10) {
            off("plus", "Más")
        } else {
            button(n, "plus", "Más")
        },
        stops: [0, 2, 4, 6, 8, 10]
            .iter()
            .map(|stop| Item {
                chosen: at.is_some_and(|at| at >= *stop),
                ..item(n, "", &stop.to_string(), "")
            })
            .collect(),
    })
}

fn sketch(path: &str) -> Block {
    Block::Sketch {
        label: "Recuadro para firmar".into(),
        value: if path.is_empty() { "Sin firmar" } else { "Firmado" }.into(),
        path: path.into(),
        here: "Firme aquí".into(),
    }
}

const SIGNED: &str = "M120 300L150 120L180 310L230 180L260 300L300 220L330 300L380 210L420 290L470 200L520 280L600 180\
    L660 260L760 150L860 240M500 330L880 300";

pub fn signature() -> View {
    let n = &mut Numbers(0);
    let mut view = asked(n, "Su firma", "Firme con el dedo dentro del recuadro.");
    view.blocks = vec![
        sketch(""),
        Block::Buttons(vec![button(n, "user", "Firmar en la ventanilla")]),
    ];
    view
}

pub fn signature_signed() -> View {
    let n = &mut Numbers(0);
    let mut view = asked(n, "Su firma", "Firme con el dedo dentro del recuadro.");
    view.blocks = vec![
        sketch(SIGNED),
        Block::Buttons(vec![
            button(n, "arrow-counter-clockwise", "Borrar y firmar otra vez"),
            button(n, "user", "Firmar en la ventanilla"),
        ]),
    ];
    view
}

fn answer(label: &str, value: &str) -> Fact {
    fact("", label, value)
}

pub fn cards() -> View {
    let n = &mut Numbers(0);
    let mut view = asked(n, "Sus casas y terrenos", "Hay 2. Si tiene otro, agréguelo.");
    view.blocks = vec![
        Block::Cards(vec![
            Card {
                title: "Número 1".into(),
                lines: vec![
                    answer("¿Cómo llama a esta casa o terreno?", "Casa de Chillogallo"),
                    answer("Número de predio", "512034"),
                ],
                change: button(n, "pencil-simple", "Cambiar 1"),
                remove: button(n, "x", "Quitar 1"),
            },
            Card {
                title: "¿Quitar el número 2? Se borra lo que escribió en él.".into(),
                lines: vec![answer("¿Cómo llama a esta casa o terreno?", "Terreno de Lloa")],
                change: button(n, "arrow-left", "No, dejarlo"),
                remove: button(n, "x", "Sí, quitar"),
            },
        ]),
        Block::Buttons(vec![button(n, "plus", "Agregar otro")]),
    ];
    view
}

pub fn several_questions() -> View {
    let n = &mut Numbers(0);
    let mut view = asked(n, "Su hogar", "");
    view.blocks = vec![
        Block::Text("Cuente también a quienes trabajan lejos.".into()),
        Block::Heading("¿Arrienda la casa?".into()),
        Block::Choices {
            several: false,
            items: vec![
                Item {
                    chosen: true,
                    ..item(n, "", "Sí", "")
                },
                item(n, "", "No", ""),
            ],
            chosen_word: "Elegido".into(),
        },
        Block::Review {
            rows: vec![
                Fact {
                    change: n.next(),
                    ..answer("¿Cuántas personas viven en ella?", "4")
                },
                Fact {
                    change: n.next(),
                    ..answer("Nombre de una persona de contacto", "Sin responder")
                },
            ],
            change_word: "Responder".into(),
        },
    ];
    view
}

/// Pages that only the gallery has: a kind of widget in all its states on one screen.
pub fn states() -> Vec<(&'static str, View)> {
    let mut pages = Vec::new();
    let mut page = |name, title: &str, fill: &dyn Fn(&mut Numbers) -> Vec<Block>| {
        let n = &mut Numbers(0);
        let mut view = base(n, Face::Question, title);
        view.blocks = fill(n);
        view.primary = Some(button(n, "arrow-right", "Continuar"));
        pages.push((name, view));
    };
    page("states-buttons", "Botones", &|n| {
        vec![
            Block::Buttons(vec![
                button(n, "printer", "Imprimir lista"),
                button(n, "", "Sin icono"),
            ]),
            Block::Buttons(vec![
                off("printer", "Sin papel"),
                button(n, "question", "Con icono"),
            ]),
            Block::Pager {
                before: off("caret-up", "Antes"),
                place: "1 de 4".into(),
                after: button(n, "caret-down", "Más"),
            },
            Block::SearchBox(item(n, "magnifying-glass", "Buscar en la lista", "")),
        ]
    });
    page("states-choices", "Respuestas", &|n| {
        let one = |n: &mut Numbers| {
            vec![
                item(n, "", "Sin elegir", ""),
                Item {
                    chosen: true,
                    ..item(n, "", "Elegida", "")
                },
                Item {
                    action: None,
                    ..item(n, "", "No disponible", "Sin sistema hasta las 14:00")
                },
            ]
        };
        vec![
            Block::Choices {
                several: false,
                items: one(n),
                chosen_word: "Elegido".into(),
            },
            Block::Choices {
                several: true,
                items: one(n),
                chosen_word: "Elegido".into(),
            },
        ]
    });
    page("states-lists", "Listas", &|n| {
        vec![
            Block::Tiles(vec![
                item(n, "storefront", "Abrir un negocio", ""),
                Item {
                    action: None,
                    ..item(n, "house-line", "Sin sistema", "")
                },
            ]),
            Block::Rows(vec![
                item(n, "", "Consultar el impuesto predial", "Gratis · al momento"),
                Item {
                    action: None,
                    ..item(n, "", "Informe de regulación", "Sin sistema")
                },
            ]),
            Block::Checklist(vec![
                line("", "Su número de cédula", "Lo escribe usted."),
                Item {
                    chosen: true,
                    ..line("", "Los datos de su casa", "Ya los tiene el Municipio.")
                },
            ]),
        ]
    });
    page("states-notes", "Avisos", &|_| {
        let note = |tone, icon, title: &str, text: &str| Block::Note {
            tone,
            icon,
            title: title.into(),
            text: text.into(),
        };
        vec![
            note(Tone::Info, "info", "Es para usted si", "ya tenía 65 años."),
            note(Tone::Good, "check-circle", "Vale igual.", "Ya está en la fila."),
            note(
                Tone::Warn,
                "warning",
                "Tome sus 2 papeles",
                "Salen abajo, a la derecha.",
            ),
            note(
                Tone::Bad,
                "warning-circle",
                "Falta 1 número.",
                "La cédula tiene 10.",
            ),
        ]
    });
    page("states-fields", "Campos", &|_| {
        let field = |value: &str, placeholder: &str, counter: &str, wrong| Block::Field {
            label: String::new(),
            value: value.into(),
            placeholder: placeholder.into(),
            counter: counter.into(),
            wrong,
        };
        vec![
            field("", "día / mes / año", "", false),
            field("05 / 08 / 19", "", "6 de 8 números", false),
            field("31 / 02 / 1954", "", "8 de 8 números", true),
        ]
    });
    page("states-scale", "Escalas", &|n| {
        vec![scale_of(n, None), scale_of(n, Some(10))]
    });
    page("states-sketch", "Firma", &|_| vec![sketch(""), sketch(SIGNED)]);
    pages
}
