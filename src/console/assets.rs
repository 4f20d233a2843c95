//! Fonts, styles and scripts of console and board, inside the binary.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const TTF: &str = "font/ttf";

/// A changed file must reach a screen that runs for months, so it asks again each hour.
const CACHE: &str = "public, max-age=3600";

static FILES: &[(&str, &str, &[u8])] = &[
    ("base.css", CSS, include_bytes!("assets/base.css")),
    ("console.css", CSS, include_bytes!("assets/console.css")),
    ("console.js", JS, include_bytes!("assets/console.js")),
    ("board.css", CSS, include_bytes!("../board/board.css")),
    ("turn.css", CSS, include_bytes!("../board/turn.css")),
    ("turn.js", JS, include_bytes!("../board/turn.js")),
    ("board.js", JS, include_bytes!("../board/board.js")),
    (
        "regular.ttf",
        TTF,
        include_bytes!("../../ui/fonts/VentanillaSans-Regular.ttf"),
    ),
    (
        "semibold.ttf",
        TTF,
        include_bytes!("../../ui/fonts/VentanillaSans-SemiBold.ttf"),
    ),
    (
        "bold.ttf",
        TTF,
        include_bytes!("../../ui/fonts/VentanillaSans-Bold.ttf"),
    ),
    (
        "extrabold.ttf",
        TTF,
        include_bytes!("../../ui/fonts/VentanillaSans-ExtraBold.ttf"),
    ),
];

/// `/assets/…`.
pub fn routes() -> Router {
    Router::new().route("/assets/{name}", get(file))
}

async fn file(axum::extract::Path(name): axum::extract::Path<String>) -> Response {
    match FILES.iter().find(|(known, ..)| *known == name) {
        Some((_, kind, bytes)) => (
            [(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, CACHE)],
            *bytes,
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
