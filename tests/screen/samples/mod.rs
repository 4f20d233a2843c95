//! Screens as the session would say them, with the words of the design reference.

mod forms;
mod ways;

pub use forms::*;
pub use ways::*;

use ventanilla::domain::session::view::{
    Action, Block, Button, Face, Fact, Item, KeyWords, Keyboard, KeyboardKind, Progress, TextSize, Theme,
    Tone, View, Words,
};

/// Gives each control its own number.
struct Numbers(u16);

impl Numbers {
    fn next(&mut self) -> Option<Action> {
        self.0 += 1;
        Some(Action(self.0))
    }
}

fn words(text: &str) -> Words {
    Words::from(text.to_owned())
}

fn button(n: &mut Numbers, icon: &'static str, text: &str) -> Button {
    Button {
        icon,
        words: words(text),
        action: n.next(),
    }
}

fn item(n: &mut Numbers, icon: &'static str, text: &str, note: &str) -> Item {
    Item {
        icon,
        words: words(text),
        note: note.into(),
        action: n.next(),
        chosen: false,
    }
}

fn line(icon: &'static str, text: &str, note: &str) -> Item {
    Item {
        icon,
        words: words(text),
        note: note.into(),
        action: None,
        chosen: false,
    }
}

fn fact(icon: &'static str, label: &str, value: &str) -> Fact {
    Fact {
        icon,
        label: label.into(),
        value: value.into(),
        change: None,
    }
}

fn bottom(n: &mut Numbers, first: (&'static str, &str)) -> Vec<Button> {
    vec![
        button(n, first.0, first.1),
        button(n, "chats-circle", "Ayuda de una persona"),
        button(n, "person-arms-spread", "Ver y oír mejor"),
        button(n, "sign-out", "Terminar"),
    ]
}

fn base(n: &mut Numbers, face: Face, title: &str) -> View {
    View {
        face,
        language: "es",
        theme: Theme::Normal,
        size: TextSize::Normal,
        voice: None,
        headphones: false,
        dark: false,
        reach: false,
        place: "Quitumbe".into(),
        place_note: "Administración Zonal · Kiosco 2".into(),
        clock: "10:08".into(),
        offline: String::new(),
        cover: None,
        progress: None,
        over_title: String::new(),
        title: words(title),
        help: String::new(),
        listen: Some(button(n, "speaker-high", "Escuchar")),
        blocks: Vec::new(),
        keyboard: None,
        primary: None,
        secondary: None,
        bottom: bottom(n, ("arrow-left", "Atrás")),
    }
}

fn in_form(n: &mut Numbers, view: &mut View, name: &str, place: &str, done: u32, of: u32) {
    view.place_note = "Administración Zonal".into();
    view.cover = Some(button(n, "eye-slash", "Tapar pantalla"));
    view.progress = Some(Progress {
        name: name.into(),
        place: place.into(),
        done,
        of,
    });
}

pub fn attract() -> View {
    let n = &mut Numbers(0);
    let mut view = base(n, Face::Attract, "");
    view.place_note = "Administración Zonal · 08:00 a 16:30".into();
    view.listen = None;
    view.blocks = vec![
        Block::Drawing,
        Block::Display("Haga aquí su trámite".into()),
        Block::Text("No necesita internet, correo ni impresora.".into()),
        Block::Promises(vec![
            line("list-checks", "182 trámites", ""),
            line("ticket", "Su turno", ""),
            line("receipt", "Su comprobante", ""),
        ]),
        Block::Heading("Toque su idioma para empezar".into()),
        Block::Languages(vec![
            item(n, "", "Español", "Empezar"),
            Item {
                words: Words {
                    text: "Kichwa".into(),
                    beside: "Empezar".into(),
                },
                note: "Kallarina".into(),
                action: n.next(),
                ..Item::default()
            },
            item(n, "", "English", "Start"),
        ]),
    ];
    view.bottom = vec![
        button(n, "headphones", "Empezar con voz"),
        button(n, "text-aa", "Letra grande"),
        button(n, "person-arms-spread", "Ver y oír mejor"),
        button(n, "chats-circle", "Ayuda de una persona"),
    ];
    view
}

pub fn home() -> View {
    let n = &mut Numbers(0);
    let mut view = base(n, Face::Home, "¿Qué necesita hacer?");
    view.blocks = vec![
        Block::SearchBox(item(
            n,
            "magnifying-glass",
            "Buscar: predial, perro, patente…",
            "",
        )),
        Block::Heading("Por lo que le pasa".into()),
        Block::Tiles(vec![
            item(n, "storefront", "Abrir un negocio", ""),
            item(n, "house-line", "Mi casa o terreno", ""),
            item(n, "hand-heart", "Tengo 65 años o más", ""),
            item(n, "paw-print", "Mi perro o mi gato", ""),
            item(n, "hard-hat", "Voy a construir", ""),
            item(n, "flower-tulip", "Falleció un familiar", ""),
        ]),
        Block::Heading("Lo más pedido".into()),
        Block::Rows(vec![
            item(n, "", "Consultar el impuesto predial", "Gratis · al momento"),
            item(n, "", "Exoneración por edad", "Gratis · al momento"),
            item(n, "", "Cómo va mi trámite", "Gratis · al momento"),
            item(n, "", "Ver los 182 trámites", "por orden alfabético"),
        ]),
    ];
    view.primary = Some(button(n, "ticket", "Tomar un turno"));
    view.secondary = Some(button(n, "qr-code", "Tengo un código"));
    view.bottom = bottom(n, ("translate", "Idioma"));
    view
}

/// The home's first page in the largest letters.
pub fn home_first_page() -> View {
    let n = &mut Numbers(0);
    let mut view = base(n, Face::Home, "¿Qué necesita hacer?");
    view.listen = Some(button(n, "speaker-high", "Oír"));
    view.blocks = vec![
        Block::SearchBox(item(n, "magnifying-glass", "Buscar", "")),
        Block::Tiles(vec![
            item(n, "storefront", "Abrir un negocio", ""),
            item(n, "house-line", "Mi casa o terreno", ""),
            item(n, "hand-heart", "Tengo 65 años o más", ""),
        ]),
        Block::Pager {
            before: Button {
                icon: "caret-up",
                words: words("Antes"),
                action: None,
            },
            place: "1 de 4".into(),
            after: button(n, "caret-down", "Más"),
        },
    ];
    view.primary = Some(button(n, "ticket", "Tomar un turno"));
    view.bottom = vec![
        button(n, "translate", "Idioma"),
        button(n, "chats-circle", "Ayuda"),
        button(n, "person-arms-spread", "Ver, oír"),
        button(n, "sign-out", "Terminar"),
    ];
    view
}

pub fn list() -> View {
    let n = &mut Numbers(0);
    let mut view = base(n, Face::List, "Mi casa o terreno");
    view.blocks = vec![
        Block::Rows(vec![
            item(n, "", "Consultar el impuesto predial", "Gratis · al momento"),
            item(
                n,
                "",
                "Certificado de gravamen de la propiedad horizontal",
                "USD 4,00 · 3 días",
            ),
            item(
                n,
                "",
                "Licencia metropolitana urbanística de construcción simplificada",
                "Valor por confirmar",
            ),
            Item {
                note: "Sin sistema".into(),
                action: None,
                ..item(n, "", "Informe de regulación", "")
            },
        ]),
        Block::Pager {
            before: Button {
                icon: "caret-up",
                words: words("Antes"),
                action: None,
            },
            place: "1 de 4".into(),
            after: button(n, "caret-down", "Más"),
        },
    ];
    view
}

pub fn search() -> View {
    let n = &mut Numbers(0);
    let mut view = base(n, Face::Search, "¿Qué busca?");
    view.blocks = vec![
        Block::Field {
            label: String::new(),
            value: "predi".into(),
            placeholder: "predial, perro, patente…".into(),
            counter: String::new(),
            wrong: false,
        },
        Block::Rows(vec![
            item(n, "", "Consultar el impuesto predial", "Gratis · al momento"),
            item(n, "", "Exoneración del impuesto predial", "Gratis · al momento"),
            item(n, "", "Pagar el predial", "Sin costo"),
        ]),
    ];
    view.keyboard = Some(keyboard(KeyboardKind::Text));
    view
}

pub fn procedure() -> View {
    let n = &mut Numbers(0);
    let mut view = base(
        n,
        Face::Procedure,
        "Exoneración del impuesto predial para adultos mayores",
    );
    view.over_title = "Tributos\nDirección Metropolitana Tributaria".into();
    view.blocks = vec![
        Block::Facts(vec![
            fact("money", "Cuánto cuesta", "Gratis"),
            fact("clock", "Tiempo aquí", "8 minutos"),
            fact("seal-check", "Respuesta", "Al momento"),
        ]),
        Block::Heading("Lo que necesita".into()),
        Block::Checklist(vec![
            line("", "Su número de cédula", "Lo escribe usted. No necesita copia."),
            line("", "Cuánto recibe al mes", "Jubilación, arriendos, trabajo. Una cantidad aproximada sirve."),
            line("", "Cuánto vale lo que tiene", "Casas, terrenos y vehículos."),
            Item {
                chosen: true,
                ..line("", "Los datos de su casa o terreno", "Ya los tiene el Municipio. No traiga papeles.")
            },
        ]),
        Block::Note {
            tone: Tone::Info,
            icon: "info",
            title: "Es para usted si".into(),
            text: "ya tenía 65 años el 31 de diciembre pasado. Topes: USD 2.350 al mes y USD 235.000 de patrimonio."
                .into(),
        },
    ];
    view.primary = Some(button(n, "arrow-right", "Empezar"));
    view.secondary = Some(button(n, "printer", "Imprimir lista"));
    view
}

fn number(number: &str, before: &str) -> Block {
    Block::Number {
        label: "Su turno, Tributos".into(),
        number: number.into(),
        facts: vec![
            fact("", "Antes que usted", before),
            fact("", "Espera", "20 a 30 minutos"),
        ],
    }
}

pub fn success() -> View {
    let n = &mut Numbers(0);
    let mut view = base(n, Face::Success, "Listo. Su solicitud está registrada.");
    view.clock = "10:15".into();
    view.blocks = vec![
        Block::Note {
            tone: Tone::Warn,
            icon: "hand-tap",
            title: "Tome sus 2 papeles".into(),
            text: "Salen abajo, a la derecha de la pantalla.".into(),
        },
        number("T-018", "6 turnos"),
        Block::Text("Mire y escuche la pantalla de la sala.".into()),
        Block::Code {
            label: "Código de su comprobante".into(),
            code: "QT7M-4K2P".into(),
            text: "Con él y los 4 últimos números de su cédula sabrá cómo va su trámite.".into(),
            qr: "https://ventanilla.example/v/QT7M4K2P".into(),
        },
    ];
    view.primary = Some(button(n, "sign-out", "Terminar"));
    view.secondary = Some(button(n, "printer", "Imprimir copia"));
    view.bottom = bottom(n, ("house-simple", "Inicio"));
    view
}

pub fn turn_lane() -> View {
    let n = &mut Numbers(0);
    let mut view = base(n, Face::TurnLane, "¿Necesita atención preferente?");
    view.progress = Some(Progress {
        name: "Turno para Tributos".into(),
        place: "Pregunta 2 de 2".into(),
        done: 1,
        of: 2,
    });
    view.help = "Es su derecho. No pedimos papeles ni preguntamos el motivo.".into();
    view.blocks = vec![
        Block::Panel {
            title: "Es para:".into(),
            lines: vec![
                line("hand-heart", "65 años o más", ""),
                line("heartbeat", "Enfermedad grave", ""),
                line("person-simple", "Embarazo", ""),
                line("baby", "Niñas y niños", ""),
                line("wheelchair", "Discapacidad", ""),
                line("shield-check", "Víctimas de violencia", ""),
            ],
            columns: true,
            button: None,
        },
        Block::BigChoices(vec![
            item(n, "users-three", "Sí, preferente", "Espera ahora: 5 a 10 minutos"),
            item(n, "user", "No, general", "Espera ahora: 20 a 30 minutos"),
        ]),
        Block::Note {
            tone: Tone::Info,
            icon: "scales",
            title: "Cómo llamamos.".into(),
            text: "Hasta 2 turnos preferentes seguidos; después, 1 general. Así nadie se queda esperando."
                .into(),
        },
    ];
    view
}

pub fn no_paper() -> View {
    let n = &mut Numbers(0);
    let mut view = base(n, Face::Turn, "Su turno está tomado, pero no hay papel");
    view.clock = "10:21".into();
    view.blocks = vec![
        number("T-019", "7 turnos"),
        Block::Note {
            tone: Tone::Good,
            icon: "check-circle",
            title: "Vale igual que el de papel.".into(),
            text: "Ya está en la fila. Avisamos al personal para que ponga papel.".into(),
        },
        Block::Heading("Para no olvidarlo".into()),
        Block::Code {
            label: String::new(),
            code: "Tome una foto".into(),
            text: "El cuadro abre su turno en el teléfono, dentro de la oficina.".into(),
            qr: "http://turno.example/t/T019".into(),
        },
        Block::Buttons(vec![
            button(n, "chat-text", "Enviarme un mensaje"),
            button(n, "note-pencil", "Que me lo anoten"),
        ]),
    ];
    view.primary = Some(button(n, "check", "Ya lo tengo"));
    view.bottom = bottom(n, ("house-simple", "Inicio"));
    view
}

pub fn idle() -> View {
    let n = &mut Numbers(0);
    let mut view = base(n, Face::Idle, "¿Sigue ahí?");
    in_form(n, &mut view, "Exoneración del predial", "Pregunta 5 de 8", 4, 8);
    view.listen = None;
    view.help = "Si nadie toca la pantalla, borramos lo que escribió. Así nadie más lo ve.".into();
    view.blocks = vec![
        Block::Countdown {
            left: 25,
            of: 30,
            word: "segundos".into(),
        },
        Block::Buttons(vec![
            button(n, "floppy-disk", "Guardar y seguir después con un código"),
            button(n, "sign-out", "Terminar y borrar todo"),
        ]),
    ];
    view.primary = Some(button(n, "clock-clockwise", "Necesito más tiempo"));
    view
}

pub fn accessibility() -> View {
    let n = &mut Numbers(0);
    let mut view = base(n, Face::Accessibility, "Ver y oír mejor");
    view.help = "Toque lo que le sirva. Cambia enseguida.".into();
    let mut setting = |icon, label: &str, options: &[(&'static str, &str)]| Block::Setting {
        icon,
        label: label.into(),
        options: options
            .iter()
            .enumerate()
            .map(|(at, (icon, text))| Item {
                chosen: at == 0,
                ..item(n, icon, text, "")
            })
            .collect(),
    };
    view.blocks = vec![
        setting(
            "text-aa",
            "Letra",
            &[("", "Normal"), ("", "Grande"), ("", "Enorme")],
        ),
        setting(
            "circle-half",
            "Colores",
            &[("", "Normal"), ("", "Oscuro"), ("", "Claro")],
        ),
        setting(
            "ear",
            "Voz",
            &[("speaker-slash", "Callada"), ("speaker-high", "Leer en voz alta")],
        ),
        setting(
            "wheelchair",
            "Botones",
            &[("", "Arriba y abajo"), ("", "Solo abajo")],
        ),
        setting("timer", "Tiempo", &[("", "Con aviso"), ("", "Sin límite")]),
        setting(
            "translate",
            "Idioma",
            &[("", "Español"), ("", "Kichwa"), ("", "English")],
        ),
        Block::Text("Al terminar, todo vuelve a lo normal para la siguiente persona.".into()),
    ];
    view.primary = Some(button(n, "check", "Listo"));
    view.bottom = bottom(n, ("arrow-left", "Atrás"));
    view.bottom[2] = button(n, "arrow-counter-clockwise", "Volver a lo normal");
    view
}

pub fn satisfaction() -> View {
    let n = &mut Numbers(0);
    let mut view = base(n, Face::Satisfaction, "¿Cómo le fue?");
    view.blocks = vec![Block::BigChoices(vec![
        item(n, "hand-heart", "Bien", ""),
        item(n, "hand-waving", "Regular", ""),
        item(n, "warning-circle", "Mal", ""),
    ])];
    view.secondary = Some(button(n, "arrow-bend-up-right", "Saltar"));
    view
}

pub fn covered() -> View {
    let n = &mut Numbers(0);
    let mut view = base(n, Face::Covered, "Pantalla tapada. Toque para seguir.");
    view.listen = None;
    view.primary = Some(button(n, "hand-tap", "Seguir"));
    view.bottom.clear();
    view
}

pub fn saving() -> View {
    let n = &mut Numbers(0);
    let mut view = base(n, Face::Saving, "Estamos guardando su solicitud");
    view.listen = None;
    view.help = "Espere un momento. No se vaya todavía.".into();
    view.bottom.clear();
    view
}

fn keyboard(kind: KeyboardKind) -> Keyboard {
    Keyboard {
        kind,
        shift: false,
        digits: false,
        words: KeyWords {
            shift: "Mayús.".into(),
            back: "Borrar".into(),
            clear: "Borrar todo".into(),
            space: "Espacio".into(),
        },
    }
}

/// Every sample with its name.
pub fn all() -> Vec<(&'static str, View)> {
    vec![
        ("attract", attract()),
        ("home", home()),
        ("list", list()),
        ("search", search()),
        ("procedure", procedure()),
        ("question-choice", question_choice()),
        ("question-kichwa", question_kichwa()),
        ("question-text", question_text()),
        ("question-number", question_number()),
        ("question-email", question_email()),
        ("question-money", question_money()),
        ("question-date", question_date()),
        ("long-list", long_list()),
        ("long-list-search", long_list_search()),
        ("ranking", ranking()),
        ("scale", scale()),
        ("signature", signature()),
        ("signature-signed", signature_signed()),
        ("cards", cards()),
        ("several-questions", several_questions()),
        ("review", review()),
        ("consent", consent()),
        ("success", success()),
        ("turn-lane", turn_lane()),
        ("no-paper", no_paper()),
        ("idle", idle()),
        ("accessibility", accessibility()),
        ("satisfaction", satisfaction()),
        ("covered", covered()),
        ("saving", saving()),
        ("offline", offline()),
    ]
}
