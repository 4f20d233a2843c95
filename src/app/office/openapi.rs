//! The API's own description.

use axum::Json;
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response};

use super::problem::PROBLEM_JSON;
use super::{
    api, api_queues, drafts, kiosks, orders, problem, report, settings, stream, time, turns, usage, views,
};

#[derive(OpenApi)]
#[openapi(
    info(title = "Ventanilla office", description = "Turns, counters and boards of one office"),
    paths(
        api::issue, api::ticket, api::cancel, api::rejoin, api::lane, api::lease, api::counters, api::counter_move,
        api_queues::queues, api_queues::queue_move, api_queues::help_calls, api_queues::ask_help, api_queues::help_state, orders::list, orders::order,
        orders::obeyed,
        api_queues::end_help, turns::turn, usage::take_in, usage::report, kiosks::list,
        kiosks::take_in, drafts::keep, drafts::open, drafts::used, settings::read, settings::change,
        stream::board, stream::board_events, stream::events, report::day, report::range, time::health,
    ),
    components(schemas(problem::Problem, views::EstimateSchema)),
    security(("bearer" = [])),
    modifiers(&Bearer)
)]
struct Api;

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token from `ventanilla office token`, or a kiosk's token"))
            .build();
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// One route in the server, one address for each move to its readers.
const MOVES: [(&str, &str, &[&str]); 2] = [
    (
        "/api/v1/counters/{number}/",
        "counter",
        &[
            "next", "call", "recall", "start", "finish", "no-show", "transfer", "park", "resume", "release",
            "open", "pause", "close", "serve",
        ],
    ),
    ("/api/v1/queues/{id}/", "queue", &["down", "up", "stop", "resume"]),
];

/// The description, with the moves spelt out and every refusal as the problem it is.
pub(super) fn document() -> utoipa::openapi::OpenApi {
    let mut api = Api::openapi();
    for (base, of, names) in MOVES {
        let Some(item) = api.paths.paths.remove(&format!("{base}{{move}}")) else {
            continue;
        };
        for name in names {
            let mut item = item.clone();
            if let Some(post) = &mut item.post {
                post.operation_id = Some(format!("{of}_{}", name.replace('-', "_")));
                if let Some(parameters) = &mut post.parameters {
                    parameters.retain(|parameter| match parameter {
                        utoipa::openapi::RefOr::T(parameter) => parameter.name != "move",
                        utoipa::openapi::RefOr::Ref(_) => true,
                    });
                }
            }
            api.paths.paths.insert(format!("{base}{name}"), item);
        }
    }
    api.paths
        .paths
        .values_mut()
        .flat_map(operations)
        .for_each(tell_problems);
    api
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post].into_iter().flatten()
}

/// Names the media type of problems, and that whatever else goes wrong is one too.
fn tell_problems(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    for (status, response) in responses.iter_mut() {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
            && let Some(content) = response.content.shift_remove("application/json")
        {
            response.content.insert(PROBLEM_JSON.to_owned(), content);
        }
    }
    let mut any = Response::new("Any other refusal");
    let problem = Content::new(Some(Ref::from_schema_name("Problem")));
    any.content.insert(PROBLEM_JSON.to_owned(), RefOr::T(problem));
    responses.entry("default".to_owned()).or_insert(RefOr::T(any));
}

pub(super) async fn description() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}
