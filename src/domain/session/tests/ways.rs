//! Every way of answering, told through touches: long lists, orders, scales, signatures, pages and cards.

use super::*;
use crate::domain::session::io::SubmitRequest;
use crate::domain::session::view::{Card, Ranked, TextSize};

/// The kiosk with a form that asks in every way.
fn kiosk() -> Kiosk {
    let mut setup = Arc::try_unwrap(setup()).unwrap_or_else(|_| panic!("nobody else has it"));
    let bytes = include_bytes!("../../../../tests/fixtures/screen/ways.xlsx");
    let (form, findings) = Form::from_xlsx(bytes).unwrap_or_else(|findings| panic!("{findings:?}"));
    assert!(findings.is_empty(), "{findings:?}");
    setup.forms.insert("denuncia.xlsx".into(), Arc::new(form));
    let mut kiosk = Kiosk::with(Arc::new(setup));
    kiosk.touch("Español");
    kiosk.touch("Buscar: predial, perro, patente…");
    kiosk.write("ruido");
    kiosk.input(Input::Key(Key::Enter));
    kiosk.touch("Empezar");
    kiosk
}

fn title(kiosk: &Kiosk) -> String {
    kiosk.view().title.text
}

fn choices(kiosk: &Kiosk) -> Vec<Item> {
    kiosk
        .view()
        .blocks
        .iter()
        .find_map(|block| match block {
            Block::Choices { items, .. } => Some(items.clone()),
            _ => None,
        })
        .unwrap_or_default()
}

fn names(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.words.text.as_str()).collect()
}

fn ranking(kiosk: &Kiosk) -> Vec<Ranked> {
    kiosk
        .view()
        .blocks
        .iter()
        .find_map(|block| match block {
            Block::Ranking(ranked) => Some(ranked.clone()),
            _ => None,
        })
        .unwrap_or_default()
}

fn cards(kiosk: &Kiosk) -> Vec<Card> {
    kiosk
        .view()
        .blocks
        .iter()
        .find_map(|block| match block {
            Block::Cards(cards) => Some(cards.clone()),
            _ => None,
        })
        .unwrap_or_default()
}

/// Gives the input behind a number of the view.
fn act(kiosk: &mut Kiosk, action: Option<Action>) {
    let (_, inputs) = kiosk.session.show(kiosk.now);
    let action = action.expect("it can be touched");
    kiosk.input(inputs[usize::from(action.0)].clone());
}

fn wrong(kiosk: &Kiosk) -> Option<String> {
    kiosk.view().blocks.iter().find_map(|block| match block {
        Block::Note {
            tone: view::Tone::Bad,
            title,
            text,
            ..
        } => Some(format!("{title} {text}").trim().to_owned()),
        _ => None,
    })
}

/// Goes on with the shortest answers until a question is asked.
fn until(kiosk: &mut Kiosk, wanted: &str) {
    for _ in 0..40 {
        let view = kiosk.view();
        if view.title.text.contains(wanted) {
            return;
        }
        let has = |words: &str| {
            controls(&view)
                .iter()
                .any(|(text, on)| text == words && on.is_some())
        };
        if has("No tengo / No sé") {
            kiosk.touch("No tengo / No sé");
            continue;
        }
        match view.title.text.as_str() {
            "¿Cómo califica la atención?" => drop(kiosk.touch("8")),
            "¿Cuántos metros cuadrados tiene el terreno?" => kiosk.write("120,5"),
            "Foto de la fachada" => drop(kiosk.touch("Lo llevo a la ventanilla")),
            "Su firma" if !has("Borrar y firmar otra vez") => drop(kiosk.touch("Firmar en la ventanilla")),
            "Lo que digo aquí es verdad" => drop(kiosk.touch("Sí, lo confirmo")),
            "¿Cómo llama a esta casa o terreno?" => kiosk.write("Casa de Chillogallo"),
            "Su hogar" => {
                kiosk.touch("No");
                kiosk.touch("Responder ¿Cuántas personas viven en ella?");
                kiosk.write("4");
                kiosk.touch("Continuar");
            }
            "¿En qué parroquia vive?" => {
                let first = choices(kiosk)[0].words.text.clone();
                kiosk.touch(&first);
            }
            _ => {}
        }
        kiosk.touch("Continuar");
    }
    panic!("never came to «{wanted}», but to «{}»", title(kiosk));
}

#[test]
fn a_long_list_is_found_by_ear_and_chosen() {
    let mut kiosk = kiosk();
    until(&mut kiosk, "parroquia");
    let all = choices(&kiosk).len();
    assert!(all < 13, "a page of it: {all}");
    kiosk.touch("Buscar en la lista");
    assert!(kiosk.view().keyboard.is_some());
    kiosk.write("chiyogayo");
    assert_eq!(names(&choices(&kiosk)), ["Chillogallo"]);
    kiosk.touch("Chillogallo");
    let view = kiosk.view();
    assert!(view.keyboard.is_none(), "the answer is seen in the list");
    let chosen: Vec<Item> = choices(&kiosk).into_iter().filter(|item| item.chosen).collect();
    assert_eq!(names(&chosen), ["Chillogallo"]);
    kiosk.touch("Continuar");
    assert!(title(&kiosk).contains("servicios"));
    // Coming back shows the page on which it is.
    kiosk.touch("Atrás");
    assert!(choices(&kiosk).iter().any(|item| item.chosen));
}

#[test]
fn what_is_found_can_be_looked_at_as_a_list() {
    let mut kiosk = kiosk();
    until(&mut kiosk, "parroquia");
    kiosk.touch("Buscar en la lista");
    kiosk.write("san");
    kiosk.touch("Ver la lista");
    let found = choices(&kiosk);
    assert!(
        found.iter().all(|item| item.words.text.contains("San")) && found.len() > 3,
        "{:?}",
        names(&found)
    );
    kiosk.touch("«san»: 5 encontrados");
    kiosk.input(Input::Key(Key::Clear));
    kiosk.write("xyzzy");
    assert!(choices(&kiosk).is_empty());
    // What finds nothing hides nothing.
    kiosk.touch("Ver la lista");
    assert_eq!(names(&choices(&kiosk))[0], "Alangasí");
}

#[test]
fn an_order_is_made_with_buttons_and_going_on_takes_what_is_shown() {
    let mut kiosk = kiosk();
    until(&mut kiosk, "urgente");
    let order = |kiosk: &Kiosk| -> Vec<String> { ranking(kiosk).into_iter().map(|one| one.words).collect() };
    assert_eq!(order(&kiosk)[0], "Arreglar las veredas");
    assert!(ranking(&kiosk)[0].up.is_none() && ranking(&kiosk)[3].down.is_none());
    let down = ranking(&kiosk)[0].down;
    act(&mut kiosk, down);
    let up = ranking(&kiosk)[3].up;
    act(&mut kiosk, up);
    assert_eq!(
        order(&kiosk),
        [
            "Más alumbrado público",
            "Arreglar las veredas",
            "Más buses",
            "Un parque para los niños"
        ]
    );
    kiosk.touch("Continuar");
    assert!(title(&kiosk).contains("atención"), "{}", title(&kiosk));
}

#[test]
fn a_scale_has_steps_and_stops_and_its_ends() {
    let mut kiosk = kiosk();
    until(&mut kiosk, "atención");
    kiosk.touch("Continuar");
    assert_eq!(wrong(&kiosk).as_deref(), Some("Elija un número para continuar."));
    let shown = |kiosk: &Kiosk| {
        kiosk.view().blocks.iter().find_map(|block| match block {
            Block::Scale(scale) => Some(scale.value.clone()),
            _ => None,
        })
    };
    assert_eq!(shown(&kiosk).as_deref(), Some("–"));
    kiosk.touch("8");
    kiosk.touch("Más");
    kiosk.touch("Más");
    assert_eq!(shown(&kiosk).as_deref(), Some("10"));
    let more = controls(&kiosk.view())
        .into_iter()
        .find(|(words, _)| words == "Más");
    assert_eq!(more, Some(("Más".into(), None)), "the end of the scale");
    kiosk.touch("Menos");
    kiosk.touch("Continuar");
    assert!(title(&kiosk).contains("cerramiento"));
    kiosk.touch("Más");
    kiosk.touch("Más");
    assert_eq!(shown(&kiosk).as_deref(), Some("1,0"));
}

#[test]
fn times_are_digits_and_a_wrong_one_is_said() {
    let mut kiosk = kiosk();
    until(&mut kiosk, "hora es el ruido");
    kiosk.write("2460");
    kiosk.touch("Continuar");
    assert!(wrong(&kiosk).is_some_and(|said| said.contains("Esa hora no existe")));
    kiosk.input(Input::Key(Key::Clear));
    kiosk.write("2230");
    kiosk.touch("Continuar");
    kiosk.write("241120260915");
    kiosk.touch("Continuar");
    until(&mut kiosk, "Revise sus respuestas");
    let shown = everything_shown(&kiosk.view());
    assert!(
        shown.contains("22:30") && shown.contains("24/11/2026 09:15"),
        "{shown}"
    );
}

#[test]
fn a_page_of_several_questions_is_answered_in_place_or_opened() {
    let mut kiosk = kiosk();
    until(&mut kiosk, "Su hogar");
    let view = kiosk.view();
    assert!(
        everything_shown(&view).contains("Cuente también"),
        "its note is read"
    );
    kiosk.touch("Continuar");
    assert_eq!(
        wrong(&kiosk).as_deref(),
        Some("Elija una respuesta para continuar.")
    );
    assert_eq!(title(&kiosk), "¿Arrienda la casa?", "what is missing is asked");
    kiosk.touch("Sí");
    kiosk.touch("Continuar");
    assert_eq!(title(&kiosk), "Su hogar", "and leads back to its page");
    kiosk.touch("No");
    kiosk.touch("Responder ¿Cuántas personas viven en ella?");
    kiosk.write("4");
    kiosk.touch("Atrás");
    kiosk.touch("Responder ¿Cuántas personas viven en ella?");
    kiosk.write("4");
    kiosk.touch("Continuar");
    kiosk.touch("Continuar");
    assert_eq!(title(&kiosk), "¿Cómo llama a esta casa o terreno?");
    kiosk.touch("Atrás");
    assert_eq!(title(&kiosk), "Su hogar");
}

#[test]
fn the_copies_of_a_repeat_are_cards_that_can_be_added_changed_and_removed() {
    let mut kiosk = kiosk();
    until(&mut kiosk, "¿Cómo llama a esta casa");
    kiosk.write("Casa");
    kiosk.touch("Continuar");
    kiosk.write("512034");
    kiosk.touch("Continuar");
    assert_eq!(title(&kiosk), "Sus casas y terrenos");
    assert_eq!(cards(&kiosk).len(), 1);
    assert_eq!(cards(&kiosk)[0].lines[0].value, "Casa");
    kiosk.touch("Agregar otro");
    kiosk.write("Terreno de Lloa");
    kiosk.touch("Continuar");
    kiosk.touch("No tengo / No sé");
    assert_eq!(cards(&kiosk).len(), 2);
    // Changing the first comes back to the cards and not to the second.
    kiosk.touch("Cambiar 1");
    kiosk.write(" grande");
    kiosk.touch("Continuar");
    kiosk.touch("Continuar");
    assert_eq!(title(&kiosk), "Sus casas y terrenos");
    assert_eq!(cards(&kiosk)[0].lines[0].value, "Casa grande");
    // Nothing goes without being asked once.
    kiosk.touch("Quitar 1");
    assert!(cards(&kiosk)[0].title.starts_with("¿Quitar el número 1?"));
    kiosk.touch("No, dejarlo");
    assert_eq!(cards(&kiosk).len(), 2);
    kiosk.touch("Quitar 1");
    kiosk.touch("Sí, quitar");
    assert_eq!(cards(&kiosk).len(), 1);
    assert_eq!(cards(&kiosk)[0].lines[0].value, "Terreno de Lloa");
    // None is allowed, and the last can be added again.
    kiosk.touch("Quitar 1");
    kiosk.touch("Sí, quitar");
    assert!(cards(&kiosk).is_empty());
    kiosk.touch("Agregar");
    assert_eq!(title(&kiosk), "¿Cómo llama a esta casa o terreno?");
    // An unfinished one is not left behind.
    kiosk.touch("Atrás");
    kiosk.touch("Continuar");
    assert_eq!(title(&kiosk), "¿Cómo llama a esta casa o terreno?");
    kiosk.touch("Atrás");
    kiosk.touch("Quitar 1");
    kiosk.touch("Sí, quitar");
    kiosk.touch("Continuar");
    assert_eq!(title(&kiosk), "Declara 0 casas o terrenos");
    kiosk.touch("Atrás");
    assert_eq!(title(&kiosk), "Sus casas y terrenos");
    kiosk.touch("Atrás");
    assert_eq!(title(&kiosk), "Su hogar");
}

fn submitted(kiosk: &mut Kiosk) -> SubmitRequest {
    until(kiosk, "Revise sus respuestas");
    kiosk.touch("Todo está bien");
    if kiosk.face() == Face::TurnLane {
        kiosk.touch("No, general");
    }
    kiosk.input(Input::Consent(0));
    kiosk.input(Input::Consent(1));
    let effects = kiosk.input(Input::Send);
    effects
        .into_iter()
        .find_map(|effect| match effect {
            Effect::Submit(request) => Some(*request),
            _ => None,
        })
        .expect("it is sent")
}

#[test]
fn a_signature_goes_sealed_with_the_form() {
    let mut kiosk = kiosk();
    until(&mut kiosk, "Su firma");
    kiosk.touch("Continuar");
    assert!(wrong(&kiosk).is_some_and(|said| said.contains("Falta su firma")));
    kiosk.input(Input::Stroke(vec![(100, 200), (400, 100), (700, 300)]));
    assert!(everything_shown(&kiosk.view()).contains("M100 200L400 100L700 300"));
    kiosk.touch("Borrar y firmar otra vez");
    kiosk.input(Input::Stroke(vec![(10, 20), (500, 300)]));
    kiosk.touch("Continuar");
    assert_eq!(kiosk.face(), Face::Review);
    let request = submitted(&mut kiosk);
    let [file] = request.attachments.as_slice() else {
        panic!("one signature: {:?}", request.attachments);
    };
    assert!(file.data.reveal().contains("M10 20L500 300"));
    assert!(
        request
            .instance
            .reveal()
            .contains(&format!("<firma>{}</firma>", file.name))
    );
    assert!(!format!("{request:?}").contains("M10 20"), "never in a log");
    // The photo is brought; the receipt says so.
    let brought: Vec<&str> = request
        .answers
        .iter()
        .filter(|answer| answer.at_counter)
        .map(|answer| answer.name.as_str())
        .collect();
    assert_eq!(brought, ["foto"]);
    assert!(
        request.instance.reveal().contains("<foto/>"),
        "{}",
        request.instance.reveal()
    );
}

#[test]
fn who_cannot_draw_signs_at_the_counter() {
    let mut kiosk = kiosk();
    until(&mut kiosk, "Su firma");
    kiosk.input(Input::Stroke(vec![(100, 200), (400, 100)]));
    kiosk.touch("Firmar en la ventanilla");
    assert!(
        !everything_shown(&kiosk.view()).contains("M100 200"),
        "what was drawn is gone"
    );
    kiosk.touch("Continuar");
    let request = submitted(&mut kiosk);
    assert!(request.attachments.is_empty());
    let sign: Vec<(&str, bool)> = request
        .answers
        .iter()
        .filter(|answer| answer.signs)
        .map(|answer| (answer.value.reveal().as_str(), answer.at_counter))
        .collect();
    assert_eq!(sign, [("Firma en la ventanilla", true)]);
}

#[test]
fn every_way_works_in_every_size_and_within_reach() {
    for size in [TextSize::Normal, TextSize::Large, TextSize::Huge] {
        for reach in [false, true] {
            let mut kiosk = kiosk();
            let comfort = Comfort {
                size,
                reach,
                ..Comfort::default()
            };
            kiosk.input(Input::Comfort(comfort));
            for at in 0..80 {
                let view = kiosk.view();
                if view.face == Face::Review {
                    break;
                }
                assert!(at < 79, "stuck at «{}»", view.title.text);
                assert!(view.primary.is_some(), "«{}» leads on", view.title.text);
                match view.title.text.as_str() {
                    "Su hogar" => {
                        kiosk.input(Input::Continue);
                        if title(&kiosk) == "¿Arrienda la casa?" {
                            kiosk.input(Input::Choose(0));
                        } else if title(&kiosk) == "¿Cuántas personas viven en ella?" {
                            kiosk.write("3");
                        }
                    }
                    "¿En qué parroquia vive?" => {
                        kiosk.touch("Buscar en la lista");
                        kiosk.write("kitumbe");
                        kiosk.touch("Quitumbe");
                    }
                    "¿Cómo llama a esta casa o terreno?" => kiosk.write("Casa"),
                    "¿Cuántos metros cuadrados tiene el terreno?" => kiosk.write("80"),
                    "¿Cómo califica la atención?" => drop(kiosk.touch("8")),
                    "Foto de la fachada" | "Su firma" => drop(kiosk.input(Input::AtCounter)),
                    "Lo que digo aquí es verdad" => drop(kiosk.touch("Sí, lo confirmo")),
                    _ => {}
                }
                kiosk.input(Input::Continue);
            }
        }
    }
}
