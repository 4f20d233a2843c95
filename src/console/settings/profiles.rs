//! Profiles: which queues a counter serves first, and which only while nobody waits in those.

use std::collections::BTreeMap;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::sheet::Sheet;
use super::{Frame, Shown, Which, drawn, id_of, save, saved, view};
use crate::app::office::OfficeApp;
use crate::console::kit::Kit;
use crate::console::{App, Bar, Person};
use crate::domain::office::settings::{ProfileSettings, Settings};

const HERE: &str = "/console/settings/profiles";
/// What stands before the id of a queue in the name of its field.
const QUEUE: &str = "queue-";

#[derive(Template)]
#[template(path = "console/pages/settings/profiles.html")]
struct ProfilesPage {
    k: Kit,
    bar: Bar,
    f: Frame,
    s: Sheet,
    profiles: Vec<Line>,
    /// Queues that may be chosen: name of the field, and name for people.
    queues: Vec<(String, String)>,
    /// The profile that is open on the right.
    open: Option<Line>,
}

#[derive(Clone)]
struct Line {
    id: String,
    name: String,
    first: String,
    then: String,
    counters: String,
}

pub(in crate::console) async fn show(
    State(app): App,
    person: Person,
    Query(which): Query<Which>,
) -> Response {
    drawn(Shown::calm(&app, &which).and_then(|shown| build(&app, &person, &which.open, shown)))
}

/// A profile to save or to delete.
pub(in crate::console) async fn change(
    State(app): App,
    person: Person,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    let sheet = Sheet::typed(form);
    let open = sheet.text("open").to_owned();
    let mut settings = match view(&app) {
        Ok(view) => view.settings,
        Err(response) => return *response,
    };
    let version = sheet.text("version").parse().unwrap_or(0);
    let deletes = sheet.text("act") == "delete";
    let id = if deletes {
        settings.profiles.retain(|profile| profile.id != open);
        open.clone()
    } else {
        put(&mut settings, &open, &sheet)
    };
    match save(&app, &person, version, settings).await {
        Ok(()) => saved(HERE, if deletes { "" } else { &id }),
        Err(why) => {
            let sheet = if deletes { Sheet::default() } else { sheet };
            let again = Shown::again(&app, &person, sheet, &format!("profiles.{id}."), why);
            drawn(again.and_then(|shown| build(&app, &person, &open, shown)))
        }
    }
}

fn put(settings: &mut Settings, open: &str, sheet: &Sheet) -> String {
    let tier = |wanted: &str| {
        let queues = settings.queues.iter().map(|queue| &queue.id);
        queues
            .filter(|id| sheet.text(&format!("{QUEUE}{id}")) == wanted)
            .cloned()
            .collect::<Vec<_>>()
    };
    let (serves, then_serves) = (tier("first"), tier("then"));
    let name = sheet.text("name").to_owned();
    if let Some(profile) = settings.profiles.iter_mut().find(|profile| profile.id == open) {
        (profile.name, profile.serves, profile.then_serves) = (name, serves, then_serves);
        return open.to_owned();
    }
    let taken: Vec<&str> = settings
        .profiles
        .iter()
        .map(|profile| profile.id.as_str())
        .collect();
    let id = id_of(&name, &taken);
    settings.profiles.push(ProfileSettings {
        id: id.clone(),
        name,
        serves,
        then_serves,
    });
    id
}

fn build(
    app: &OfficeApp,
    person: &Person,
    open: &str,
    mut shown: Shown,
) -> Result<(StatusCode, ProfilesPage), Box<Response>> {
    let k = person.kit(app);
    let settings = &shown.view.settings;
    let names = |ids: &[String]| {
        let name = |id: &String| {
            settings
                .queue(id)
                .map_or_else(|| id.clone(), |queue| queue.name.clone())
        };
        ids.iter().map(name).collect::<Vec<_>>().join(", ")
    };
    let profiles: Vec<Line> = settings
        .profiles
        .iter()
        .map(|profile| {
            let counters: Vec<String> = settings
                .counters_of(&profile.id)
                .iter()
                .map(u16::to_string)
                .collect();
            Line {
                id: profile.id.clone(),
                name: profile.name.clone(),
                first: names(&profile.serves),
                then: names(&profile.then_serves),
                counters: counters.join(", "),
            }
        })
        .collect();
    let chosen = settings.profile(open);
    let served =
        |id: &String| chosen.is_some_and(|one| one.serves.contains(id) || one.then_serves.contains(id));
    let queues = settings
        .queues
        .iter()
        // A retired queue is only offered where it is still served.
        .filter(|queue| !queue.retired || served(&queue.id))
        .map(|queue| {
            (
                format!("{QUEUE}{}", queue.id),
                format!("{} · {}", queue.series, queue.name),
            )
        })
        .collect();
    if shown.sheet.is_empty()
        && let Some(profile) = chosen
    {
        shown.sheet.set("name", &profile.name);
        for (tier, ids) in [("first", &profile.serves), ("then", &profile.then_serves)] {
            for id in ids {
                shown.sheet.set(&format!("{QUEUE}{id}"), tier);
            }
        }
    }
    let page = ProfilesPage {
        bar: Bar::of(&person.session, "settings"),
        f: shown.frame(&k, "profiles"),
        open: profiles.iter().find(|line| line.id == open).cloned(),
        profiles,
        queues,
        s: shown.sheet,
        k,
    };
    Ok((shown.status, page))
}
