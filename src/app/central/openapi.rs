//! The description of central's API.

use axum::Json;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use super::{ReceiptView, api, case, fleet, metrics, onward, watch};
use crate::app::office::Problem;

#[utoipa::path(get, path = "/verify/{code}", tag = "verify", security(()),
    params(("code" = String, Path, description = "The code, or the whole signed receipt")),
    responses((status = 200, body = ReceiptView), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem, description = "Not genuine"), (status = 429, body = Problem)))]
#[expect(dead_code, reason = "the face answers; only the description is here")]
fn verify() {}

#[utoipa::path(post, path = "/v1/sync/batches", tag = "sync",
    responses((status = 200, description = "One verdict for each item, in order"), (status = 401, description = "Token or signature refused")))]
#[expect(dead_code, reason = "`sync::server` answers; only the description is here")]
fn batches() {}

#[utoipa::path(post, path = "/v1/devices/enrol", tag = "sync", security(()),
    responses((status = 200, description = "The device is let in; what it must know to serve"),
        (status = 403, description = "The code is wrong, over or used"), (status = 429, description = "Too many wrong codes")))]
#[expect(dead_code, reason = "`app::devices` answers; only the description is here")]
fn enrol() {}

#[utoipa::path(post, path = "/v1/fleet/reports", tag = "sync",
    responses((status = 200, description = "Orders for the sender and its devices, and whose results are here"),
        (status = 401, description = "Token or signature refused")))]
#[expect(dead_code, reason = "`sync::fleet` answers; only the description is here")]
fn reports() {}

#[derive(OpenApi)]
#[openapi(
    info(title = "Ventanilla central", description = "What offices handed in, how far it is, and whether a receipt is genuine"),
    paths(
        api::list, api::one, api::content, api::set_status, api::take_out, fleet::devices, fleet::invite,
        fleet::revoke, fleet::lives, onward::list, fleet::audit, watch::view::fleet, watch::orders::list, watch::orders::result,
        watch::orders::give, metrics::page, reports, case::status, verify, batches, enrol
    ),
    components(schemas(Problem)),
    security(("bearer" = [])),
    modifiers(&Bearer)
)]
struct Api;

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

pub(super) async fn description() -> Json<utoipa::openapi::OpenApi> {
    Json(Api::openapi())
}
