//! The API's own description.

use axum::Json;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use super::{api, problem, report, stream, views};

#[derive(OpenApi)]
#[openapi(
    info(title = "Ventanilla office", description = "Turns, counters and boards of one office"),
    paths(
        api::issue, api::ticket, api::cancel, api::lease, api::queues, api::counters, api::counter_move,
        stream::board, stream::board_events, stream::events, report::day,
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

/// One route in the server, eleven addresses for its readers.
const MOVES: [&str; 11] = [
    "next", "recall", "start", "finish", "no-show", "transfer", "park", "resume", "open", "pause", "close",
];

pub(super) async fn description() -> Json<utoipa::openapi::OpenApi> {
    let mut api = Api::openapi();
    if let Some(item) = api.paths.paths.remove("/api/v1/counters/{number}/{move}") {
        for name in MOVES {
            let mut item = item.clone();
            if let Some(post) = &mut item.post {
                post.operation_id = Some(format!("counter_{}", name.replace('-', "_")));
                if let Some(parameters) = &mut post.parameters {
                    parameters.retain(|parameter| match parameter {
                        utoipa::openapi::RefOr::T(parameter) => parameter.name != "move",
                        utoipa::openapi::RefOr::Ref(_) => true,
                    });
                }
            }
            let path = format!("/api/v1/counters/{{number}}/{name}");
            api.paths.paths.insert(path, item);
        }
    }
    Json(api)
}
